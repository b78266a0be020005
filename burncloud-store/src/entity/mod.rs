//! The tables, as sea-orm sees them. What is structured and never searched is JSON in a text column.
#![allow(unreachable_pub, reason = "the entity macros make everything `pub`")]

pub(crate) mod alert;
pub(crate) mod api_key;
pub(crate) mod archive;
pub(crate) mod archived_receipt;
pub(crate) mod audit;
pub(crate) mod budget;
pub(crate) mod catalogue;
pub(crate) mod change;
pub(crate) mod channel;
pub(crate) mod invitation;
pub(crate) mod ledger_balance;
pub(crate) mod ledger_entry;
pub(crate) mod ledger_posting;
pub(crate) mod login;
pub(crate) mod migration;
pub(crate) mod once;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod receipt;
pub(crate) mod receipt_key;
pub(crate) mod receipt_seal;
pub(crate) mod redeem_code;
pub(crate) mod session;
pub(crate) mod setting;
pub(crate) mod tenant;
pub(crate) mod user;

use sea_orm::entity::prelude::*;

/// [`burncloud_core::Status`] as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Status {
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "disabled")]
    Disabled,
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

impl From<burncloud_core::Status> for Status {
    fn from(status: burncloud_core::Status) -> Status {
        match status {
            burncloud_core::Status::Active => Status::Active,
            burncloud_core::Status::Disabled => Status::Disabled,
            burncloud_core::Status::Revoked => Status::Revoked,
        }
    }
}

impl From<Status> for burncloud_core::Status {
    fn from(status: Status) -> burncloud_core::Status {
        match status {
            Status::Active => burncloud_core::Status::Active,
            Status::Disabled => burncloud_core::Status::Disabled,
            Status::Revoked => burncloud_core::Status::Revoked,
        }
    }
}
