//! The finance page as each role sees it, over a shop in memory.

mod codes;
mod overview;
mod prices;
mod shop;
