//! burncloud-core
