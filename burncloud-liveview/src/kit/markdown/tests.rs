use super::*;
use proptest::prelude::*;

#[test]
fn no_formula_overflows_the_stack_of_a_page() {
    let long = 4 << 10;
    let bombs = [
        format!("\\def\\a{{{}}}\\def\\b{{{}}}\\b", "\\relax ".repeat(250), "\\a ".repeat(40)),
        "\\let\\a\\relax".to_owned(),
        "\\relax ".repeat(580),
        "{".repeat(long),
        "\\sqrt".repeat(800),
        "\\left(".repeat(680),
        "x^{".repeat(1_300),
        "\\frac{".repeat(680),
        format!("{}x{}", "\\begin{matrix}".repeat(150), "\\end{matrix}".repeat(120)),
    ];
    // As much stack as a page's thread has.
    let drawn = move || bombs.iter().map(|bomb| html(&format!("$${bomb}$$")).len()).collect::<Vec<_>>();
    let drawn = std::thread::Builder::new().stack_size(2 << 20).spawn(drawn).unwrap().join().unwrap();
    assert!(drawn.iter().all(|length| *length > 0), "{drawn:?}");
}

#[test]
fn what_is_written_is_drawn() {
    let text = "# Title\n\nA **bold** `word` and [a link](https://example.com/?a=1&b=2).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done\n";
    let html = html(text);
    for part in [
        "<h1>Title</h1>",
        "<strong>bold</strong>",
        "<code>word</code>",
        "<a href=\"https://example.com/?a=1&amp;b=2\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">a link</a>",
        "<table>",
        "type=\"checkbox\"",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
}

#[test]
fn raw_html_is_text_and_bad_links_lead_nowhere() {
    let html = html(
        "<script>alert(1)</script>\n\nx <img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](JaVa\tScript:alert(1)) \
         [c](data:text/html,x) [d](/console/ws) ![e](javascript:alert(1)) ![f](https://evil.example/p.png)",
    );
    assert!(html.contains("&lt;script&gt;") && html.contains("&lt;img src=x onerror=alert(1)&gt;"), "{html}");
    assert!(!html.contains("javascript:") || !html.contains("href=\"javascript"), "{html}");
    assert!(!html.contains("<img"), "{html}");
    assert!(html.contains("<a href=\"https://evil.example/p.png\""), "{html}");
    assert_eq!(html.matches("href=").count(), 1, "{html}");
}

#[test]
fn a_picture_in_the_text_is_shown() {
    let html = html("![dot](data:image/png;base64,iVBORw0KGgo=) ![x](data:image/svg+xml;base64,AAAA)");
    assert_eq!(
        html.matches("<img alt=\"\" src=\"data:image/png;base64,iVBORw0KGgo=\">").count(),
        1,
        "{html}"
    );
    assert!(!html.contains("svg"), "{html}");
}

#[test]
fn code_is_coloured_by_classes_and_never_by_styles() {
    let html = html("```rust\nfn main() { println!(\"<b>\"); }\n```\n\n```nosuch\n<i>\n```\n");
    assert!(html.contains("<span class=\"hl-"), "{html}");
    assert!(html.contains("&lt;i&gt;") && !html.contains("<b>") && !html.contains("style="), "{html}");
}

#[test]
fn formulas_are_mathml_in_all_four_spellings() {
    for text in ["so $a^2$ is", "so $$a^2$$ is", "so \\(a^2\\) is", "so \\[ a^2 \\] is"] {
        let html = html(text);
        assert!(html.contains("<math") && html.contains("<msup"), "{text}: {html}");
    }
    let code = html("`\\(a\\)`\n\n```\n\\[b\\]\n```\n");
    assert!(code.contains("\\(a\\)") && code.contains("\\[b\\]") && !code.contains("<math"), "{code}");
    let wrong = html("$\\nosuch<script>alert(1)</script>$");
    assert!(wrong.contains("<code>") && !wrong.contains("<script"), "{wrong}");
}

#[test]
fn blocks_together_are_the_text_and_only_the_last_one_grows() {
    let text = "# A\n\nOne *two*.\n\n- a\n- b\n\n```\ncode\n\nmore\n```\n\nend";
    let whole = blocks(text);
    assert_eq!(whole.concat(), text);
    assert!(whole.len() >= 5, "{whole:?}");
    let more = blocks(&format!("{text} of it"));
    assert_eq!(whole[..whole.len() - 1], more[..whole.len() - 1]);
}

/// The tags of some HTML with their attributes, as a browser would see them.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect()
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let html = html(text);
    for tag in tags(&html) {
        let low = tag.to_ascii_lowercase();
        let name: String =
            low.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let banned = [
            "script", "style", "iframe", "object", "embed", "svg", "link", "meta", "base", "form", "template",
        ];
        prop_assert!(!banned.contains(&name.as_str()), "{text:?}: {html}");
        // What stands in quotes is a value, not a name.
        let names: String = low.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        prop_assert!(
            !names.split_ascii_whitespace().skip(1).any(|part| part.starts_with("on")),
            "{text:?}: {html}"
        );
        for url in ["href=\"", "src=\""] {
            if let Some((_, value)) = low.split_once(url) {
                let good = ["https:", "http:", "mailto:", "data:image/"].iter().any(|s| value.starts_with(s));
                prop_assert!(good, "{text:?}: {html}");
            }
        }
    }
    prop_assert!(!html.to_ascii_lowercase().contains("<script"), "{text:?}: {html}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_does_harm(text in "\\PC{0,80}") {
        check(&text)?;
    }

    #[test]
    fn no_arrangement_of_dangerous_parts_does_harm(parts in prop::collection::vec(prop::sample::select(vec![
        "<script>", "</script>", "<img src=x onerror=alert(1)>", "<svg/onload=1>", "[", "](", ")", "![", "javascript:a",
        "data:text/html,", "data:image/png;base64,\" onerror=1 x=\"", "https://a/\"onclick=1", "$", "$$", "\\(", "\\)",
        "\\[", "\\]", "\\text{", "}", "\\href{javascript:a}{", "\\color{red", "\\frac", "<", ">", "\"", "'", "`", "```",
        "```html\n", "\n", "\n\n", "    ", "| a |\n|---|\n", "<!--", "-->", "<https://a>", "<javascript:a>", "&lt;", "\u{0}",
        "\\", "{", "^", "_", "&", "[x]: javascript:a\n", "[x]", "*", "- ",
    ]), 0..24)) {
        check(&parts.concat())?;
    }

    #[test]
    fn blocks_lose_nothing(text in "[a-z #*`\n>|-]{0,80}") {
        prop_assert_eq!(blocks(&text).concat(), text);
    }
}
