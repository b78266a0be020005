//! burncloud-liveview
