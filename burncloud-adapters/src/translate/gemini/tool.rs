//! Tools and whether they must be called.

use super::super::{CallKind, Fields, Format, FunctionTool, Notes, QUIET, Setting, Tool, ToolChoice};
use super::names::{keep_spelling, object, objects, take_spelling};
use super::schema::json_schema;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Where a schema in Google's own form is kept.
const PARAMETERS: &str = "parameters";
/// And a mode that the hub has no word for.
const MODE: &str = "mode";

/// `tools`.
pub(super) fn read(request: &mut Fields) -> Result<Vec<Tool>, Error> {
    let mut tools = Vec::new();
    for mut entry in objects(request, "tools")? {
        for declared in objects(&mut entry, "functionDeclarations")? {
            tools.push(Tool::Function(read_function(declared)?));
        }
        for (kind, value) in entry.rest() {
            let value = json!({ kind.as_str(): value });
            tools.push(Tool::BuiltIn { format: Format::Gemini, kind, value });
        }
    }
    Ok(tools)
}

fn read_function(mut declared: Fields) -> Result<FunctionTool, Error> {
    let name = declared.required("name")?;
    let description = declared.string("description")?;
    let mut schema = declared.object("parametersJsonSchema")?.map(Value::Object);
    let older = declared.object("parameters")?.map(Value::Object);
    let mut carry = declared.rest();
    if let Some(older) = older {
        keep_spelling(&mut carry, PARAMETERS, older.clone());
        schema = schema.or_else(|| Some(json_schema(older)));
    }
    Ok(FunctionTool { name, description, schema, carry, ..FunctionTool::default() })
}

/// `tools`. Functions go into one entry, where the first of them stands.
pub(super) fn write(tools: Vec<Tool>, notes: &mut Notes) -> Vec<Value> {
    let mut entries: Vec<Value> = Vec::new();
    let (mut functions, mut place) = (Vec::new(), None);
    for tool in tools {
        match tool {
            Tool::Function(function) => {
                place.get_or_insert(entries.len());
                functions.push(write_function(function, notes));
            }
            Tool::BuiltIn { format: Format::Gemini, value, .. } => entries.push(value),
            Tool::BuiltIn { .. } => notes.drop(Setting::BuiltInTool),
        }
    }
    if let Some(place) = place {
        entries.insert(place, json!({ "functionDeclarations": functions }));
    }
    entries
}

fn write_function(function: FunctionTool, notes: &mut Notes) -> Value {
    let FunctionTool { name, description, mut schema, strict, kind, cache, mut carry } = function;
    if strict == Some(true) {
        notes.drop(Setting::ToolStrict);
    }
    if cache.is_some() {
        notes.drop(Setting::CacheMark);
    }
    if kind == CallKind::Custom {
        notes.drop_named("tools.custom");
        schema = Some(json!({
            "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"],
        }));
    }
    let mut declared = Map::new();
    declared.insert("name".to_owned(), name.into());
    if let Some(description) = description {
        declared.insert("description".to_owned(), description.into());
    }
    match (take_spelling(&mut carry, PARAMETERS), schema) {
        (Some(older), _) => {
            declared.insert("parameters".to_owned(), older);
        }
        (None, Some(schema)) => {
            declared.insert("parametersJsonSchema".to_owned(), schema);
        }
        (None, None) => {}
    }
    carry.shift_remove(QUIET);
    declared.extend(carry);
    Value::Object(declared)
}

/// `toolConfig`; what the hub has no place for goes to `carry`.
pub(super) fn read_choice(
    request: &mut Fields,
    carry: &mut Map<String, Value>,
) -> Result<Option<ToolChoice>, Error> {
    let Some(mut config) = object(request, "toolConfig")? else { return Ok(None) };
    let mut choice = None;
    if let Some(mut calling) = object(&mut config, "functionCallingConfig")? {
        let mode = calling.string("mode")?.unwrap_or_default();
        let names = calling.strings("allowedFunctionNames")?;
        choice = match mode.to_ascii_uppercase().as_str() {
            "ANY" => Some(match <[String; 1]>::try_from(names) {
                Ok([name]) => ToolChoice::Named(name),
                Err(names) if names.is_empty() => ToolChoice::Required,
                Err(names) => ToolChoice::Allowed { names, required: true },
            }),
            "NONE" => Some(ToolChoice::None),
            "AUTO" => Some(ToolChoice::Auto),
            "VALIDATED" if names.is_empty() => {
                keep_spelling(carry, MODE, "VALIDATED".into());
                Some(ToolChoice::Auto)
            }
            "VALIDATED" => Some(ToolChoice::Allowed { names, required: false }),
            "" | "MODE_UNSPECIFIED" => None,
            _ => return Err(calling.fault("mode", "`mode` must be AUTO, ANY, NONE or VALIDATED")),
        };
        let rest = calling.rest().into_iter();
        carry.extend(rest.map(|(name, value)| (format!("toolConfig.functionCallingConfig.{name}"), value)));
    }
    carry.extend(config.rest().into_iter().map(|(name, value)| (format!("toolConfig.{name}"), value)));
    Ok(choice)
}

/// `functionCallingConfig`.
pub(super) fn write_choice(choice: ToolChoice, carry: &mut Map<String, Value>) -> Value {
    match choice {
        ToolChoice::Auto => match take_spelling(carry, MODE) {
            Some(mode) => json!({ "mode": mode }),
            None => json!({ "mode": "AUTO" }),
        },
        ToolChoice::Required => json!({ "mode": "ANY" }),
        ToolChoice::None => json!({ "mode": "NONE" }),
        ToolChoice::Named(name) => json!({ "mode": "ANY", "allowedFunctionNames": [name] }),
        ToolChoice::Allowed { names, required } => {
            let mode = if required { "ANY" } else { "VALIDATED" };
            json!({ "mode": mode, "allowedFunctionNames": names })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(config: Value) -> (Option<ToolChoice>, Value) {
        let body = json!({ "tool_config": { "function_calling_config": config } });
        let mut fields = Fields::of_request(super::super::names::camel(body.as_object().unwrap().clone()));
        let mut carry = Map::new();
        let choice = read_choice(&mut fields, &mut carry).unwrap();
        let written = choice.clone().map_or(Value::Null, |choice| write_choice(choice, &mut carry));
        (choice, written)
    }

    #[test]
    fn every_mode_comes_back() {
        for (config, wanted) in [
            (json!({"mode": "AUTO"}), ToolChoice::Auto),
            (json!({"mode": "ANY"}), ToolChoice::Required),
            (json!({"mode": "NONE"}), ToolChoice::None),
            (json!({"mode": "VALIDATED"}), ToolChoice::Auto),
            (json!({"mode": "ANY", "allowedFunctionNames": ["a"]}), ToolChoice::Named("a".into())),
            (
                json!({"mode": "VALIDATED", "allowedFunctionNames": ["a", "b"]}),
                ToolChoice::Allowed { names: vec!["a".into(), "b".into()], required: false },
            ),
        ] {
            assert_eq!(choice(config.clone()), (Some(wanted), config));
        }
    }

    #[test]
    fn functions_are_written_with_json_schema() {
        let schema = json!({"type": "object"});
        let function = |carry| {
            Tool::Function(FunctionTool {
                name: "f".into(),
                schema: Some(schema.clone()),
                carry,
                ..FunctionTool::default()
            })
        };
        let mut older = Map::new();
        keep_spelling(&mut older, PARAMETERS, json!({"type": "OBJECT"}));
        let mut notes = Notes::new(Format::Chat);
        assert_eq!(
            write(vec![function(Map::new()), function(older)], &mut notes),
            [json!({"functionDeclarations": [
                {"name": "f", "parametersJsonSchema": {"type": "object"}},
                {"name": "f", "parameters": {"type": "OBJECT"}},
            ]})]
        );
    }

    #[test]
    fn a_schema_is_an_object() {
        for field in ["parameters", "parametersJsonSchema"] {
            let tool = json!([{ "functionDeclarations": [{ "name": "f", field: "text" }] }]);
            let body = json!({ "tools": tool });
            let fields = body.as_object().unwrap()["tools"][0]["functionDeclarations"][0].clone();
            let read = read_function(Fields::of_request(fields.as_object().unwrap().clone()));
            assert!(read.unwrap_err().message().contains(field), "{field}");
        }
    }
}
