//! What a `[[channels]]` entry says about changing requests and answers, and how it becomes settings.

use burncloud_core::{ScriptFailure, ScriptSettings, SystemPrompt, SystemPromptMode};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Longest file that is read; what is compiled has bounds of its own.
const MAX_FILE: u64 = 1 << 20;

/// A text in the file itself, or in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextRef {
    Inline(String),
    File(PathBuf),
}

impl TextRef {
    /// The text.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn read(&self) -> Result<String, String> {
        match self {
            TextRef::Inline(text) => Ok(text.clone()),
            TextRef::File(path) => {
                let fail = |why: std::io::Error| format!("the file {} cannot be read: {why}", path.display());
                if std::fs::metadata(path).map_err(fail)?.len() > MAX_FILE {
                    return Err(format!("the file {} is longer than {MAX_FILE} bytes", path.display()));
                }
                std::fs::read_to_string(path).map_err(fail)
            }
        }
    }

    /// The text of a document of steps; the bare name of a file is none.
    ///
    /// # Errors
    /// What is wrong with the file, or that its name alone stands here.
    pub(crate) fn document(&self) -> Result<String, String> {
        match self {
            TextRef::Inline(text)
                if [".yaml", ".yml", ".json"].iter().any(|end| text.trim().ends_with(end)) =>
            {
                Err(format!("to read a file, write {{ file = \"{}\" }}", text.trim()))
            }
            _ => self.read(),
        }
    }

    /// What a fault in the text is to begin with.
    pub(crate) fn place(&self) -> String {
        match self {
            TextRef::Inline(_) => String::new(),
            TextRef::File(path) => format!("{}: ", path.display()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    file: PathBuf,
}

impl<'de> Deserialize<'de> for TextRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<TextRef, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => Ok(TextRef::Inline(text)),
            toml::Value::Table(table) => {
                let table = FileTable::deserialize(table);
                table.map(|t| TextRef::File(t.file)).map_err(|_| de::Error::custom(TRANSFORMS))
            }
            _ => Err(de::Error::custom(TRANSFORMS)),
        }
    }
}

const TRANSFORMS: &str = "write a document as a text, or { file = \"transforms.yaml\" }";

/// `script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawScript {
    pub(crate) text: TextRef,
    pub(crate) on_error: ScriptFailure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScriptTable {
    source: Option<String>,
    file: Option<PathBuf>,
    #[serde(default)]
    on_error: ScriptFailure,
}

impl<'de> Deserialize<'de> for RawScript {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RawScript, D::Error> {
        const SHAPE: &str =
            "write { file = \"script.rhai\" } or { source = \"…\" }, and on_error = \"refuse\" or \"skip\"";
        let shape = || de::Error::custom(SHAPE);
        let toml::Value::Table(table) = toml::Value::deserialize(from)? else { return Err(shape()) };
        let table = ScriptTable::deserialize(table).map_err(|_| shape())?;
        let text = match (table.source, table.file) {
            (Some(source), None) => TextRef::Inline(source),
            (None, Some(file)) => TextRef::File(file),
            _ => return Err(shape()),
        };
        Ok(RawScript { text, on_error: table.on_error })
    }
}

impl RawScript {
    /// The settings.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn read(&self) -> Result<ScriptSettings, String> {
        Ok(ScriptSettings { source: self.text.read()?, on_error: self.on_error })
    }
}

/// `system_prompt`: a text, or a table with its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawPrompt(pub(crate) SystemPrompt);

impl<'de> Deserialize<'de> for RawPrompt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RawPrompt, D::Error> {
        const SHAPE: &str = "write a text, or { text = \"…\", mode = \"prepend\" }; the modes are prepend, append, \
                             replace, default";
        let shape = || de::Error::custom(SHAPE);
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => {
                Ok(RawPrompt(SystemPrompt { text, mode: SystemPromptMode::default() }))
            }
            toml::Value::Table(table) => SystemPrompt::deserialize(table).map(RawPrompt).map_err(|_| shape()),
            _ => Err(shape()),
        }
    }
}

/// `body_override`: a table, or the text of a JSON object, which can say null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawBody(pub(crate) BTreeMap<String, serde_json::Value>);

impl<'de> Deserialize<'de> for RawBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RawBody, D::Error> {
        const SHAPE: &str = "write { temperature = 0.5 }, or a JSON object as a text: '{\"user\": null}'";
        match toml::Value::deserialize(from)? {
            toml::Value::String(text) => {
                serde_json::from_str(&text).map(RawBody).map_err(|_| de::Error::custom(SHAPE))
            }
            toml::Value::Table(table) => {
                let members = table.into_iter().map(|(key, value)| Some((key, json(value)?)));
                let members: Option<BTreeMap<_, _>> = members.collect();
                members
                    .map(RawBody)
                    .ok_or_else(|| de::Error::custom("a number is not finite, which JSON cannot say"))
            }
            _ => Err(de::Error::custom(SHAPE)),
        }
    }
}

/// A value of TOML in JSON; a moment is its text.
fn json(value: toml::Value) -> Option<serde_json::Value> {
    Some(match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)?.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        toml::Value::Table(table) => {
            let members = table.into_iter().map(|(key, value)| Some((key, json(value)?)));
            serde_json::Value::Object(members.collect::<Option<_>>()?)
        }
    })
}

/// `status_mapping`: keys of TOML are texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RawStatuses(pub(crate) BTreeMap<u16, u16>);

impl<'de> Deserialize<'de> for RawStatuses {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<RawStatuses, D::Error> {
        let table = BTreeMap::<String, u16>::deserialize(from)?;
        let entry = |(from, to): (String, u16)| from.parse().ok().map(|from| (from, to));
        let statuses: Option<_> = table.into_iter().map(entry).collect();
        statuses.map(RawStatuses).ok_or_else(|| de::Error::custom("write statuses, such as { 404 = 503 }"))
    }
}
