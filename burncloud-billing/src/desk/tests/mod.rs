//! The desk over a store in memory: who may do what, what is refused, what is written down.

mod codes;
mod keys;
mod log;
mod login;
mod money;
mod movements;
mod offices;
mod people;
mod prices;
mod said;
mod shelf;
mod terms;
mod trial;
mod world;

use world::{World, changed, hidden, invalid, refused};
