//! Channels and prices in memory.

use super::{MemoryStore, missing};
use crate::store::{ChannelStore, PriceOverride, PriceStore, StoreResult};
use crate::{ChannelConfig, ChannelId};
use async_trait::async_trait;

#[async_trait]
impl ChannelStore for MemoryStore {
    async fn create_channel(&self, channel: ChannelConfig) -> StoreResult<ChannelConfig> {
        let state = &mut *self.state.write();
        state.check_channel(None, &channel.name)?;
        let channel = ChannelConfig { id: ChannelId(state.next_id()), ..channel };
        state.channels.insert(channel.id, channel.clone());
        Ok(channel)
    }

    async fn channels(&self) -> StoreResult<Vec<ChannelConfig>> {
        Ok(self.state.read().channels.values().cloned().collect())
    }

    async fn channel_by_name(&self, name: &str) -> StoreResult<Option<ChannelConfig>> {
        Ok(self.state.read().channels.values().find(|channel| channel.name == name).cloned())
    }

    async fn update_channel(&self, channel: &ChannelConfig) -> StoreResult<()> {
        let state = &mut *self.state.write();
        if !state.channels.contains_key(&channel.id) {
            return Err(missing("channel", &channel.name));
        }
        state.check_channel(Some(channel.id), &channel.name)?;
        state.channels.insert(channel.id, channel.clone());
        Ok(())
    }

    async fn delete_channel(&self, id: ChannelId) -> StoreResult<()> {
        self.state.write().channels.remove(&id).map(drop).ok_or_else(|| missing("channel", id))
    }
}

#[async_trait]
impl PriceStore for MemoryStore {
    async fn add_price(&self, price: PriceOverride) -> StoreResult<u64> {
        let prices = &mut self.state.write().prices;
        let version = prices.len() as u64 + 1;
        prices.push(PriceOverride { version, ..price });
        Ok(version)
    }

    async fn prices(&self) -> StoreResult<Vec<PriceOverride>> {
        Ok(self.state.read().prices.clone())
    }
}
