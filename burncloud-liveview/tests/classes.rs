//! Each class that a page uses is in the committed style sheet: whoever uses a new one builds it anew.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use std::collections::BTreeSet;
use std::path::Path;

/// Classes that scripts or tests look for and that no rule styles.
const HOOKS: &[&str] = &["group", "tab", "hop", "menu-pop-up"];

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.starts_with("tests") {
            found.push(path);
        }
    }
}

/// The classes that a style sheet has rules for, without the escapes.
fn styled(css: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut letters = css.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '.' {
            continue;
        }
        let mut class = String::new();
        while let Some(&next) = letters.peek() {
            match next {
                '\\' => {
                    letters.next();
                    class.extend(letters.next());
                }
                c if c.is_alphanumeric() || c == '-' || c == '_' || !c.is_ascii() => {
                    class.push(c);
                    letters.next();
                }
                _ => break,
            }
        }
        found.insert(class);
    }
    found
}

/// The string literals of an attribute `class: …` up to the end of its expression: of `class: if on { "a" } else { "b" }`
/// both.
fn literals(rest: &str) -> Vec<&str> {
    let (mut found, mut depth, mut from, mut quoted) = (Vec::new(), 0_i32, 0, false);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'"' if quoted => {
                found.push(&rest[from..at]);
                quoted = false;
            }
            b'"' => {
                quoted = true;
                from = at + 1;
            }
            _ if quoted => {}
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            b',' | b'\n' if depth == 0 => break,
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    found
}

/// The classes that a source names: in attributes `class: …`, and anywhere as icons.
fn used(source: &str) -> BTreeSet<String> {
    let product = source.split("\n#[cfg(test)]").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    let code: String =
        product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("class: ") {
        for literal in literals(&code[at + "class: ".len()..]) {
            let words = literal.split_whitespace().filter(|word| !word.contains(['{', '}']));
            found.extend(words.map(str::to_owned));
        }
    }
    for (at, _) in code.match_indices("\"icon-[") {
        found.extend(code[at + 1..].split(['"', ' ']).next().map(str::to_owned));
    }
    found
}

#[test]
fn each_class_is_in_the_style_sheet() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let css = std::fs::read_to_string(root.join("assets/console.css")).unwrap();
    let styled = styled(&css);
    assert!(styled.contains("btn") && styled.contains("max-md:hidden"), "the style sheet was read");
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut missing = Vec::new();
    for file in files {
        let used = used(&std::fs::read_to_string(&file).unwrap());
        let unknown =
            used.into_iter().filter(|class| !styled.contains(class) && !HOOKS.contains(&class.as_str()));
        missing.extend(unknown.map(|class| format!("{class} in {}", file.display())));
    }
    assert!(
        missing.is_empty(),
        "build the style sheet anew (css/README.md), or mend:\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_style_sheet_is_small_and_loads_nothing_from_elsewhere() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/console.css");
    let css = std::fs::read_to_string(path).unwrap();
    assert!(css.len() < 210_000, "{} bytes: name in css/app.css only what is used", css.len());
    let urls = css.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\'']));
    // Within a picture that is itself in the sheet, `%23` is the `#` of a part of it.
    let own = ["data:", "fonts/", "#", "%23"];
    let foreign: Vec<_> = urls.filter(|url| !own.iter().any(|own| url.starts_with(own))).collect();
    assert!(foreign.is_empty(), "{:?}", foreign.first());
}

#[test]
fn the_scanner_finds_what_it_should() {
    let source = "rsx! { a { class: \"one two-{x}\", b { class: if on { \"three\" } else { \"four md:five\" } , i: \"icon-[lucide--x]\" } } }\n\
                  // class: \"six\"\n#[cfg(test)]\nclass: \"seven\"";
    let found: Vec<_> = used(source).into_iter().collect();
    assert_eq!(found, ["four", "icon-[lucide--x]", "md:five", "one", "three"]);
    let css = ".a{}.md\\:b:hover{}.c\\[1\\.5px\\]{}";
    assert!(["a", "md:b", "c[1.5px]"].iter().all(|class| styled(css).contains(*class)));
}
