//! The files that a page loads, under names that change with what is in them.

use crate::live::script;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

#[derive(rust_embed::Embed)]
#[folder = "assets/"]
struct Files;

/// One of the files.
struct Asset {
    mime: &'static str,
    tag: String,
    plain: Vec<u8>,
    /// As gzip, where that is smaller.
    packed: Option<Vec<u8>>,
}

/// All of them.
struct Assets {
    by_name: HashMap<String, Asset>,
    /// From the plain name to the one with the hash.
    named: HashMap<String, String>,
    /// Changes when any of them does.
    build: String,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::gather);

impl Assets {
    fn gather() -> Assets {
        let mut files: Vec<(String, Vec<u8>)> = Files::iter()
            .filter(|path| !path.ends_with(".txt"))
            .filter_map(|path| Some((path.to_string(), Files::get(&path)?.data.into_owned())))
            .collect();
        files.push(("console-live.js".to_owned(), script().as_bytes().to_vec()));
        // Style sheets last: they name the fonts, whose names are known by then.
        files.sort_by_key(|(path, _)| (path.ends_with(".css"), path.clone()));
        let mut assets = Assets { by_name: HashMap::new(), named: HashMap::new(), build: String::new() };
        let mut all = Sha256::new();
        for (path, mut data) in files {
            if path.ends_with(".css") {
                data = assets.with_names(&data);
            }
            let hash = hex(&Sha256::digest(&data), 8);
            all.update(&hash);
            let file = path.rsplit('/').next().unwrap_or(&path);
            let (stem, end) = file.rsplit_once('.').unwrap_or((file, "bin"));
            let name = format!("{stem}.{hash}.{end}");
            let asset = Asset {
                mime: mime(end),
                tag: format!("\"{hash}\""),
                packed: packed(end, &data),
                plain: data,
            };
            assets.by_name.insert(name.clone(), asset);
            assets.named.insert(path, name);
        }
        all.update(env!("CARGO_PKG_VERSION"));
        assets.build = hex(&all.finalize(), 8);
        assets
    }

    /// A style sheet with the names of the other files as they are served.
    fn with_names(&self, css: &[u8]) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(css).into_owned();
        for (path, name) in &self.named {
            text = text.replace(path.as_str(), name);
        }
        text.into_bytes()
    }
}

fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

fn mime(end: &str) -> &'static str {
    match end {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

fn packed(end: &str, data: &[u8]) -> Option<Vec<u8>> {
    if !matches!(end, "css" | "js" | "svg") {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < data.len())
}

/// The name under which the file at that path of `assets/` is served; its own where there is none.
pub(super) fn served(path: &str) -> &str {
    ASSETS.named.get(path).map_or(path, String::as_str)
}

/// Changes when any of the files does, or the version.
pub(super) fn build() -> &'static str {
    &ASSETS.build
}

/// `GET assets/{name}`.
pub(super) async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.by_name.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let said = |name| {
        headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok()).unwrap_or_default()
    };
    let forever = [
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (ETAG, &asset.tag),
        (VARY, "accept-encoding"),
    ];
    if said(IF_NONE_MATCH).split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.tag) {
        return (StatusCode::NOT_MODIFIED, forever).into_response();
    }
    let gzip = said(ACCEPT_ENCODING).split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && parts.next() != Some("q=0")
    });
    match &asset.packed {
        Some(packed) if gzip => {
            let coded = [(CONTENT_TYPE, asset.mime), (CONTENT_ENCODING, "gzip")];
            (forever, coded, packed.as_slice()).into_response()
        }
        _ => (forever, [(CONTENT_TYPE, asset.mime)], asset.plain.as_slice()).into_response(),
    }
}
