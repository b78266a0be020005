//! The one script that drives a page: dioxus' interpreter of edits and our client, in one external file.

use std::sync::LazyLock;

/// The text of the script. Nothing of it needs `eval` or an inline handler.
pub(crate) fn script() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| {
        let interpreter = dioxus_interpreter_js::unified_bindings::SLEDGEHAMMER_JS;
        let native = dioxus_interpreter_js::NATIVE_JS;
        // Two modules that import from each other become one scope.
        let lines = interpreter.lines().chain(native.lines());
        let lines: Vec<_> = lines.filter(|line| !line.trim_start().starts_with("import")).collect();
        let modules = lines.join("\n").replace("export{", "{").replace("export ", "");
        format!("(() => {{\n{modules}\n{}\n}})();\n", include_str!("client.js"))
    });
    &SCRIPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_one_scope_with_what_it_needs() {
        let script = script();
        for needed in
            ["class RawInterpreter", "class NativeInterpreter", "run_from_bytes", "class Lv extends"]
        {
            assert!(script.contains(needed), "{needed}");
        }
        assert!(!script.lines().any(|line| line.trim_start().starts_with("import")));
        assert!(!script.contains("export "));
    }
}
