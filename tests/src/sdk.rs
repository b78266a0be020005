//! Runs the official SDKs' scripts under `tests/sdk/`.
//!
//! `scripts/test.sh` installs the SDKs under `<target>/sdk`; where they are not, a test says that it skips.

use serde_json::Value;
use std::path::PathBuf;
use tokio::process::Command;

/// A script and what runs it.
#[derive(Clone, Copy, Debug)]
pub enum Script {
    /// `openai` for Python.
    PythonOpenAi,
    /// `anthropic` 2.x for Python.
    PythonAnthropic,
    /// `anthropic` 0.x for Python, which sends `x-api-key`.
    PythonAnthropicLegacy,
    /// `google-genai` for Python.
    PythonGoogle,
    /// `boto3`, and `anthropic`'s client for Bedrock.
    PythonBedrock,
    /// `openai`, `anthropic` and `google-genai` for Python, as clients of Azure and Vertex.
    PythonClouds,
    /// `openai` for Python, as a caller who verifies its receipts.
    PythonReceipts,
    /// A client that is generated from the management API's document.
    PythonManagement,
    /// `openai` for Python, with a key that was made in the console.
    PythonConsole,
    /// Any Python SDK, as a reader of answers that a test has translated.
    PythonParseTranslated,
    /// `openai` for Node.
    NodeOpenAi,
    /// `@anthropic-ai/sdk` for Node.
    NodeAnthropic,
}

/// The build's output folder: `CARGO_TARGET_DIR`, or where the running test lies.
///
/// # Panics
///
/// When the running test lies in no target folder.
#[must_use]
pub fn target_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("CARGO_TARGET_DIR") {
        return crate::root().join(dir);
    }
    let exe = std::env::current_exe().expect("a running test has a path");
    // <target>/<profile>/deps/e2e-…
    exe.ancestors().nth(3).expect("tests lie in <target>/<profile>/deps").to_owned()
}

fn sdk_dir() -> PathBuf {
    std::env::var_os("BURNCLOUD_SDK_DIR").map_or_else(|| target_dir().join("sdk"), PathBuf::from)
}

fn python(file: &str) -> Result<Command, String> {
    let interpreter = sdk_dir().join("venv/bin/python");
    let mut command = Command::new(&interpreter);
    command.arg(crate::root().join("tests/sdk/python").join(file)).env("PYTHONDONTWRITEBYTECODE", "1");
    if interpreter.exists() { Ok(command) } else { Err(format!("no {}", interpreter.display())) }
}

fn node_beside(file: &str, shared: &str) -> Result<Command, String> {
    let folder = sdk_dir().join("node");
    if !folder.join("node_modules").exists() {
        return Err(format!("no node_modules in {}", folder.display()));
    }
    // Modules are resolved from where a script lies, so it runs from beside them.
    for name in [file, shared] {
        copy_atomically(&crate::root().join("tests/sdk/node").join(name), &folder.join(name));
    }
    let mut command = Command::new("node");
    command.arg(folder.join(file));
    Ok(command)
}

/// Whether the SDKs of the translation matrix are installed.
///
/// # Errors
///
/// What is missing.
pub fn matrix_ready() -> Result<(), String> {
    python("matrix_common.py")?;
    let ai = sdk_dir().join("node/node_modules/ai");
    if ai.exists() { Ok(()) } else { Err(format!("no {}; scripts/sdk.sh installs it", ai.display())) }
}

/// The text of axe-core, which looks for what keeps people from using a page.
///
/// # Errors
///
/// What is missing.
pub fn axe() -> Result<String, String> {
    let file = sdk_dir().join("node/node_modules/axe-core/axe.min.js");
    let text = std::fs::read_to_string(&file);
    text.map_err(|error| format!("{}: {error}; scripts/sdk.sh installs it", file.display()))
}

/// Runs a caller of the translation matrix, `tests/sdk/python/matrix_*.py` or `tests/sdk/node/matrix_*.mjs`: the
/// lines that it printed.
///
/// # Errors
///
/// What is missing, or what the script said when it failed.
pub async fn matrix_caller(file: &str, orders: &Value) -> Result<Vec<Value>, String> {
    let script = if file.ends_with(".mjs") { node_beside(file, "matrix_common.mjs") } else { python(file) };
    let mut command = script.map_err(|why| format!("{why}; scripts/sdk.sh installs it"))?;
    command.env("SDK_TEST", orders.to_string()).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
    let ended = tokio::time::timeout(4 * crate::PATIENCE, command.output()).await;
    let output = ended.map_err(|_| format!("{file} does not end"))?.map_err(|error| error.to_string())?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{file} failed: {err}"));
    }
    let line =
        |line: &str| serde_json::from_str(line).map_err(|_| format!("{file} printed no result: {line}"));
    out.lines().map(line).collect()
}

impl Script {
    fn command(self) -> Result<Command, String> {
        let sdk = sdk_dir();
        let node = |file: &str| node_beside(file, "common.mjs");
        match self {
            Self::PythonOpenAi => python("openai_sdk.py"),
            Self::PythonAnthropic => python("anthropic_sdk.py"),
            Self::PythonAnthropicLegacy => {
                let legacy = sdk.join("anthropic-legacy");
                if !legacy.exists() {
                    return Err(format!("no {}", legacy.display()));
                }
                let mut command = python("anthropic_sdk.py")?;
                command.env("PYTHONPATH", legacy);
                Ok(command)
            }
            Self::PythonGoogle => python("google_sdk.py"),
            Self::PythonBedrock => python("bedrock_sdk.py"),
            Self::PythonClouds => python("clouds_sdk.py"),
            Self::PythonReceipts => python("receipts_sdk.py"),
            Self::PythonManagement => {
                let management = sdk.join("management");
                if !management.exists() {
                    return Err(format!("no {}", management.display()));
                }
                let mut command = python("management_sdk.py")?;
                command.env("PYTHONPATH", management);
                Ok(command)
            }
            Self::PythonConsole => python("console_sdk.py"),
            Self::PythonParseTranslated => python("parse_translated.py"),
            Self::NodeOpenAi => node("openai.mjs"),
            Self::NodeAnthropic => node("anthropic.mjs"),
        }
    }

    /// Runs the script with `orders` and returns its report; `None`, said aloud, when the SDK is not installed.
    ///
    /// # Panics
    ///
    /// When the script fails, with what it printed.
    pub async fn run(self, orders: &Value) -> Option<Value> {
        self.lines(orders).await.and_then(|lines| lines.into_iter().next_back())
    }

    /// The same for a script that reports line by line.
    ///
    /// # Panics
    ///
    /// When the script fails, with what it printed.
    pub async fn lines(self, orders: &Value) -> Option<Vec<Value>> {
        let mut command = match self.command() {
            Ok(command) => command,
            Err(why) => {
                crate::skip(&format!("{self:?}"), &format!("{why}; scripts/test.sh installs it"));
                return None;
            }
        };
        command.env("SDK_TEST", orders.to_string()).env("NO_PROXY", "127.0.0.1").kill_on_drop(true);
        let output =
            command.output().await.unwrap_or_else(|error| panic!("{self:?} does not start: {error}"));
        let out = String::from_utf8_lossy(&output.stdout);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{self:?} failed\n{out}\n{err}");
        let report = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{self:?} printed no report: {error}\n{line}"))
        };
        let lines: Vec<Value> = out.lines().filter(|line| line.starts_with('{')).map(report).collect();
        assert!(!lines.is_empty(), "{self:?} printed no report\n{out}");
        Some(lines)
    }
}

/// Two tests may copy the same script at once, while a third runs it: each must see a whole file.
fn copy_atomically(from: &std::path::Path, to: &std::path::Path) {
    let folder = to.parent().expect("a file has a folder");
    let whole = tempfile::NamedTempFile::new_in(folder).expect("the SDK folder is writable");
    std::fs::copy(from, whole.path()).expect("the script is in the checkout");
    whole.persist(to).expect("the SDK folder is writable");
}
