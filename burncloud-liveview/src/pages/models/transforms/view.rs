//! The editor: document and script, a sample, and what they make of it.

use super::super::data::Account;
use super::super::posts::{Draft, TRANSFORMS};
use super::diff::rows;
use super::{Outcome, Try, example};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_adapters::transform::DryRun;
use burncloud_core::ScriptFailure;
use dioxus::prelude::*;
use std::sync::Arc;

const DOCUMENT: &str = "request:\n- rename: {at: max_tokens, to: max_completion_tokens}\n- remove: user\n";
const SCRIPT: &str = "fn request(ctx, headers, body) {\n    body.temperature = 0.5;\n}\n";

async fn load(cx: Cx, id: Option<String>) -> Result<Option<Arc<Try>>, Fault> {
    let found = id.and_then(|id| cx.console.drafts().find(&cx.viewer.actor, &id));
    Ok(found.and_then(|draft| match draft {
        Draft::Try(tried) => Some(tried),
        Draft::List(_) => None,
    }))
}

#[component]
pub(in super::super) fn Transforms(account: Account) -> Element {
    let here = use_here();
    let draft = here.get("draft");
    let tried = use_load(draft.clone(), load);
    let mut changes = use_context::<Changes>();
    let mine = tried.get().flatten().filter(|tried| tried.channel == account.view.id);
    let saved = mine.as_ref().is_some_and(|tried| tried.saved);
    // It was not written by this page: what it shows is read again.
    use_effect(use_reactive!(|(saved, draft)| if saved && draft.is_some() {
        changes.happened();
    }));
    rsx! { Editor { account, tried: mine.map(|tried| (*tried).clone()) } }
}

#[component]
pub(in super::super) fn Editor(account: Account, tried: Option<Try>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let view = &account.view;
    let stored = view.settings.script.as_ref();
    let skip = tried.as_ref().map_or_else(
        || stored.is_some_and(|script| script.on_error == ScriptFailure::Skip),
        |tried| tried.skip,
    );
    let document = tried.as_ref().map_or_else(
        || view.settings.transforms.clone().unwrap_or_default(),
        |tried| tried.transforms.clone(),
    );
    let script = tried.as_ref().map_or_else(
        || stored.map(|script| script.source.clone()).unwrap_or_default(),
        |tried| tried.script.clone(),
    );
    let sample = tried.as_ref().map_or_else(|| example(view), |tried| tried.sample.clone());
    let kind = tried.as_ref().map_or("request", |tried| tried.kind);
    let wrong = |field: &str| match tried.as_ref().map(|tried| &tried.outcome) {
        Some(Outcome::Wrong { field: at, text, .. }) if at == field => Some(text.clone()),
        _ => None,
    };
    rsx! {
        p { class: "mt-5 text-muted text-pretty",
            {lang.t("Steps in YAML or JSON and a Rhai script change what the provider gets and what it says. They run after the instructions and fields under Account.",
                "用 YAML 或 JSON 步骤和 Rhai 脚本，改写发给平台的请求和它的回答。在「账号」里的系统提示和请求字段之后执行。")}
        }
        form { id: "transforms-form", method: "post", action: conn.href(TRANSFORMS), enctype: "multipart/form-data", "data-post": "1", class: "mt-5 grid gap-5",
            input { r#type: "hidden", name: "csrf", value: "{conn.viewer.csrf}" }
            input { r#type: "hidden", name: "channel", value: "{view.id}" }
            input { r#type: "hidden", name: "version", value: "{view.version}" }
            div { class: "grid lg:grid-cols-2 gap-5",
                Text { id: "transforms", rows: 12, class: "mono", label: lang.t("Steps", "步骤"), value: document, placeholder: DOCUMENT, error: wrong("transforms") }
                Text { id: "script", rows: 12, class: "mono", label: lang.t("Script", "脚本"), value: script, placeholder: SCRIPT, error: wrong("script") }
            }
            div { class: "grid lg:grid-cols-2 gap-5 items-start",
                Text { id: "sample", rows: 8, class: "mono", label: lang.t("Try it on", "用它来试"), value: sample, error: wrong("sample") }
                div { class: "grid gap-4",
                    Select { id: "kind", label: lang.t("Which is", "这是"), value: kind, choices: vec![
                        Choice::new("request", lang.t("a request, as it goes to the provider", "发给平台的请求")),
                        Choice::new("response", lang.t("a whole answer of the provider's", "平台的完整回答")),
                        Choice::new("event", lang.t("one event of a stream", "流式回答中的一个事件")),
                    ] }
                    Select { id: "on_error", label: lang.t("Where the script fails, the request", "脚本出错时，请求"), value: if skip { "skip" } else { "refuse" }, choices: vec![
                        Choice::new("refuse", lang.t("is refused", "被拒绝")),
                        Choice::new("skip", lang.t("goes on without it", "跳过脚本继续")),
                    ] }
                    div { class: "flex gap-2",
                        button { r#type: "submit", name: "do", value: "try", id: "transforms-try", class: "btn btn-quiet", Icon { i: "icon-[lucide--flask-conical]" } {lang.t("Try", "试运行")} }
                        button { r#type: "submit", name: "do", value: "save", id: "transforms-save", class: "btn btn-primary", {lang.t("Save", "保存")} }
                    }
                }
            }
        }
        if let Some(tried) = tried { Came { tried } }
    }
}

/// What came of it.
#[component]
fn Came(tried: Try) -> Element {
    let lang = use_lang();
    match tried.outcome {
        Outcome::Wrong { text, source, field, .. } => rsx! {
            div { class: "mt-6 rounded-xl border border-line px-4 py-3", role: "alert", id: "transforms-result",
                p { class: "text-error font-medium", {lang.t("Not saved, and nothing was tried", "没有保存，也没有试运行")} }
                p { class: "mt-1 wrap-anywhere", if !field.is_empty() { code { class: "mono", "{field}" } " " } "{text}" }
                if let Some(source) = source { pre { class: "mt-2 mono text-sm bg-fill rounded-lg px-3 py-2 overflow-x-auto", "{source}" } }
            }
        },
        Outcome::Ran(run) => rsx! { Ran { run: *run, saved: tried.saved } },
    }
}

#[component]
fn Ran(run: DryRun, saved: bool) -> Element {
    let lang = use_lang();
    let same = run.before == run.after && run.headers_before == run.headers_after;
    rsx! {
        section { class: "mt-6", "aria-labelledby": "transforms-result", role: "status",
            h3 { id: "transforms-result", class: "section-title",
                if saved { {lang.t("Saved. This is what it does", "已保存，效果如下")} } else { {lang.t("Not saved yet. This is what it would do", "尚未保存，效果如下")} }
            }
            if let Some(text) = &run.refused {
                p { class: "mt-2 text-warning wrap-anywhere", {lang.t("The script refuses the request: ", "脚本拒绝了请求：")} "{text}" }
            }
            if !run.steps.is_empty() {
                ul { class: "mt-2 grid gap-1 text-sm",
                    for step in run.steps.clone() {
                        li { key: "{step.step}", class: "flex flex-wrap gap-x-2",
                            code { class: "mono text-muted", "{step.step}" } code { class: "mono wrap-anywhere", "{step.what}" }
                            span { class: "text-muted num", {changes(lang, step.changes)} }
                        }
                    }
                }
            }
            if same && run.refused.is_none() {
                p { class: "mt-3 text-muted", {lang.t("Nothing changes.", "没有变化。")} }
            } else {
                Sides { diff: run.diff() }
            }
        }
    }
}

fn changes(lang: Lang, changes: Option<usize>) -> String {
    match (lang, changes) {
        (Lang::En, None) => "its condition does not hold".to_owned(),
        (Lang::En, Some(0)) => "changes nothing".to_owned(),
        (Lang::En, Some(1)) => "changes 1 place".to_owned(),
        (Lang::En, Some(n)) => format!("changes {n} places"),
        (Lang::Zh, None) => "条件不满足".to_owned(),
        (Lang::Zh, Some(0)) => "没有改动".to_owned(),
        (Lang::Zh, Some(n)) => format!("改动 {n} 处"),
    }
}

#[component]
fn Sides(diff: String) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "mt-3 rounded-xl border border-line overflow-x-auto", tabindex: "0", role: "region", "aria-label": lang.t("Before and after", "改写前后"),
            table { class: "w-full text-sm mono",
                caption { class: "sr-only", {lang.t("Before and after", "改写前后")} }
                thead { tr { class: "text-left text-muted",
                    th { scope: "col", class: "font-normal px-3 py-2 w-1/2", {lang.t("Before", "改写前")} }
                    th { scope: "col", class: "font-normal px-3 py-2 w-1/2", {lang.t("After", "改写后")} }
                } }
                tbody {
                    for (n, row) in rows(&diff).into_iter().enumerate() {
                        tr { key: "{n}",
                            td { class: if row.changed && row.before.is_some() { "px-3 whitespace-pre-wrap wrap-anywhere align-top bg-error/10" } else { "px-3 whitespace-pre-wrap wrap-anywhere align-top" },
                                if row.changed && row.before.is_some() { span { class: "sr-only", {lang.t("gone: ", "去掉：")} } }
                                {row.before.clone().unwrap_or_default()}
                            }
                            td { class: if row.changed && row.after.is_some() { "px-3 whitespace-pre-wrap wrap-anywhere align-top bg-success/10" } else { "px-3 whitespace-pre-wrap wrap-anywhere align-top" },
                                if row.changed && row.after.is_some() { span { class: "sr-only", {lang.t("new: ", "新增：")} } }
                                {row.after.clone().unwrap_or_default()}
                            }
                        }
                    }
                }
            }
        }
    }
}
