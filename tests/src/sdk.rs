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

impl Script {
    fn command(self) -> Result<Command, String> {
        let sdk = sdk_dir();
        let scripts = crate::root().join("tests/sdk");
        let python = |file: &str| {
            let interpreter = sdk.join("venv/bin/python");
            let mut command = Command::new(&interpreter);
            command.arg(scripts.join("python").join(file)).env("PYTHONDONTWRITEBYTECODE", "1");
            if interpreter.exists() { Ok(command) } else { Err(format!("no {}", interpreter.display())) }
        };
        let node = |file: &str| {
            let folder = sdk.join("node");
            if !folder.join("node_modules").exists() {
                return Err(format!("no node_modules in {}", folder.display()));
            }
            // Modules are resolved from where a script lies, so it runs from beside them.
            for name in [file, "common.mjs"] {
                copy_atomically(&scripts.join("node").join(name), &folder.join(name));
            }
            let mut command = Command::new("node");
            command.arg(folder.join(file));
            Ok(command)
        };
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
        let last = out.lines().last().unwrap_or_default();
        Some(
            serde_json::from_str(last)
                .unwrap_or_else(|error| panic!("{self:?} printed no report: {error}\n{out}")),
        )
    }
}

/// Two tests may copy the same script at once, while a third runs it: each must see a whole file.
fn copy_atomically(from: &std::path::Path, to: &std::path::Path) {
    let folder = to.parent().expect("a file has a folder");
    let whole = tempfile::NamedTempFile::new_in(folder).expect("the SDK folder is writable");
    std::fs::copy(from, whole.path()).expect("the script is in the checkout");
    whole.persist(to).expect("the SDK folder is writable");
}
