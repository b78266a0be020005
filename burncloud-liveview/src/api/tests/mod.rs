//! Tests of the whole API, over a store in memory.

mod frame;
mod matrix;
mod shapes;
mod support;
