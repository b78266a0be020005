//! Another secret for a key, the end of the old one, and the end of the key.

use super::create::Buttons;
use super::shown::{Made, example};
use super::words::confirm_word;
use crate::fmt::{grouped, ms, now};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_lang};
use burncloud_billing::desk::reports::KeyPage;
use burncloud_core::UnixMicros;
use dioxus::prelude::*;
use std::time::Duration;

/// How many requests it carries now.
fn carries(lang: Lang, lately: u64) -> String {
    let many = if lately >= 1_000 { "1,000+".to_owned() } else { grouped(lately) };
    match (lang, lately) {
        (Lang::En, 0) => "Nothing called with it in the last five minutes.".to_owned(),
        (Lang::En, 1) => "It carried 1 request in the last five minutes.".to_owned(),
        (Lang::En, _) => format!("It carried {many} requests in the last five minutes."),
        (Lang::Zh, 0) => "最近五分钟没有请求使用它。".to_owned(),
        (Lang::Zh, _) => format!("最近五分钟有 {many} 次请求使用它。"),
    }
}

#[component]
pub(super) fn Rotate(page: KeyPage, onmade: EventHandler<Made>, onclose: EventHandler<()>) -> Element {
    let lang = use_lang();
    let view = page.row.view.clone();
    let (id, version, models) = (view.key.id, view.version.clone(), view.key.models.clone());
    let mut rotate = use_act(move |cx, overlap: u32| {
        let (version, models) = (version.clone(), models.clone());
        async move {
            let desk = cx.console.desk();
            let model = example(models.as_deref(), &desk.models_served().await?);
            let made = desk.rotate_key(&cx.viewer.actor, id, overlap, Some(&version)).await?;
            Ok::<_, Fault>(Made { secret: made.secret.expose().to_owned(), model, note: None })
        }
    });
    let choices = vec![
        Choice::new("0", lang.t("It stops at once", "立即失效")),
        Choice::new("3600", lang.t("One more hour", "再用 1 小时")),
        Choice::new("86400", lang.t("One more day", "再用 1 天")),
        Choice::new("604800", lang.t("Seven more days", "再用 7 天")),
    ];
    let sub = format!(
        "{} {}",
        carries(lang, page.lately),
        match page.row.view.key.previous_until {
            Some(_) => lang
                .t("A secret from before that still works stops at once.", "此前仍在用的旧密钥会立即失效。"),
            None => "",
        }
    );
    rsx! {
        Dialog { id: "rotate", title: lang.t("Another secret for this key", "更换这把密钥"), sub: sub.trim_end(), onclose,
            form { class: "grid gap-5",
                onsubmit: move |event| {
                    let overlap = Form::of(&event).text("overlap").parse().unwrap_or_default();
                    rotate.then(overlap, move |made| onmade.call(made));
                },
                Select { id: "overlap", label: lang.t("How long the old one still works", "旧密钥还能用多久"), choices, value: "86400", error: rotate.error("overlap") }
                Buttons { onclose, busy: rotate.busy(), {lang.t("Rotate", "更换")} }
            }
        }
    }
}

#[component]
pub(super) fn Revoke(page: KeyPage, onclose: EventHandler<()>) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let key = &page.row.view.key;
    let (id, name) = (key.id, key.name.clone());
    let mut revoke =
        use_act(move |cx, ()| async move { cx.console.desk().revoke_key(&cx.viewer.actor, id, None).await });
    let (title, done) = match lang {
        Lang::En => (format!("Revoke {name}?"), format!("{name} is revoked")),
        Lang::Zh => (format!("作废「{name}」？"), format!("「{name}」已作废")),
    };
    let rest = lang.t("What calls with it is refused from then on, for good.", "作废后一律拒绝，不可恢复。");
    let text = format!("{}{}{rest}", carries(lang, page.lately), lang.t(" ", ""));
    rsx! {
        Confirm { id: "revoke", title, text, action: lang.t("Revoke", "作废"), word: confirm_word(key), busy: revoke.busy(), onclose,
            onconfirm: move |()| {
                let done = done.clone();
                revoke.then((), move |_| {
                    toasts.show(Toast::done(done));
                    onclose.call(());
                });
            },
        }
    }
}

/// Until when the old secret works, counted down.
#[component]
pub(super) fn Overlap(page: KeyPage, until: UnixMicros) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let mut clock = use_signal(now);
    use_future(move || async move {
        loop {
            tokio::time::sleep(Duration::from_secs(20)).await;
            clock.set(now());
        }
    });
    let (id, version) = (page.row.view.key.id, page.row.view.version.clone());
    // Given each time: the key may be changed in other ways while this stands here.
    let mut end = use_act(move |cx, version: String| async move {
        cx.console.desk().end_overlap(&cx.viewer.actor, id, Some(&version)).await
    });
    let left = ms(until).saturating_sub(clock());
    if left == 0 {
        return rsx! {};
    }
    let (at, left) = (f.moment(ms(until), clock()), f.duration((left / 1_000).max(60)));
    let words = match lang {
        Lang::En => format!("The old secret works until {at}: {left} left."),
        Lang::Zh => format!("旧密钥可用至 {at}，还剩 {left}。"),
    };
    rsx! {
        div { role: "status", class: "panel mt-6 px-5 py-3.5 flex flex-wrap items-center justify-between gap-3",
            span { class: "inline-flex items-center gap-2.5 num", Dot { tone: Tone::Care } "{words}" }
            if page.row.may.change {
                Button { small: true, busy: end.busy(), onclick: move |_| end.run(version.clone()), {lang.t("End it now", "立即停用")} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_carries_is_said_in_words() {
        assert_eq!(carries(Lang::En, 0), "Nothing called with it in the last five minutes.");
        assert_eq!(carries(Lang::En, 1), "It carried 1 request in the last five minutes.");
        assert_eq!(carries(Lang::En, 1_000), "It carried 1,000+ requests in the last five minutes.");
        assert_eq!(carries(Lang::Zh, 12), "最近五分钟有 12 次请求使用它。");
    }
}
