//! burncloud-billing
