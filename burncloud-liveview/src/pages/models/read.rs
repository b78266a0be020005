//! What the forms of an account hold, as the desk takes it.

use super::providers::Need;
use crate::kit::Form;
use crate::lang::Lang;
use crate::live::Fault;
use burncloud_core::{ChannelSettings, SystemPrompt, SystemPromptMode, TimeoutSettings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The fault of a field, or of one of its members: `options` and `options.region`.
pub(super) fn at(fault: Option<&Fault>, field: &str) -> Option<String> {
    let fault = fault?;
    let is = fault.field.as_deref()?;
    let member = is.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    member.then(|| fault.text.clone())
}

/// One thing in each line, or several with commas between.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(['\n', ',', '，']).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// `name = value`, one in each line.
pub(super) fn pairs(
    lang: Lang,
    field: &'static str,
    text: &str,
    sign: char,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut pairs = BTreeMap::new();
    for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let Some((name, value)) = line.split_once(sign) else {
            let n = n + 1;
            let text = match lang {
                Lang::En => format!("line {n}: write a name, {sign} and a value"),
                Lang::Zh => format!("第 {n} 行：写成「名字 {sign} 值」"),
            };
            return Err(Fault::field(field, text));
        };
        pairs.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(pairs)
}

/// A number; none where the field is empty.
pub(super) fn number<T: FromStr>(lang: Lang, form: &Form, field: &'static str) -> Result<Option<T>, Fault> {
    let Some(text) = form.some(field) else { return Ok(None) };
    let fault = || Fault::field(field, lang.t("this is a whole number", "这里填整数"));
    text.parse().map(Some).map_err(|_| fault())
}

fn json(lang: Lang, field: &'static str, text: &str) -> Result<BTreeMap<String, Value>, Fault> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = match lang {
            Lang::En => format!("line {line}, column {column}: write a JSON object of fields and values"),
            Lang::Zh => format!("第 {line} 行第 {column} 列：写一个 JSON 对象，包含字段和值"),
        };
        Fault::field(field, text)
    })
}

fn statuses(lang: Lang, text: &str) -> Result<BTreeMap<u16, u16>, Fault> {
    let fault = || {
        Fault::field("status_mapping", lang.t("write statuses, such as 404 = 503", "写状态码，如 404 = 503"))
    };
    let all = pairs(lang, "status_mapping", text, '=')?.into_iter();
    all.map(|(from, to)| Ok((from.parse().map_err(|_| fault())?, to.parse().map_err(|_| fault())?))).collect()
}

/// Automatic, yes or no.
pub(super) fn three(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// As a choice of the form.
pub(super) fn of_three(choice: Option<bool>) -> &'static str {
    match choice {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

/// What a provider needs beside the credential: those of its fields that hold something.
pub(super) fn options(form: &Form, needs: &[Need]) -> BTreeMap<String, String> {
    let value = |need: &Need| Some((need.name.to_owned(), form.some(&format!("options.{}", need.name))?));
    needs.iter().filter_map(value).collect()
}

/// All settings that the form of an account has; what it has no field for stays as it is.
pub(super) fn settings(
    lang: Lang,
    form: &Form,
    needs: &[Need],
    stored: &ChannelSettings,
) -> Result<ChannelSettings, Fault> {
    let mut options = pairs(lang, "options", form.raw("options"), '=')?;
    options.extend(self::options(form, needs));
    let mode = match form.raw("system_prompt_mode") {
        "append" => SystemPromptMode::Append,
        "replace" => SystemPromptMode::Replace,
        "default" => SystemPromptMode::Default,
        _ => SystemPromptMode::Prepend,
    };
    Ok(ChannelSettings {
        timeouts: TimeoutSettings {
            connect_ms: number(lang, form, "connect_ms")?,
            first_byte_ms: number(lang, form, "first_byte_ms")?,
            idle_ms: number(lang, form, "idle_ms")?,
            total_ms: number(lang, form, "total_ms")?,
        },
        groups: list(form.raw("groups")),
        include_usage: three(form.raw("include_usage")),
        concurrency: number(lang, form, "concurrency")?,
        proxy: form.some("proxy"),
        options,
        strict: three(form.raw("strict")),
        body_override: json(lang, "body_override", form.raw("body_override"))?,
        header_override: pairs(lang, "header_override", form.raw("header_override"), ':')?,
        status_mapping: statuses(lang, form.raw("status_mapping"))?,
        system_prompt: form.some("system_prompt").map(|text| SystemPrompt { text, mode }),
        transforms: stored.transforms.clone(),
        script: stored.script.clone(),
    })
}

/// Pairs as the text that [`pairs`] reads.
pub(super) fn lines<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>, sign: &str) -> String {
    pairs.into_iter().map(|(name, value)| format!("{name}{sign} {value}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_a_form_holds_becomes_settings_and_the_rest_stays() {
        let needs = [Need { name: "region", en: "", zh: "", example: "" }];
        let stored = ChannelSettings { transforms: Some("request: []".into()), ..ChannelSettings::default() };
        let form = form(&[
            ("groups", "vip, gold\nvip2"),
            ("options.region", " eu-west-1 "),
            ("options", "role_arn = arn:x"),
            ("first_byte_ms", "9000"),
            ("strict", "yes"),
            ("body_override", "{\"temperature\": 0.5, \"user\": null}"),
            ("header_override", "x-team: research\n\nx-gone:"),
            ("status_mapping", "404 = 503"),
            ("system_prompt", "Be brief."),
            ("system_prompt_mode", "append"),
        ]);
        let read = settings(Lang::En, &form, &needs, &stored).unwrap();
        assert_eq!(read.groups, ["vip", "gold", "vip2"]);
        assert_eq!(
            (read.options["region"].as_str(), read.options["role_arn"].as_str()),
            ("eu-west-1", "arn:x")
        );
        assert_eq!((read.timeouts.first_byte_ms, read.timeouts.idle_ms), (Some(9_000), None));
        assert_eq!((read.strict, read.include_usage, read.concurrency), (Some(true), None, None));
        assert_eq!((read.body_override.len(), read.header_override["x-gone"].as_str()), (2, ""));
        assert_eq!(read.status_mapping, [(404, 503)].into());
        assert_eq!(read.system_prompt.unwrap().mode, SystemPromptMode::Append);
        assert_eq!(read.transforms, stored.transforms);
    }

    #[test]
    fn what_cannot_be_read_is_said_at_its_field_and_line() {
        for (name, value, field) in [
            ("idle_ms", "soon", "idle_ms"),
            ("header_override", "fine: yes\nno colon", "header_override"),
            ("body_override", "[1]", "body_override"),
            ("status_mapping", "all = 500", "status_mapping"),
        ] {
            let form = form(&[(name, value)]);
            let fault = settings(Lang::En, &form, &[], &ChannelSettings::default()).unwrap_err();
            assert_eq!(fault.field.as_deref(), Some(field), "{name}");
        }
        let fault = pairs(Lang::En, "header_override", "a: b\nc", ':').unwrap_err();
        assert!(fault.text.starts_with("line 2"), "{fault}");
        let fault = Fault::field("options.region", "no region");
        assert!(at(Some(&fault), "options").is_some() && at(Some(&fault), "option").is_none());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let map: BTreeMap<String, String> =
            [("a".to_owned(), "b=c".to_owned()), ("x".to_owned(), String::new())].into();
        assert_eq!(pairs(Lang::En, "f", &lines(&map, " ="), '=').unwrap(), map);
    }
}
