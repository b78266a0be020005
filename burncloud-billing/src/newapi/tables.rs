//! The tables as New-API writes them, and as rules of the price book.

use super::Decimal;
use burncloud_core::UnixMicros;
use burncloud_core::store::PriceOverride;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

/// Why a text is no set of ratio tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiError {
    /// The table, and the entry in it, such as `ModelRatio.gpt-4o`.
    pub field: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl fmt::Display for NewApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}`: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for NewApiError {}

fn fail<T>(field: impl Into<String>, message: impl Into<String>) -> Result<T, NewApiError> {
    Err(NewApiError { field: field.into(), message: message.into() })
}

/// One table: a ratio by name.
type Table = BTreeMap<String, Decimal>;

/// Name of the option, name in the ratio interface, and the field of a rule of ratios.
const TABLES: [(&str, &str, &str); 7] = [
    ("ModelRatio", "model_ratio", "model"),
    ("CompletionRatio", "completion_ratio", "completion"),
    ("CacheRatio", "cache_ratio", "cache"),
    ("CreateCacheRatio", "create_cache_ratio", "create_cache"),
    ("ImageRatio", "image_ratio", "image"),
    ("AudioRatio", "audio_ratio", "audio"),
    ("AudioCompletionRatio", "audio_completion_ratio", "audio_completion"),
];

/// New-API's ratio tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// In the order of `TABLES`.
    ratios: [Table; 7],
    /// Dollars per call.
    model_price: Table,
    group_ratio: Table,
    group_group_ratio: BTreeMap<String, Table>,
}

type Raw = BTreeMap<String, Box<RawValue>>;

impl Tables {
    /// Reads the tables from what New-API gives out: an object of tables (`ModelRatio` or `model_ratio`; each an
    /// object or the text of one), the same under `data`, or the list of options of its interface (`[{"key", "value"}]`).
    /// Options that are no ratio tables are passed over.
    ///
    /// # Errors
    /// The table and the entry at fault.
    pub fn parse(text: &str) -> Result<Tables, NewApiError> {
        let raw = options(text)?;
        let mut tables = Tables::default();
        let named = |camel: &str, snake: &str| raw.get(camel).or_else(|| raw.get(snake));
        for (n, (camel, snake, _)) in TABLES.iter().enumerate() {
            if let Some(found) = named(camel, snake) {
                tables.ratios[n] = table(camel, found)?;
            }
        }
        if let Some(found) = named("ModelPrice", "model_price") {
            tables.model_price = table("ModelPrice", found)?;
        }
        if let Some(found) = named("GroupRatio", "group_ratio") {
            tables.group_ratio = table("GroupRatio", found)?;
        }
        if let Some(found) = named("GroupGroupRatio", "group_group_ratio") {
            for (group, inner) in object("GroupGroupRatio", found)? {
                let inner = table(&format!("GroupGroupRatio.{group}"), &inner)?;
                tables.group_group_ratio.insert(group, inner);
            }
        }
        if tables == Tables::default() {
            return fail(
                "",
                "no ratio table is in it; give an object with `ModelRatio`, `CompletionRatio`, …",
            );
        }
        Ok(tables)
    }

    /// The tables as New-API reads them: one object, a member for each table, numbers with every digit.
    #[must_use]
    pub fn to_json(&self) -> String {
        let named = TABLES.iter().map(|(name, ..)| *name).zip(&self.ratios);
        let named = named.chain([("ModelPrice", &self.model_price), ("GroupRatio", &self.group_ratio)]);
        let mut members: Vec<String> =
            named.map(|(name, table)| format!("  {}: {}", json!(name), written(table, "  "))).collect();
        let pairs = self.group_group_ratio.iter();
        let pairs: Vec<String> =
            pairs.map(|(group, table)| format!("    {}: {}", json!(group), written(table, "    "))).collect();
        let pairs =
            if pairs.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n  }}", pairs.join(",\n")) };
        members.push(format!("  \"GroupGroupRatio\": {pairs}"));
        format!("{{\n{}\n}}\n", members.join(",\n"))
    }

    /// Every model that has a ratio or a price, with the rule that it becomes: a price per call where there is one, as in
    /// New-API. Entries of other tables without a model ratio are kept with the rule of the price per call, or dropped where
    /// there is neither; [`without_effect`](Tables::without_effect) names those.
    #[must_use]
    pub fn rules(&self, effective_at: UnixMicros) -> Vec<PriceOverride> {
        let rule = |model: &str, rates: Value| PriceOverride {
            version: 0,
            book: None,
            channel: None,
            model: model.to_owned(),
            effective_at,
            rates,
        };
        let mut rules = Vec::new();
        for (model, price) in &self.model_price {
            rules.push(rule(model, json!({ "per_request": price.to_string() })));
        }
        for model in self.ratios[0].keys().filter(|model| !self.model_price.contains_key(*model)) {
            let named = TABLES.iter().zip(&self.ratios);
            let own = named.filter_map(|((.., field), table)| {
                Some(((*field).to_owned(), table.get(model)?.to_string().into()))
            });
            rules.push(rule(model, json!({ "ratios": Value::Object(own.collect::<Map<_, _>>()) })));
        }
        let texts = |table: &Table| -> Map<String, Value> {
            table.iter().map(|(name, ratio)| (name.clone(), ratio.to_string().into())).collect()
        };
        let mut book = Map::new();
        if !self.group_ratio.is_empty() {
            book.insert("groups".into(), Value::Object(texts(&self.group_ratio)));
        }
        if !self.group_group_ratio.is_empty() {
            let pairs = self.group_group_ratio.iter();
            let pairs: Map<_, _> = pairs.map(|(g, table)| (g.clone(), Value::Object(texts(table)))).collect();
            book.insert("pairs".into(), Value::Object(pairs));
        }
        if !book.is_empty() {
            rules.push(rule("", Value::Object(book)));
        }
        rules
    }

    /// As [`rules`](Tables::rules), for a book that holds these: groups that are in force there and are not in the table of
    /// groups are taken out, and so are pairs; a table that is not given changes nothing. Rules of other models stay.
    #[must_use]
    pub fn rules_after(&self, held: &[PriceOverride], effective_at: UnixMicros) -> Vec<PriceOverride> {
        let (before, _) = Tables::from_rules(held, effective_at);
        let gone = |old: &Table, new: Option<&Table>| -> Map<String, Value> {
            let lost = old.keys().filter(|name| new.is_none_or(|new| !new.contains_key(*name)));
            lost.map(|name| (name.clone(), Value::Null)).collect()
        };
        let groups = match self.group_ratio.is_empty() {
            true => Map::new(),
            false => gone(&before.group_ratio, Some(&self.group_ratio)),
        };
        let pairs = before.group_group_ratio.iter().filter(|_| !self.group_group_ratio.is_empty());
        let pairs = pairs.map(|(own, old)| (own.clone(), gone(old, self.group_group_ratio.get(own))));
        let pairs: Map<_, _> =
            pairs.filter(|(_, gone)| !gone.is_empty()).map(|(own, gone)| (own, gone.into())).collect();
        let mut rules = self.rules(effective_at);
        if groups.is_empty() && pairs.is_empty() {
            return rules;
        }
        // A row of its own, before the one that sets: of two from the same moment both count.
        let rates = json!({ "groups": groups, "pairs": pairs });
        let (model, version) = (String::new(), 0);
        rules.insert(0, PriceOverride { version, book: None, channel: None, model, effective_at, rates });
        rules
    }

    /// Entries that have no effect in New-API either, and do not become rules: ratios beside a price per call, or of a model
    /// without a model ratio. As `Table.model`.
    #[must_use]
    pub fn without_effect(&self) -> Vec<String> {
        let mut names = Vec::new();
        for ((name, ..), table) in TABLES.iter().zip(&self.ratios) {
            let lost = table.keys().filter(|model| {
                self.model_price.contains_key(*model) || !self.ratios[0].contains_key(*model)
            });
            names.extend(lost.map(|model| format!("{name}.{model}")));
        }
        names
    }

    /// The tables that the house's rules in force at that time come to, and the models whose prices are no ratios: those
    /// that were set as list prices or mark-ups.
    #[must_use]
    pub fn from_rules(rules: &[PriceOverride], at: UnixMicros) -> (Tables, Vec<String>) {
        let mut tables = Tables::default();
        let mut others = Vec::new();
        let house = rules.iter().filter(|rule| rule.book.is_none() && rule.channel.is_none());
        let mut newest: BTreeMap<&str, &PriceOverride> = BTreeMap::new();
        let mut in_force: Vec<&PriceOverride> = house.filter(|rule| rule.effective_at <= at).collect();
        in_force.sort_by_key(|rule| (rule.effective_at, rule.version));
        for rule in in_force {
            if rule.model.is_empty() {
                tables.take_groups(&rule.rates);
            } else {
                newest.insert(&rule.model, rule);
            }
        }
        for (model, rule) in newest {
            if !tables.take(model, &rule.rates) {
                others.push(model.to_owned());
            }
        }
        tables.group_group_ratio.retain(|_, table| !table.is_empty());
        (tables, others)
    }

    /// Takes in what a row for the whole book says of groups: what it names takes the place of what was there.
    fn take_groups(&mut self, rates: &Value) {
        let members = |name| rates.get(name).and_then(Value::as_object).into_iter().flatten();
        merge(&mut self.group_ratio, members("groups"));
        for (group, table) in members("pairs") {
            let pairs = self.group_group_ratio.entry(group.clone()).or_default();
            merge(pairs, table.as_object().into_iter().flatten());
        }
    }

    /// Takes one rule in, if it is one of ratios or of a price per call alone.
    fn take(&mut self, model: &str, rates: &Value) -> bool {
        let decimal = |value: &Value| value.as_str().and_then(Decimal::parse);
        let Some(rates) = rates.as_object() else { return false };
        if let (1, Some(price)) = (rates.len(), rates.get("per_request").and_then(decimal)) {
            self.model_price.insert(model.to_owned(), price);
            return true;
        }
        let Some(Value::Object(ratios)) = rates.get("ratios") else { return false };
        for ((.., field), table) in TABLES.iter().zip(&mut self.ratios) {
            if let Some(ratio) = ratios.get(*field).and_then(decimal) {
                table.insert(model.to_owned(), ratio);
            }
        }
        true
    }
}

fn merge<'a>(table: &mut Table, named: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (name, ratio) in named {
        match ratio.as_str().and_then(Decimal::parse) {
            Some(ratio) => table.insert(name.clone(), ratio),
            None => table.remove(name),
        };
    }
}

fn written(table: &Table, indent: &str) -> String {
    if table.is_empty() {
        return "{}".to_owned();
    }
    let lines: Vec<String> =
        table.iter().map(|(name, ratio)| format!("{indent}  {}: {ratio}", json!(name))).collect();
    format!("{{\n{}\n{indent}}}", lines.join(",\n"))
}

/// The options by name, whatever they are wrapped in.
fn options(text: &str) -> Result<Raw, NewApiError> {
    #[derive(serde::Deserialize)]
    struct Listed {
        key: String,
        value: Box<RawValue>,
    }
    if let Ok(list) = serde_json::from_str::<Vec<Listed>>(text) {
        return Ok(list.into_iter().map(|option| (option.key, option.value)).collect());
    }
    let raw: Raw = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return fail("", format!("not the JSON of ratio tables: {error}")),
    };
    match raw.get("data") {
        Some(inner) => options(inner.get()),
        None => Ok(raw),
    }
}

/// A table given as an object, or as the text of one.
fn object(name: &str, raw: &RawValue) -> Result<Raw, NewApiError> {
    let text: Option<String> = serde_json::from_str(raw.get()).ok();
    let text = text.as_deref().unwrap_or(raw.get());
    if text.trim().is_empty() {
        return Ok(Raw::new());
    }
    serde_json::from_str(text)
        .or_else(|error| fail(name, format!("write an object of names and ratios: {error}")))
}

fn table(name: &str, raw: &RawValue) -> Result<Table, NewApiError> {
    let entry = |(model, value): (String, Box<RawValue>)| match Decimal::parse(value.get()) {
        Some(ratio) if !ratio.is_negative() => Ok((model, ratio)),
        _ => fail(format!("{name}.{model}"), "write a number that is not negative, of at most 30 digits"),
    };
    object(name, raw)?.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMicros = UnixMicros(7);

    fn sample() -> String {
        r#"{"ModelRatio": {"gpt-4o": 1.25, "my-model": 0.07500000000000001, "tiny": 1e-7},
            "CompletionRatio": "{\"gpt-4o\": 4, \"my-model\": 2.5}",
            "CacheRatio": {"gpt-4o": 0.5}, "CreateCacheRatio": {}, "AudioRatio": {"gpt-4o": 16},
            "ModelPrice": {"dall-e-3": 0.04},
            "GroupRatio": {"default": 1, "vip": 0.8}, "GroupGroupRatio": {"vip": {"default": 0.9}},
            "TopupGroupRatio": {"default": 1}}"#
            .to_owned()
    }

    #[test]
    fn what_is_imported_is_exported_digit_by_digit() {
        let tables = Tables::parse(&sample()).unwrap();
        let (back, others) = Tables::from_rules(&tables.rules(NOW), NOW);
        assert_eq!((&back, others.len()), (&tables, 0));
        assert_eq!(Tables::parse(&back.to_json()).unwrap(), tables);
        let text = back.to_json();
        for part in ["\"my-model\": 0.07500000000000001", "\"tiny\": 0.0000001", "\"dall-e-3\": 0.04"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn every_wrapping_of_new_api_is_read() {
        let plain = Tables::parse(r#"{"ModelRatio": {"m": 1.5}, "GroupRatio": {"vip": 0.8}}"#).unwrap();
        for text in [
            r#"{"success": true, "data": {"model_ratio": {"m": 1.5}, "group_ratio": {"vip": 0.8}}}"#,
            r#"{"success": true, "data": [{"key": "ModelRatio", "value": "{\"m\":1.5}"},
                {"key": "GroupRatio", "value": "{\"vip\":0.8}"}, {"key": "Theme", "value": "dark"}]}"#,
        ] {
            assert_eq!(Tables::parse(text).unwrap(), plain, "{text}");
        }
    }

    #[test]
    fn a_rule_is_superseded_by_a_later_one() {
        let tables = Tables::parse(&sample()).unwrap();
        let mut rules = tables.rules(NOW);
        let list = PriceOverride {
            rates: json!({"input": "1"}),
            model: "gpt-4o".into(),
            version: 99,
            ..rules[0].clone()
        };
        rules.push(list);
        let (back, others) = Tables::from_rules(&rules, NOW);
        assert_eq!(others, ["gpt-4o"], "a list price is no ratio");
        assert!(!back.to_json().contains("gpt-4o"));
        assert_eq!(
            Tables::from_rules(&rules, UnixMicros(6)).0,
            Tables::default(),
            "nothing was in force yet"
        );
    }

    #[test]
    fn an_import_takes_the_place_of_the_groups_that_were_there() {
        let read = |text: &str| Tables::parse(text).unwrap();
        let old = read(
            r#"{"ModelRatio": {"m": 1}, "GroupRatio": {"a": 1, "b": 2}, "GroupGroupRatio": {"a": {"b": 3}}}"#,
        );
        let new = read(
            r#"{"ModelRatio": {"m": 2}, "GroupRatio": {"b": 4, "c": 5}, "GroupGroupRatio": {"c": {"b": 6}}}"#,
        );
        let number = |rules: Vec<PriceOverride>, first: u64| {
            (first..).zip(rules).map(|(version, rule)| PriceOverride { version, ..rule }).collect::<Vec<_>>()
        };
        let mut held = number(old.rules(NOW), 1);
        held.extend(number(new.rules_after(&held, NOW), 10));
        assert_eq!(Tables::from_rules(&held, NOW), (new.clone(), Vec::new()));
        let models = read(r#"{"ModelRatio": {"m": 3}}"#);
        held.extend(number(models.rules_after(&held, NOW), 20));
        let (now, _) = Tables::from_rules(&held, NOW);
        assert_eq!(now, Tables { ratios: models.ratios, ..new }, "a table that is not given changes nothing");
        crate::PriceBook::new().set_overrides(held).unwrap();
    }

    #[test]
    fn what_has_no_effect_is_named() {
        let text = r#"{"ModelRatio": {"a": 1}, "CompletionRatio": {"b": 2}, "ModelPrice": {"a": 0.1}}"#;
        let tables = Tables::parse(text).unwrap();
        assert_eq!(tables.without_effect(), ["ModelRatio.a", "CompletionRatio.b"]);
    }

    #[test]
    fn faults_are_named() {
        for (text, field) in [
            ("[]", ""),
            ("{}", ""),
            ("no json", ""),
            (r#"{"ModelRatio": {"m": -1}}"#, "ModelRatio.m"),
            (r#"{"ModelRatio": {"m": "x"}}"#, "ModelRatio.m"),
            (r#"{"ModelRatio": [1]}"#, "ModelRatio"),
            (r#"{"GroupGroupRatio": {"vip": {"a": null}}}"#, "GroupGroupRatio.vip.a"),
        ] {
            let error = Tables::parse(text).unwrap_err();
            assert_eq!(error.field, field, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_tables_come_back(
            ratios in proptest::collection::btree_map("[a-z0-9./-]{1,12}", (0u64..u64::MAX, 0u32..12), 1..20),
            group in proptest::collection::btree_map("[a-z]{1,5}", (0u64..10_000, 0u32..4), 0..5),
        ) {
            let table = |map: &BTreeMap<String, (u64, u32)>| -> Table {
                map.iter().map(|(name, (n, scale))| (name.clone(), Decimal::new(i128::from(*n), *scale))).collect()
            };
            let mut tables = Tables { group_ratio: table(&group), ..Tables::default() };
            tables.ratios[0] = table(&ratios);
            tables.ratios[1] = table(&ratios);
            let (back, others) = Tables::from_rules(&tables.rules(NOW), NOW);
            prop_assert!(others.is_empty());
            prop_assert_eq!(Tables::parse(&back.to_json()).unwrap(), tables);
        }
    }
}
