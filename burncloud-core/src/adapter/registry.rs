//! The providers of a gateway.

use super::{Adapter, ConfigureError, Transform, Transforms};
use crate::ChannelConfig;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The providers a gateway knows, by name, and how channels' transforms are prepared.
#[derive(Clone, Default)]
pub struct Registry {
    adapters: HashMap<String, Arc<dyn Adapter>>,
    transforms: Option<Arc<dyn Transforms>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.names()).finish()
    }
}

impl Registry {
    /// No providers.
    #[must_use]
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a provider, in the place of one of the same name.
    #[must_use]
    pub fn with(mut self, adapter: impl Adapter) -> Registry {
        self.insert(Arc::new(adapter));
        self
    }

    /// Adds a provider, in the place of one of the same name.
    pub fn insert(&mut self, adapter: Arc<dyn Adapter>) {
        self.adapters.insert(adapter.name().to_owned(), adapter);
    }

    /// Prepares channels' transforms this way. Without it a channel that asks for any is refused.
    #[must_use]
    pub fn with_transforms(mut self, transforms: impl Transforms) -> Registry {
        self.transforms = Some(Arc::new(transforms));
        self
    }

    /// The transforms that a channel asks for.
    ///
    /// # Errors
    /// As [`Transforms::prepare`].
    pub fn transform(&self, config: &ChannelConfig) -> Result<Option<Arc<dyn Transform>>, ConfigureError> {
        match &self.transforms {
            Some(transforms) => transforms.prepare(config),
            None if config.settings.transforms() => Err(ConfigureError {
                field: "transforms".to_owned(),
                message: "this gateway was built without transforms".to_owned(),
            }),
            None => Ok(None),
        }
    }

    /// The provider of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Adapter>> {
        self.adapters.get(name)
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.adapters.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}
