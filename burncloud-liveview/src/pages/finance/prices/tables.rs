//! New-API's tables from a file or the clipboard, checked before they count.

use crate::fmt::grouped;
use crate::kit::{Button, Dialog, Form, Kind, Text, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{use_act, use_here, use_lang};
use burncloud_billing::desk::Imported;
use dioxus::prelude::*;

#[component]
pub(super) fn Import() -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let mut checked = use_signal(|| None::<(String, Imported)>);
    let mut check = use_act(|cx, text: String| async move {
        let found = cx.console.desk().import_tables(&cx.viewer.actor, &text, None, true).await;
        found.map(|found| (text, found))
    });
    let mut import = use_act(|cx, text: String| async move {
        cx.console.desk().import_tables(&cx.viewer.actor, &text, None, false).await
    });
    let leave = move || {
        let mut here = here;
        let place = here.place().with("sheet", "");
        here.go(place);
    };
    let done = move |imported: Imported| {
        let n = grouped(imported.rules as u64);
        toasts.show(Toast::done(match lang {
            Lang::En => format!("{n} prices set"),
            Lang::Zh => format!("已设置 {n} 个价格"),
        }));
        leave();
    };
    let shown = checked.read().clone();
    let fault = check.fault().or(import.fault()).map(|fault| fault.text);
    rsx! {
        Dialog { id: "import", title: lang.t("Import New-API tables", "导入 New-API 倍率表"), class: "max-w-xl w-full",
            sub: lang.t("ModelRatio, CompletionRatio, ModelPrice and the like, as one JSON object.", "ModelRatio、CompletionRatio、ModelPrice 等，写成一个 JSON 对象。"),
            onclose: move |()| leave(),
            x-file { "data-into": "import-tables", class: "block mb-4",
                label { class: "label-text block", r#for: "import-file", {lang.t("From a file", "从文件读取")} }
                input { id: "import-file", r#type: "file", accept: ".json,.txt,application/json", class: "text-sm" }
            }
            form { id: "import-form", class: "grid gap-5",
                oninput: move |_| if checked.peek().is_some() { checked.set(None) },
                onsubmit: move |event| check.then(Form::of(&event).raw("tables").to_owned(), move |found| checked.set(Some(found))),
                Text { id: "import-tables", name: "tables", label: lang.t("Tables", "倍率表"), rows: 10, class: "mono text-sm", required: true, error: fault }
                if shown.is_none() {
                    div { class: "flex justify-end", Button { id: "import-check", kind: Kind::Primary, submit: true, busy: check.busy(), {lang.t("Check", "检查")} } }
                }
            }
            if let Some((text, found)) = shown {
                Found { found: found.clone() }
                div { class: "flex justify-end mt-4",
                    Button { id: "import-set", kind: Kind::Primary, busy: import.busy(), disabled: found.rules == 0,
                        onclick: move |_| import.then(text.clone(), done),
                        {match lang {
                            Lang::En => format!("Set {} prices", grouped(found.rules as u64)),
                            Lang::Zh => format!("设置 {} 个价格", grouped(found.rules as u64)),
                        }}
                    }
                }
            }
        }
    }
}

#[component]
pub(super) fn Found(found: Imported) -> Element {
    let lang = use_lang();
    let n = grouped(found.rules as u64);
    let left = found.left_out.len();
    let rest = left.saturating_sub(20);
    let rest = (rest > 0).then(|| format!("+ {}", grouped(rest as u64)));
    let said = match lang {
        Lang::En => format!("{n} prices would be set."),
        Lang::Zh => format!("将设置 {n} 个价格。"),
    };
    rsx! {
        div { role: "status", class: "mt-4",
            p { class: "font-medium num", "{said}" }
            if left > 0 {
                p { class: "mt-2 text-sm text-muted", {lang.t("These have no effect in New-API either, and are left out:", "以下条目在 New-API 中也不起作用，已忽略：")} }
                ul { class: "mt-1 text-sm mono max-h-32 overflow-y-auto",
                    for (at, name) in found.left_out.iter().take(20).enumerate() { li { key: "{at}", class: "truncate", "{name}" } }
                    if let Some(rest) = rest { li { "{rest}" } }
                }
            }
        }
    }
}
