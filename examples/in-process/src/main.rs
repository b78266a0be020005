//! in-process.
fn main() {}
