//! A store in memory: for tests, embedders without a database, and as the reference of the traits.

/// Keeps everything in memory; implements every trait of [`super`].
#[derive(Debug, Default)]
pub struct MemoryStore {}
