//! In the place of scripts in a build without them.

use super::TransformError;
use super::document::Facts;
use super::error::Failure;
use burncloud_core::ScriptSettings;
use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// There is none.
#[derive(Debug)]
pub(super) enum Script {}

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Response,
    Event,
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "nobody reads it")]
pub(super) struct Context<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) dialect: &'a str,
    pub(super) channel: &'a str,
}

impl Script {
    pub(super) fn compile(_settings: &ScriptSettings) -> Result<Script, TransformError> {
        Err(TransformError::new("script", "this gateway was built without scripts"))
    }

    pub(super) fn edits_requests(&self) -> bool {
        match *self {}
    }

    pub(super) fn edits_answers(&self) -> bool {
        match *self {}
    }

    pub(super) fn skips(&self) -> bool {
        match *self {}
    }

    pub(super) fn request(&self, _: &Context<'_>, _: &mut HeaderMap, _: &mut Value) -> Result<bool, Failure> {
        match *self {}
    }

    pub(super) fn answer(
        &self,
        _: Phase,
        _: &Context<'_>,
        _: &BTreeMap<String, String>,
        _: &mut Value,
    ) -> Result<bool, Failure> {
        match *self {}
    }
}
