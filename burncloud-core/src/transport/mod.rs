//! Connections to providers.

mod origin;

pub use origin::Origin;

/// A provider's address and the idle connections to it.
#[derive(Debug)]
pub struct Upstream {
    origin: Origin,
}

impl Upstream {
    /// No connection yet.
    #[must_use]
    pub fn new(origin: Origin) -> Upstream {
        Upstream { origin }
    }

    /// Where it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Connections that are open and idle.
    #[must_use]
    pub fn idle(&self) -> usize {
        0
    }
}
