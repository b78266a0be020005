//! The document as a page: rendered here, in the console's look, with neither script nor anything from elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

static STYLE: &str = include_str!("docs.css");

/// What the page may load: nothing but its own style.
pub(super) fn policy() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        *HASH
    )
}

/// The page.
pub(super) fn page(document: &Value) -> String {
    let mut out = String::with_capacity(256 * 1024);
    let title = text(&document["info"]["title"]);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><a class=\"skip\" href=\"#main\">Skip to the content</a>"
    );
    contents(&mut out, document);
    let _ = write!(
        out,
        "<main id=\"main\"><h1>{title}</h1><p class=\"lead\">{}</p><p>Version {}. The document itself: \
         <a href=\"openapi.json\">openapi.json</a>.</p>",
        prose(&document["info"]["description"]),
        text(&document["info"]["version"]),
    );
    for tag in array(&document["tags"]) {
        let name = tag["name"].as_str().unwrap_or_default();
        let _ = write!(
            out,
            "<section aria-labelledby=\"{0}\"><h2 id=\"{0}\">{1}</h2><p>{2}</p>",
            anchor(name),
            text(&tag["name"]),
            prose(&tag["description"])
        );
        for (path, method, operation) in operations(document, name) {
            render(&mut out, path, method, operation);
        }
        out.push_str("</section>");
    }
    schemas(&mut out, document);
    out.push_str("</main></body></html>");
    out
}

fn contents(out: &mut String, document: &Value) {
    out.push_str("<nav aria-label=\"Contents\"><p class=\"brand\">BurnCloud</p><ul>");
    for tag in array(&document["tags"]) {
        let name = tag["name"].as_str().unwrap_or_default();
        let _ = write!(out, "<li><a href=\"#{}\">{}</a><ul>", anchor(name), text(&tag["name"]));
        for (_, _, operation) in operations(document, name) {
            let (id, summary) = (text(&operation["operationId"]), text(&operation["summary"]));
            let _ = write!(out, "<li><a href=\"#{id}\">{summary}</a></li>");
        }
        out.push_str("</ul></li>");
    }
    out.push_str("<li><a href=\"#schemas\">Shapes</a></li></ul></nav>");
}

/// The operations of a tag, in the order of their paths.
fn operations<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (&'a String, &'a String, &'a Value)> + 'a {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == tag)
}

fn render(out: &mut String, path: &str, method: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    let _ = write!(
        out,
        "<article aria-labelledby=\"{id}\"><h3 id=\"{id}\"><a href=\"#{id}\">{}</a></h3>\
         <p class=\"route\"><span class=\"method {method}\">{}</span> <code>{}</code></p>",
        text(&operation["summary"]),
        method.to_uppercase(),
        escape(path),
    );
    if operation["description"].is_string() {
        let _ = write!(out, "<p>{}</p>", prose(&operation["description"]));
    }
    parameters(out, operation);
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        out.push_str("<h4>Body</h4>");
        media(out, content);
    }
    out.push_str("<h4>Answers</h4><dl>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let _ = write!(out, "<dt><code>{}</code></dt><dd>", escape(status));
        match response["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            Some(name) => out.push_str(&escape(name)),
            None => out.push_str(&prose(&response["description"])),
        }
        if let Some(content) = response["content"].as_object() {
            media(out, content);
        }
        out.push_str("</dd>");
    }
    out.push_str("</dl></article>");
}

fn parameters(out: &mut String, operation: &Value) {
    let parameters = array(&operation["parameters"]);
    if parameters.is_empty() {
        return;
    }
    out.push_str(
        "<h4>Parameters</h4><table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">In</th>\
         <th scope=\"col\">Type</th><th scope=\"col\">What it is</th></tr></thead><tbody>",
    );
    for parameter in parameters {
        let _ = write!(
            out,
            "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(&parameter["name"]),
            if parameter["required"] == true { " <strong>required</strong>" } else { "" },
            text(&parameter["in"]),
            kind(&parameter["schema"]),
            prose(&parameter["description"]),
        );
    }
    out.push_str("</tbody></table>");
}

fn media(out: &mut String, content: &Map<String, Value>) {
    for (name, media) in content {
        let _ = write!(out, "<p><code>{}</code>: {}</p>", escape(name), kind(&media["schema"]));
    }
}

fn schemas(out: &mut String, document: &Value) {
    out.push_str("<section aria-labelledby=\"schemas\"><h2 id=\"schemas\">Shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let name = escape(name);
        let _ = write!(
            out,
            "<article aria-labelledby=\"shape-{name}\"><h3 id=\"shape-{name}\"><a href=\"#shape-{name}\">{name}</a></h3>\
             <p>{}</p>",
            prose(&schema["description"])
        );
        members(out, schema);
        let example = if schema["example"].is_null() { &schema["examples"][0] } else { &schema["example"] };
        if !example.is_null() {
            let example = serde_json::to_string_pretty(example).unwrap_or_default();
            let _ = write!(out, "<h4>Example</h4><pre tabindex=\"0\">{}</pre>", escape(&example));
        }
        out.push_str("</article>");
    }
    out.push_str("</section>");
}

fn members(out: &mut String, schema: &Value) {
    if let Some(properties) = schema["properties"].as_object() {
        let required = array(&schema["required"]);
        out.push_str(
            "<table><thead><tr><th scope=\"col\">Member</th><th scope=\"col\">Type</th>\
             <th scope=\"col\">What it is</th></tr></thead><tbody>",
        );
        for (name, property) in properties {
            let must = required.iter().any(|must| must == name);
            let _ = write!(
                out,
                "<tr><td><code>{}</code>{}</td><td>{}</td><td>{}</td></tr>",
                escape(name),
                if must { "" } else { " <em>optional</em>" },
                kind(property),
                prose(&property["description"]),
            );
        }
        out.push_str("</tbody></table>");
        return;
    }
    for part in array(&schema["allOf"]) {
        members(out, part);
    }
    let _ = write!(out, "<p>{}</p>", kind(schema));
}

/// A type in a few words, with links to shapes.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for (word, between) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        let parts = array(&schema[word]);
        if !parts.is_empty() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(between);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{}</code>", text(value)));
        return values.collect::<Vec<_>>().join(", ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let one = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map to {}", kind(&schema["additionalProperties"]))
        }
        other => escape(other),
    };
    types.into_iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn anchor(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// A text of the document; never as markup.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => escape(text),
        Value::Null => String::new(),
        other => escape(&other.to_string()),
    }
}

/// A text in which what stands between backquotes is code.
fn prose(value: &Value) -> String {
    let Some(all) = value.as_str() else { return String::new() };
    let parts = all.split('`').enumerate().map(|(index, part)| match index % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    parts.collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_in_the_document_becomes_markup() {
        let evil = "<script>alert(1)</script>\"'`<b>`";
        let document = json!({
            "info": { "title": evil, "description": evil, "version": evil },
            "tags": [{ "name": evil, "description": evil }],
            "paths": { evil: { "get": {
                "tags": [evil], "operationId": evil, "summary": evil, "description": evil,
                "parameters": [{ "name": evil, "in": evil, "description": evil, "schema": { "type": evil } }],
                "responses": { evil: { "description": evil } },
            } } },
            "components": { "schemas": { evil: {
                "description": evil, "example": evil, "properties": { evil: { "enum": [evil] } },
            } } },
        });
        let page = page(&document);
        assert!(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;script"));
        assert!(!page.contains("\"'"), "an attribute could be left");
    }

    #[test]
    fn the_policy_allows_the_style_that_is_there() {
        let page = page(&json!({}));
        let start = page.find("<style>").unwrap() + 7;
        let style = &page[start..page.find("</style>").unwrap()];
        let hash = STANDARD.encode(Sha256::digest(style));
        assert!(policy().contains(&format!("'sha256-{hash}'")));
        assert!(!page.contains("style=") && !page.contains(" on"), "nothing inline");
    }
}
