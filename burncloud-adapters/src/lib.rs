//! burncloud-adapters
