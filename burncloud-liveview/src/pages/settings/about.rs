//! What is kept, copies of it, and what this program is.

use super::rows::Group;
use super::{Part, Setting};
use crate::fmt::Fmt;
use crate::kit::{Broken, Button, Copy, Icon, Kind, Loading, Toast, use_fmt, use_toasts};
use crate::lang::Lang;
use crate::live::{use_act, use_conn, use_lang, use_load};
use burncloud_billing::desk::Kept;
use burncloud_billing::desk::settings::SettingView;
use burncloud_core::UnixMicros;
use dioxus::prelude::*;

/// How much there is, and how long it stays.
#[component]
pub(super) fn Memory(all: Vec<SettingView>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let kept = use_load((), |cx, ()| async move { cx.console.desk().kept(&cx.viewer.actor).await });
    let said = rsx! {
        Setting { name: lang.t("What was said", "对话内容"),
            means: lang.t("Only counts and prices are kept. Prompts and answers pass through.", "只记用量与价格，提示词和回答只是经过。"),
            span { class: "text-muted", {lang.t("Never kept", "从不保留")} }
        }
    };
    match &*kept.read() {
        None => rsx! { Part { id: "memory", Loading { rows: 2 } } },
        Some(Err(fault)) => rsx! { Part { id: "memory", Broken { fault: fault.clone() } } },
        Some(Ok(kept)) => {
            let now = rsx! { Setting { name: lang.t("Kept now", "现有"), means: much(lang, &f, kept) } };
            match &kept.folder {
                // Nobody archives here: there is nothing to choose.
                None => rsx! {
                    Part { id: "memory",
                        Setting { name: lang.t("Keep requests", "保留请求"),
                            span { class: "text-muted flex items-center gap-2",
                                Icon { i: "icon-[lucide--lock]", class: "size-3.5" }
                                {lang.t("For ever", "永久")}
                            }
                        }
                        {now}
                        {said}
                    }
                },
                Some(folder) => rsx! {
                    Group { id: "memory", all,
                        {now}
                        Setting { name: lang.t("Archived", "已归档"), means: archived(lang, &f, kept),
                            span { class: "mono text-sm text-muted break-all", "{folder}" }
                        }
                        {said}
                    }
                },
            }
        }
    }
}

/// How many requests there are, since when, and what the store takes.
fn much(lang: Lang, f: &Fmt, kept: &Kept) -> String {
    let count = f.compact(kept.receipts);
    let mut text = match (lang, kept.since) {
        (Lang::En, Some(since)) => {
            format!("{count} requests since {}.", f.date(millis(since), millis(UnixMicros::now())))
        }
        (Lang::En, None) => "No requests.".to_owned(),
        (Lang::Zh, Some(since)) => {
            format!("自 {} 起 {count} 条请求。", f.date(millis(since), millis(UnixMicros::now())))
        }
        (Lang::Zh, None) => "没有请求。".to_owned(),
    };
    if let Some(bytes) = kept.bytes {
        text.push_str(&match lang {
            Lang::En => format!(" The database takes {}.", size(bytes)),
            Lang::Zh => format!("数据库占 {}。", size(bytes)),
        });
    }
    text
}

fn archived(lang: Lang, f: &Fmt, kept: &Kept) -> String {
    match (lang, kept.archived) {
        (Lang::En, 0) => {
            "None yet. The files that prove them would lie here: keep them with your copies.".to_owned()
        }
        (Lang::Zh, 0) => "还没有。归档文件会放在这里，请与备份一起保管。".to_owned(),
        (Lang::En, n) => {
            format!("{} requests. The files prove what they say: keep them with your copies.", f.compact(n))
        }
        (Lang::Zh, n) => format!("{} 条请求。归档文件是凭证，请与备份一起保管。", f.compact(n)),
    }
}

fn millis(at: UnixMicros) -> u64 {
    u64::try_from(at.0 / 1000).unwrap_or(0)
}

/// Bytes, for people: `412 MB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KB", "MB", "GB"];
    let mut unit = 0;
    let mut one = 1_u128;
    while u128::from(bytes) >= one * 1024 && unit + 1 < UNITS.len() {
        one *= 1024;
        unit += 1;
    }
    let tenths = (u128::from(bytes) * 10 + one / 2) / one;
    let whole = tenths / 10;
    if whole >= 100 || unit == 0 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{} {}", tenths % 10, UNITS[unit])
    }
}

/// Copies of the database.
#[component]
pub(super) fn Copies() -> Element {
    let (lang, f, mut toasts) = (use_lang(), use_fmt(), use_toasts());
    let known = use_load((), |cx, ()| async move { cx.console.desk().list_backups(&cx.viewer.actor).await });
    let mut copy = use_act(|cx, ()| async move { cx.console.desk().back_up(&cx.viewer.actor).await });
    let body = match &*known.read() {
        None => rsx! { Loading { rows: 2 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(backups)) => match &backups.folder {
            None => rsx! {
                p { class: "py-4 text-muted text-pretty",
                    {lang.t("This database is copied by its own tools, such as pg_dump.", "此数据库请用它自带的工具备份，例如 pg_dump。")}
                }
            },
            Some(folder) => {
                let last = backups.copies.first().map_or_else(
                    || lang.t("None yet.", "还没有备份。").to_owned(),
                    |copy| {
                        format!(
                            "{} · {}",
                            f.ago(crate::fmt::ms(copy.at), crate::fmt::ms(UnixMicros::now())),
                            size(copy.bytes)
                        )
                    },
                );
                rsx! {
                    Setting { name: lang.t("Last copy", "最近备份"), means: last,
                        Button { kind: Kind::Quiet, busy: copy.busy(),
                            onclick: move |_| copy.then((), move |made| {
                                toasts.show(Toast::done(lang.t("Copied and checked.", "已备份并校验。")).sub(made.name));
                            }),
                            {lang.t("Back up now", "立即备份")}
                        }
                    }
                    details { class: "py-4",
                        summary { class: "text-sm text-muted", {lang.t("Where they are", "存放位置")} }
                        p { class: "mt-2 mono break-all", "{folder}" }
                        ul { class: "mt-2 grid gap-1 text-sm text-muted num",
                            for one in backups.copies.clone() { li { key: "{one.name}", "{one.name} · {size(one.bytes)}" } }
                        }
                        p { class: "mt-2 text-sm text-muted text-pretty",
                            {lang.t("The newest fourteen are kept. The key that credentials are encrypted with is not in them: keep it elsewhere. To go back, stop the server and put a copy in the database's place.", "保留最新的十四份。加密账号凭据的密钥不在其中，请另外保存。恢复时先停止服务，再用备份替换数据库文件。")}
                        }
                    }
                }
            }
        },
    };
    rsx! { Part { id: "backup", {body} } }
}

/// What this program is.
#[component]
pub(super) fn About(all: Vec<SettingView>) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let release = conn.console.release().to_owned();
    let support = support(&release, &all);
    rsx! {
        Part { id: "about",
            Setting { name: format!("BurnCloud {release}"),
                means: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
                Copy { value: release.clone() }
            }
            Setting { name: lang.t("Copy for support", "给支持的信息"),
                means: lang.t("Version, system, settings. No secrets.", "版本、系统与设置，不含密钥。"),
                Copy { value: support, label: lang.t("Copy for support", "复制给支持的信息"), class: "btn btn-quiet btn-sm",
                    {lang.t("Copy", "复制")}
                }
            }
        }
    }
}

/// For people who help. Settings hold no secret.
fn support(release: &str, all: &[SettingView]) -> String {
    let mut text = format!("BurnCloud {release}\n{} {}\n", std::env::consts::OS, std::env::consts::ARCH);
    for setting in all.iter().filter(|setting| setting.value != setting.default) {
        text.push_str(&format!("{} = {}\n", setting.name, setting.value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{archived, much, size};
    use crate::fmt::Fmt;
    use crate::lang::{Lang, Look};
    use burncloud_billing::desk::Kept;
    use burncloud_core::UnixMicros;

    #[test]
    fn what_is_kept_is_said_with_what_is_known() {
        let f = Fmt::from(&Look::default());
        let kept = Kept {
            receipts: 31,
            since: Some(UnixMicros(1_000_000_000_000_000)),
            archived: 7,
            bytes: Some(2_048),
            ..Kept::default()
        };
        let said = much(Lang::En, &f, &kept);
        assert!(said.starts_with("31 requests since ") && said.contains("2001"), "{said}");
        assert!(said.ends_with("The database takes 2.0 KB."), "{said}");
        assert!(archived(Lang::En, &f, &kept).starts_with("7 requests."));
        let nothing = Kept::default();
        assert_eq!(much(Lang::En, &f, &nothing), "No requests.", "no size that is not known");
        assert!(archived(Lang::Zh, &f, &nothing).starts_with("还没有"));
    }

    #[test]
    fn sizes_are_short() {
        let shown = [0, 999, 2048, 1_572_864, 432_013_312, 3_328_599_654].map(size);
        assert_eq!(shown, ["0 B", "999 B", "2.0 KB", "1.5 MB", "412 MB", "3.1 GB"]);
    }
}
