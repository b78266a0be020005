//! The receipt as it would be printed.

use super::choices::Eyes;
use super::words;
use crate::fmt::{charge, grouped, ms, now, percent, price};
use crate::kit::{Icon, ReceiptBox, ReceiptLine, ReceiptSum, use_fmt};
use crate::lang::Lang;
use crate::live::use_lang;
use burncloud_billing::desk::reports::{ReceiptView, Seal};
use burncloud_core::{AbortKind, Line, LineKind, Nano};
use dioxus::prelude::*;

/// What a line charges for, at which price, and its amount.
fn line(lang: Lang, line: &Line) -> ReceiptLine {
    let (units, per) = match line.kind {
        LineKind::AudioTime | LineKind::VideoTime => (crate::fmt::millis(line.units), false),
        LineKind::Piece
        | LineKind::Request
        | LineKind::WebSearch
        | LineKind::FileSearch
        | LineKind::CodeSession => (grouped(line.units), false),
        _ => (grouped(line.units), true),
    };
    // Single pieces are priced by the piece, time by the minute, tokens by the million.
    let rate = if per {
        format!("{units} × {}/M", price(line.price))
    } else if matches!(line.kind, LineKind::AudioTime | LineKind::VideoTime) {
        let minute = Nano(i64::try_from(i128::from(line.price.0) * 60_000 / 1_000_000).unwrap_or_default());
        format!("{units} × {}/min", price(minute))
    } else {
        format!("{units} × {}", price(Nano(line.price.0 / 1_000_000)))
    };
    ReceiptLine { name: words::line(lang, line.kind).to_owned(), rate, amount: charge(line.amount) }
}

fn sum(name: String, amount: Nano, class: &'static str) -> ReceiptSum {
    ReceiptSum { name, amount: charge(amount), class }
}

/// What it comes to, as far as these eyes see.
fn sums(lang: Lang, view: &ReceiptView, eyes: Eyes) -> Vec<ReceiptSum> {
    let row = &view.row;
    let gone = lang.t("gone", "已不存在");
    let user = row.user_name.as_deref().unwrap_or(gone);
    let mut out = Vec::new();
    if view.shortfall > Nano::ZERO {
        out.push(sum(
            lang.t("Not covered by the balance", "余额不足未收").to_owned(),
            view.shortfall,
            "text-warning",
        ));
    }
    let charged = match lang {
        Lang::En => format!("Charged to {user}"),
        Lang::Zh => format!("向{user}收取"),
    };
    out.push(sum(charged, row.charge, "font-semibold"));
    for leg in &view.legs {
        let tenant = leg.tenant.as_deref().unwrap_or(gone);
        let name = match (&leg.parent, lang) {
            (Some(parent), Lang::En) => format!("{tenant} pays {parent}"),
            (Some(parent), Lang::Zh) => format!("{tenant} 付给 {parent}"),
            (None, Lang::En) => format!("{tenant} pays"),
            (None, Lang::Zh) => format!("{tenant} 付出"),
        };
        out.push(sum(name, leg.charge, "text-muted"));
    }
    let (Some(revenue), Some(cost), Some(margin)) = (row.revenue, row.cost, row.margin) else { return out };
    if eyes == Eyes::House {
        let account =
            row.road.iter().find(|hop| Some(hop.channel) == row.channel).and_then(|hop| hop.name.as_deref());
        let name = match (account, lang) {
            (Some(account), Lang::En) => format!("Cost at {account}"),
            (Some(account), Lang::Zh) => format!("{account} 成本"),
            (None, _) => lang.t("Cost", "成本").to_owned(),
        };
        out.push(sum(name, cost, "text-muted"));
    } else if view.legs.is_empty() {
        out.push(sum(lang.t("You pay", "您付出").to_owned(), cost, "text-muted"));
    }
    let share = words::kept(margin, revenue).map(|share| format!(" {}", percent(share))).unwrap_or_default();
    let lost = margin.0 < 0;
    let name = if lost { lang.t("You lose", "净亏") } else { lang.t("You keep", "净利") };
    let class = if lost { "text-error" } else { "text-success" };
    out.push(sum(format!("{name}{share}"), margin, class));
    out
}

/// Who counted, by which prices, and why it is less than whole.
fn foot(view: &ReceiptView, f: &crate::fmt::Fmt) -> Vec<String> {
    let lang = f.lang;
    let mut out = vec![words::counted(lang, view.usage_source).to_owned()];
    if view.price.version > 0 {
        let since = view.price.since.map(|at| f.date(ms(at), now()));
        out.push(match (since, lang) {
            (Some(since), Lang::En) => format!("Price book of {since}"),
            (Some(since), Lang::Zh) => format!("{since}价目表"),
            (None, _) => lang.t("Published prices", "公开价目").to_owned(),
        });
    }
    out.extend(view.abort.map(|abort| {
        let text = match abort {
            AbortKind::Delivered => lang.t("Charged for what was delivered", "按已送达部分收取"),
            AbortKind::Reported => lang.t("Charged for what was reported", "按已报告用量收取"),
            AbortKind::Nothing => lang.t("Not charged: it broke off", "中断，不收取"),
        };
        text.to_owned()
    }));
    if view.seal == Seal::None {
        out.push(lang.t("Not signed", "未签名").to_owned());
    }
    out
}

/// The first and the last digits.
fn short(hex: &str) -> String {
    match (hex.get(..4), hex.len().checked_sub(4).and_then(|at| hex.get(at..))) {
        (Some(head), Some(tail)) if hex.len() > 12 => format!("{head}…{tail}"),
        _ => hex.to_owned(),
    }
}

/// The receipt as these eyes see it; wherever one is shown.
#[component]
pub(crate) fn Printed(view: ReceiptView, eyes: Eyes, #[props(default)] class: &'static str) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let lines = view.lines.iter().map(|it| line(lang, it)).collect();
    let signed = match &view.seal {
        Seal::Verified { signature, .. } => Some(short(signature)),
        Seal::None | Seal::Broken => None,
    };
    rsx! {
        ReceiptBox { class, number: view.row.id.to_string(), lines, sums: sums(lang, &view, eyes), foot: foot(&view, &f), signed }
        if view.seal == Seal::Broken {
            p { role: "alert", class: "mt-3 text-sm text-error flex items-center gap-1.5",
                Icon { i: "icon-[lucide--circle-alert]", class: "size-3.5" }
                {lang.t("This receipt does not fit its signature: what is stored was changed.", "小票与签名不符：存储的内容被改动过。")}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_priced_by_its_unit() {
        let of = |kind, units, price| {
            let it = Line { kind, units, price: Nano(price), amount: Nano(5_057_000) };
            line(Lang::En, &it)
        };
        let tokens = of(LineKind::Input, 1_204, 4_200_000_000);
        assert_eq!((tokens.rate.as_str(), tokens.amount.as_str()), ("1,204 × $4.20/M", "$0.005057"));
        assert_eq!(of(LineKind::WebSearch, 3, 10_000_000_000_000).rate, "3 × $0.01");
        // $0.0001 a second, $0.006 a minute
        assert_eq!(of(LineKind::AudioTime, 61_500, 100_000_000).rate, "61.5 s × $0.006/min");
    }

    #[test]
    fn a_signature_is_known_by_its_ends() {
        assert_eq!(short("3f9a00000000c2e1"), "3f9a…c2e1");
        assert_eq!(short("3f9a"), "3f9a");
    }
}
