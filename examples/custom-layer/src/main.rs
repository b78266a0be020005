//! custom-layer.
fn main() {}
