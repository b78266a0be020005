//! Many channels at once: all of them, or none.

use super::{ChannelView, NewChannel, refuse_revoked};
use crate::desk::{Actor, Desk};
use crate::people::Action;
use burncloud_core::ChannelConfig;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::Said;
use burncloud_core::usecase::channels as rules;
use burncloud_core::usecase::{UseCaseError, UseCaseResult};
use serde::Serialize;
use std::collections::HashSet;

/// The most channels in one import.
const MAX_ROWS: usize = 1_000;

/// Why a row cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Which row, from 1.
    pub row: usize,
    /// The field at fault.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: Said,
}

/// What became of an import. Where there is any error, nothing was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Whether it was only tried.
    pub dry_run: bool,
    /// How many were made, or would have been.
    pub count: usize,
    /// What was made.
    pub created: Vec<ChannelView>,
    /// What is wrong, in the order of the rows.
    pub errors: Vec<RowError>,
}

impl Desk {
    /// Makes channels, all or none. A row is a channel, or why it could not be read. With `dry_run` nothing is made.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for more than 1,000 rows or none; the store's. What is wrong with rows is in the report.
    pub async fn import_channels(
        &self,
        actor: &Actor,
        rows: Vec<Result<NewChannel, RowError>>,
        dry_run: bool,
    ) -> UseCaseResult<ImportReport> {
        actor.check_in_house(Action::ManageHouse)?;
        if rows.is_empty() || rows.len() > MAX_ROWS {
            return Err(UseCaseError::invalid(
                "rows",
                ("an import is 1 to 1000 channels", "一次可导入 1 到 1000 个账号"),
            ));
        }
        let taken = self.store.channels().await?.into_iter().map(|channel| channel.name).collect();
        let (channels, errors) = self.check_rows(rows, taken);
        let mut report = ImportReport { dry_run, count: channels.len(), created: Vec::new(), errors };
        if !report.errors.is_empty() {
            report.count = 0;
            return Ok(report);
        }
        if !dry_run {
            let made = self.create_all(channels).await?;
            for channel in &made {
                self.note_channel(actor, "channel.import", None, Some(channel)).await?;
            }
            report.created = made.iter().map(ChannelView::from).collect();
        }
        Ok(report)
    }

    fn check_rows(
        &self,
        rows: Vec<Result<NewChannel, RowError>>,
        mut taken: HashSet<String>,
    ) -> (Vec<ChannelConfig>, Vec<RowError>) {
        let (mut channels, mut errors) = (Vec::new(), Vec::new());
        for (index, row) in rows.into_iter().enumerate() {
            let checked = row.and_then(|new| {
                let channel = new.into_config();
                let right = refuse_revoked(channel.status)
                    .and_then(|()| rules::check_channel(&channel, &self.registry))
                    .and_then(|()| match taken.insert(channel.name.clone()) {
                        true => Ok(()),
                        false => Err(UseCaseError::invalid(
                            "name",
                            ("there is already a channel of this name", "已有同名账号"),
                        )),
                    });
                right.map(|()| channel).map_err(|error| row_error(index + 1, error))
            });
            match checked {
                Ok(channel) => channels.push(channel),
                Err(error) => errors.push(error),
            }
        }
        (channels, errors)
    }

    /// Takes back what was made if one cannot be.
    async fn create_all(&self, channels: Vec<ChannelConfig>) -> UseCaseResult<Vec<ChannelConfig>> {
        let mut made: Vec<ChannelConfig> = Vec::with_capacity(channels.len());
        for channel in channels {
            match self.store.create_channel(channel).await {
                Ok(channel) => made.push(channel),
                Err(error) => {
                    for channel in made {
                        match self.store.delete_channel(channel.id).await {
                            Ok(()) | Err(StoreError::NotFound { .. }) => {}
                            Err(also) => return Err(also.into()),
                        }
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(made)
    }
}

fn row_error(row: usize, error: UseCaseError) -> RowError {
    match error {
        UseCaseError::Invalid { field, message } => RowError { row, field: field.into_owned(), message },
        other => RowError { row, field: String::new(), message: other.said() },
    }
}
