//! Many accounts at once: a file is tried row by row first, and imported whole or not at all.

use super::home;
use super::posts::{Draft, IMPORT, Rows};
use super::providers::{ProviderTile, name};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::{NewChannel, RowError};
use burncloud_core::usecase::{Said, UseCaseError, UseCaseResult};
use dioxus::prelude::*;
use std::sync::Arc;

/// Rows shown at most.
const MOST: usize = 200;

/// A row of the list: what it would make, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    row: usize,
    name: String,
    provider: String,
    models: usize,
    wrong: Option<RowError>,
}

/// What a list would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) rows: Vec<Tried>,
    /// Why nothing of it can be read.
    pub(super) unreadable: Option<Said>,
}

fn found(cx: &Cx, id: &str) -> Option<Arc<Rows>> {
    match cx.console.drafts().find(&cx.viewer.actor, id)? {
        Draft::List(rows) => Some(rows),
        Draft::Try(_) => None,
    }
}

pub(super) fn rows(rows: &[Result<NewChannel, RowError>], errors: &[RowError]) -> Vec<Tried> {
    let one = |(n, row): (usize, &Result<NewChannel, RowError>)| {
        let wrong = errors.iter().find(|error| error.row == n + 1).cloned();
        let (name, provider, models) = match row {
            Ok(row) => (row.name.clone(), row.provider.clone(), row.models.len() + row.model_mapping.len()),
            Err(_) => Default::default(),
        };
        Tried { row: n + 1, name, provider, models, wrong }
    };
    rows.iter().enumerate().map(one).collect()
}

/// Tries what was posted; `None` where it waits no more.
async fn load(cx: Cx, id: Option<String>) -> UseCaseResult<Option<Trial>> {
    let Some(list) = id.and_then(|id| found(&cx, &id)) else { return Ok(None) };
    let trial = match &*list {
        Err(why) => Trial { rows: Vec::new(), unreadable: Some(why.clone()) },
        Ok(list) => match cx.console.desk().import_channels(&cx.viewer.actor, list.clone(), true).await {
            Ok(report) => Trial { rows: rows(list, &report.errors), unreadable: None },
            Err(UseCaseError::Invalid { message, .. }) => {
                Trial { rows: Vec::new(), unreadable: Some(message) }
            }
            Err(error) => return Err(error),
        },
    };
    Ok(Some(trial))
}

async fn import(cx: Cx, id: String) -> Result<usize, Fault> {
    let gone =
        || Fault::from(Said::new("the list waited too long: choose it again", "名单等得太久了，请重新选择"));
    let list = found(&cx, &id).ok_or_else(gone)?;
    let Ok(list) = &*list else { return Err(gone()) };
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let report = desk.import_channels(actor, list.clone(), false).await?;
    if let Some(error) = report.errors.first() {
        let RowError { row, field, message } = error;
        let en = format!("row {row}, {field}: {message}");
        return Err(Said::new(en, format!("第 {row} 行，{field}：{}", message.zh())).into());
    }
    cx.console.drafts().drop_one(actor, &id);
    Ok(report.count)
}

#[component]
pub(super) fn Import() -> Element {
    let (lang, mut here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let draft = here.get("draft");
    let trial = use_load(draft.clone(), load);
    let mut importing = use_act(import);
    let shown = trial.get().flatten();
    let good = shown
        .as_ref()
        .is_some_and(|trial| !trial.rows.is_empty() && trial.rows.iter().all(|row| row.wrong.is_none()));
    let count = shown.as_ref().map_or(0, |trial| trial.rows.len());
    rsx! {
        Dialog { id: "import", title: lang.t("Import accounts", "批量导入账号"), class: "max-w-[44rem] w-full",
            sub: lang.t("A JSON or CSV file as the export writes it, with the keys filled in. It is tried first; nothing is made before you say so.",
                "使用导出格式的 JSON 或 CSV 文件，并填好密钥。先试读，确认之后才会创建。").to_owned(),
            onclose: move |()| here.go(home()),
            foot: rsx! {
                LinkButton { kind: Kind::Ghost, href: here.href(&home()), {lang.t("Close", "关闭")} }
                if good {
                    Button { kind: Kind::Primary, id: "import-go", busy: importing.busy(),
                        onclick: move |_| {
                            let Some(id) = draft.clone() else { return };
                            importing.then(id, move |count| {
                                toasts.show(Toast::done(match lang { Lang::En => format!("{count} accounts are there"), Lang::Zh => format!("已导入 {count} 个账号") }));
                                here.go(home());
                            });
                        },
                        {match lang {
                            Lang::En if count == 1 => "Import 1 account".to_owned(),
                            Lang::En => format!("Import {count} accounts"),
                            Lang::Zh => format!("导入 {count} 个账号"),
                        }}
                    }
                }
            },
            Choose {}
            if trial.busy() && shown.is_none() { p { class: "mt-4 text-muted", role: "status", {lang.t("Reading", "读取中")} } }
            if let Some(trial) = shown { Verdict { trial } }
        }
    }
}

#[component]
fn Choose() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    rsx! {
        form { id: "import-form", method: "post", action: conn.href(IMPORT), enctype: "multipart/form-data", "data-post": "1", "data-forget": "1", class: "grid gap-3",
            input { r#type: "hidden", name: "csrf", value: "{conn.viewer.csrf}" }
            label { class: "label-text block", r#for: "import-file", {lang.t("File", "文件")} }
            input { id: "import-file", r#type: "file", name: "file", accept: ".json,.csv,application/json,text/csv", class: "input w-full py-1.5" }
            details { id: "import-paste",
                summary { class: "text-sm text-muted hover:text-ink rounded cursor-pointer", {lang.t("Or paste it", "或直接粘贴")} }
                textarea { id: "import-list", name: "list", rows: "5", class: "textarea w-full mono mt-2", "aria-label": lang.t("The list", "列表"), spellcheck: "false" }
            }
            div { button { r#type: "submit", id: "import-try", class: "btn btn-quiet btn-sm", Icon { i: "icon-[lucide--list-checks]" } {lang.t("Try it", "试读")} } }
        }
    }
}

#[component]
pub(super) fn Verdict(trial: Trial) -> Element {
    let lang = use_lang();
    if let Some(why) = trial.unreadable {
        return rsx! { p { class: "mt-4 text-error wrap-anywhere", role: "alert", {lang.t("It cannot be read: ", "读不了：")} {lang.said(&why)} } };
    }
    let wrong = trial.rows.iter().filter(|row| row.wrong.is_some()).count();
    let all = trial.rows.len();
    let mut rows = trial.rows;
    // What is wrong first: that is what is looked for.
    rows.sort_by_key(|row| (row.wrong.is_none(), row.row));
    rows.truncate(MOST);
    rsx! {
        p { class: "mt-4 num", role: "status",
            {match lang {
                Lang::En if wrong == 0 => format!("All {all} rows are good."),
                Lang::En => format!("{wrong} of {all} rows are wrong; nothing is imported before they are mended."),
                Lang::Zh if wrong == 0 => format!("{all} 行全部可用。"),
                Lang::Zh => format!("{all} 行中有 {wrong} 行有问题，改好之前不会导入。"),
            }}
        }
        div { class: "mt-3 rounded-xl border border-line max-h-80 overflow-auto", tabindex: "0", role: "region", "aria-label": lang.t("Rows", "各行"),
            table { class: "table table-inset",
                caption { class: "sr-only", {lang.t("Rows", "各行")} }
                thead { tr {
                    th { scope: "col", class: "w-12", {lang.t("Row", "行")} }
                    th { scope: "col", {lang.t("Account", "账号")} }
                    th { scope: "col", {lang.t("Result", "结果")} }
                } }
                tbody {
                    for row in rows {
                        tr { key: "{row.row}",
                            td { class: "num text-muted", "{row.row}" }
                            th { scope: "row", class: "font-normal",
                                if row.provider.is_empty() { span { class: "text-faint", "—" } } else {
                                    span { class: "flex items-center gap-3 min-w-0",
                                        ProviderTile { id: row.provider.clone(), class: "tile-sm" }
                                        span { class: "min-w-0",
                                            span { class: "block font-medium wrap-anywhere", "{row.name}" }
                                            span { class: "block text-sm text-muted num", {name(&row.provider)}
                                                {match lang { Lang::En => format!(" · {} models", row.models), Lang::Zh => format!(" · {} 个模型", row.models) }}
                                            }
                                        }
                                    }
                                }
                            }
                            td {
                                match row.wrong {
                                    None => rsx! { span { class: "flex items-center gap-1.5 text-sm text-muted", Icon { i: "icon-[lucide--check]", class: "size-3.5 text-success" } {lang.t("good", "可用")} } },
                                    Some(error) => rsx! { span { class: "text-sm text-error wrap-anywhere", code { class: "mono", "{error.field}" } " " {lang.said(&error.message)} } },
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
