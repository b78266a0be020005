//! The door over its router, with everything in memory.

mod bench;
mod forms;
mod next;
mod people;
mod provider;
mod sessions;
