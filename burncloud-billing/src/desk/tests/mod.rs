//! The desk over a store in memory: who may do what, what is refused, what is written down.

mod keys;
mod people;
mod world;

use world::{World, changed, hidden, invalid, refused};
