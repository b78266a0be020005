//! burncloud-store
