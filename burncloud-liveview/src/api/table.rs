//! Channels as a table: what an export writes and an import reads.

use super::problem::Problem;
use burncloud_billing::desk::channels::{ChannelView, NewChannel, RowError};
use burncloud_core::usecase::Said;
use burncloud_core::{ChannelSettings, Status};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const COLUMNS: [&str; 10] = [
    "name",
    "provider",
    "base_url",
    "credential",
    "models",
    "model_mapping",
    "priority",
    "weight",
    "status",
    "settings",
];

/// What an import takes, but for the credentials.
pub(super) fn to_rows(channels: &[ChannelView]) -> Result<Vec<Value>, Problem> {
    channels.iter().filter(|channel| channel.status != Status::Revoked).map(to_row).collect()
}

fn to_row(channel: &ChannelView) -> Result<Value, Problem> {
    let mut row =
        serde_json::to_value(channel).map_err(|_| Problem::away("a channel cannot be written down"))?;
    if let Some(members) = row.as_object_mut() {
        members.retain(|name, _| COLUMNS.contains(&name.as_str()));
        members.insert("credential".to_owned(), json!(""));
    }
    Ok(row)
}

/// With a first line that names the columns; the credentials' is empty.
pub(super) fn to_csv(channels: &[ChannelView]) -> Result<String, Problem> {
    let failed = || Problem::away("the table cannot be written down");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|_| failed())?;
    for channel in channels.iter().filter(|channel| channel.status != Status::Revoked) {
        let mapping = channel.model_mapping.iter().map(|(asked, sent)| format!("{asked}={sent}"));
        let status = if channel.status == Status::Active { "active" } else { "disabled" };
        let settings = serde_json::to_string(&channel.settings).map_err(|_| failed())?;
        writer
            .write_record([
                cell(&channel.name),
                cell(&channel.provider),
                cell(channel.base_url.as_deref().unwrap_or_default()),
                String::new(),
                cell(&channel.models.join(";")),
                cell(&mapping.collect::<Vec<_>>().join(";")),
                channel.priority.to_string(),
                channel.weight.to_string(),
                status.to_owned(),
                settings,
            ])
            .map_err(|_| failed())?;
    }
    let bytes = writer.into_inner().map_err(|_| failed())?;
    String::from_utf8(bytes).map_err(|_| failed())
}

/// A text that no spreadsheet takes for a formula.
pub(super) fn cell(text: &str) -> String {
    match text.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\'') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

fn uncell(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// Rows, or why they cannot be read. Columns may be left out and stand in any order.
pub(super) fn from_csv(bytes: &[u8]) -> Result<Vec<Result<NewChannel, RowError>>, Problem> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let head =
        reader.headers().map_err(|_| Problem::no_json("the first line of the table cannot be read"))?;
    let head: Vec<String> = head.iter().map(str::to_owned).collect();
    if let Some(unknown) = head.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(Problem::invalid("header", &format!("`{unknown}` is no column of this table")));
    }
    let rows = reader.records().enumerate().map(|(index, record)| {
        let fail = |field: &str, en: &'static str, zh: &'static str| RowError {
            row: index + 1,
            field: field.to_owned(),
            message: Said::new(en, zh),
        };
        let record = record.map_err(|_| {
            fail("", "this row has not as many cells as the first line", "这一行的格数与首行不同")
        })?;
        let cells: BTreeMap<&str, &str> = head.iter().map(String::as_str).zip(record.iter()).collect();
        from_cells(&cells, fail)
    });
    Ok(rows.collect())
}

fn from_cells(
    cells: &BTreeMap<&str, &str>,
    fail: impl Fn(&str, &'static str, &'static str) -> RowError,
) -> Result<NewChannel, RowError> {
    let raw = |name: &str| cells.get(name).copied().unwrap_or_default();
    let get = |name: &str| uncell(raw(name));
    let list = |name: &str| get(name).split(';').map(str::trim).filter(|item| !item.is_empty());
    let mut model_mapping = BTreeMap::new();
    for pair in list("model_mapping") {
        let Some((asked, sent)) = pair.split_once('=') else {
            return Err(fail(
                "model_mapping",
                "write asked=sent, several divided by semicolons",
                "写成 asked=sent，多个用分号隔开",
            ));
        };
        model_mapping.insert(asked.trim().to_owned(), sent.trim().to_owned());
    }
    let number = |name: &'static str, default: &'static str| {
        let text = raw(name);
        (name, if text.is_empty() { default } else { text })
    };
    let (priority, weight) = (number("priority", "0"), number("weight", "1"));
    let settings = match raw("settings") {
        "" => ChannelSettings::default(),
        text => serde_json::from_str(text).map_err(|_| {
            fail("settings", "these are no settings of a channel, as JSON", "不是账号设置的 JSON")
        })?,
    };
    Ok(NewChannel {
        name: get("name").to_owned(),
        provider: get("provider").to_owned(),
        base_url: Some(get("base_url").to_owned()).filter(|url| !url.is_empty()),
        credential: SecretString::from(raw("credential")),
        models: list("models").map(str::to_owned).collect(),
        model_mapping,
        priority: priority.1.parse().map_err(|_| fail(priority.0, "it is a whole number", "这里填整数"))?,
        weight: weight
            .1
            .parse()
            .map_err(|_| fail(weight.0, "it is a whole number, not negative", "这里填整数，不能为负"))?,
        status: match raw("status") {
            "" | "active" => Status::Active,
            "disabled" => Status::Disabled,
            _ => return Err(fail("status", "it is active or disabled", "填 active 或 disabled")),
        },
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_billing::desk::channels::ChannelView;

    #[test]
    fn what_was_exported_can_be_imported() {
        let channel = NewChannel {
            name: "=cmd".into(),
            provider: "openai".into(),
            base_url: Some("https://a.example/v1".into()),
            credential: SecretString::from("sk-not-in-the-table-0123456789"),
            models: vec!["a".into(), "b, c".into()],
            model_mapping: [("x".to_owned(), "y".to_owned())].into(),
            priority: -3,
            weight: 2,
            status: Status::Disabled,
            settings: ChannelSettings { concurrency: Some(4), ..ChannelSettings::default() },
        };
        let view = ChannelView::from(&channel.into_config());
        let text = to_csv(std::slice::from_ref(&view)).unwrap();
        assert!(!text.contains("sk-") && !text.contains("6789") && text.contains("'=cmd"), "{text}");
        let read = from_csv(text.as_bytes()).unwrap().remove(0).unwrap();
        let again = ChannelView::from(&read.into_config());
        let shown =
            |view: &ChannelView| ChannelView { credential: None, version: String::new(), ..view.clone() };
        assert_eq!(shown(&again), shown(&view));
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let text = "name,provider,weight\na,openai,1\nb,openai,-1\nc,openai\n";
        let rows = from_csv(text.as_bytes()).unwrap();
        let errors: Vec<(usize, String)> =
            rows.into_iter().filter_map(|row| row.err().map(|e| (e.row, e.field))).collect();
        assert_eq!(errors, [(2, "weight".to_owned()), (3, String::new())]);
        assert!(from_csv(b"name,colour\n").is_err());
    }
}
