//! The rules of the house: who may depend on whom, what core may show, how light it is.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many crates `cargo add burncloud-core` may pull in, itself not counted. Raise it only with a reason.
const CORE_CRATES: usize = 80;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Our crates, and which of ours each depends on outside of its tests.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let depends = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|d| d["kind"].is_null()).map(name).filter(|d| ours.contains(d)).collect()
    };
    packages.iter().map(|package| (name(package), depends(package))).collect()
}

#[test]
fn dependencies_run_one_way() {
    let allowed: [(&str, &[&str]); 5] = [
        ("burncloud-core", &[]),
        ("burncloud-adapters", &["burncloud-core"]),
        ("burncloud-billing", &["burncloud-core"]),
        ("burncloud-store", &["burncloud-core", "burncloud-billing"]),
        ("burncloud-liveview", &["burncloud-core", "burncloud-adapters", "burncloud-billing"]),
    ];
    let edges = edges();
    for (name, may) in allowed {
        for dependency in &edges[name] {
            assert!(may.contains(&dependency.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

#[test]
fn layers_never_import_one_another() {
    let layers = root().join("burncloud-core/src/layers");
    let mut seen = 0;
    for (path, text) in sources(&layers) {
        let own = path.strip_prefix(&layers).unwrap().components().next().unwrap();
        let own = Path::new(own.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
        for line in text.lines().filter(|line| line.trim_start().starts_with("use crate::layers::")) {
            let rest = line.trim_start().trim_start_matches("use crate::layers::");
            // What all layers share stands at the top of their folder: `Reply` and `Stack`.
            let module: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            assert!(module.is_empty() || module == own, "{}: {line}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 10, "the layers were found");
}

#[test]
fn core_knows_no_database_and_no_provider() {
    let manifest = std::fs::read_to_string(root().join("burncloud-core/Cargo.toml")).unwrap();
    for banned in ["sea-orm", "sqlx", "moka", "rhai", "reqwest", "genai-prices", "axum", "dioxus"] {
        let named = manifest.lines().any(|l| l.starts_with(banned) || l.contains(&format!("\"{banned}\"")));
        assert!(!named, "burncloud-core must not depend on {banned}");
    }
}

#[test]
fn cargo_add_burncloud_core_stays_light() {
    let tree = cargo(&["tree", "-p", "burncloud-core", "-e", "normal,build", "--prefix", "none", "--locked"]);
    let name = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let crates: BTreeSet<String> = tree.lines().map(name).filter(|l| !l.is_empty()).collect();
    let count = crates.len() - 1;
    println!("burncloud-core with default features pulls in {count} crates");
    assert!(count <= CORE_CRATES, "{count} crates: {crates:#?}");
}

/// Files under 450 lines before their tests: a longer one wants to be divided.
#[test]
fn files_stay_readable() {
    for name in ["core", "adapters", "billing", "store", "liveview"] {
        for (path, text) in sources(&root().join(format!("burncloud-{name}/src"))) {
            if path.components().any(|c| c.as_os_str().to_string_lossy().starts_with("tests")) {
                continue;
            }
            let lines = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().lines().count();
            assert!(lines <= 450, "{} has {lines} lines before its tests", path.display());
        }
    }
}
