//! Findings in words, and where they lead.

use crate::fmt::{Fmt, money, ms, percent};
use crate::lang::Lang;
use crate::live::Place;
use burncloud_billing::desk::reports::{Fault, Finding, Kind, Reason};
use burncloud_core::{LineKind, Scope};

/// What somebody or something did, after its name.
fn did(lang: Lang, reason: Reason) -> &'static str {
    let (en, zh) = match reason {
        Reason::Credential => (" refuses its credential", " 的凭证被拒"),
        Reason::AccountEmpty => (" ran out of money", " 欠费了"),
        Reason::TooSlow => (" was too slow", " 太慢"),
        Reason::TooBusy => (" was too busy", " 太忙"),
        Reason::Failed => (" failed", " 出故障"),
        Reason::Odd => (" gave odd answers", " 应答异常"),
        Reason::Unreachable => (" could not be reached", " 连不上"),
        Reason::BrokeOff => (" broke off", " 中途断开"),
        Reason::ErrorInside => (" reported errors within answers", " 在应答中报错"),
        Reason::Unreadable => (" gave answers that cannot be read", " 的应答无法读取"),
        Reason::NotAfforded => (" would be sold below its cost", " 会低于成本出售"),
        Reason::CallerLeft => (" did not wait for answers", " 没等到应答就离开"),
        Reason::Stopped => (" was cut off when the gateway stopped", " 因网关停止而中断"),
        Reason::NoAccount => (" had no account to serve it", " 没有可用账号"),
        Reason::KeyRefused => (" calls with a key that may not do this", " 的密钥无权调用"),
        Reason::NoCredit => (" has no money left", " 余额用完了"),
        Reason::CallerLimit => (" hits its limit", " 达到限额"),
        Reason::TooLong => (" sends requests that are too long", " 发来的请求过长"),
        Reason::Unknown => (" asks for models that are not here", " 请求了不存在的模型"),
        Reason::BadRequest => (" sends requests that are wrong", " 发来的请求有误"),
    };
    lang.t(en, zh)
}

/// Whom a finding of errors is about: the account, the customer, the model.
fn subject(finding: &Finding, lang: Lang) -> String {
    let Kind::Errors { channel_name, model, key_name, customer_name, fault, .. } = &finding.kind else {
        return String::new();
    };
    let known = if *fault == Fault::Caller {
        customer_name.as_ref().or(key_name.as_ref())
    } else {
        channel_name.as_ref().or(Some(model))
    };
    let known = known.filter(|name| !name.is_empty()).cloned();
    known.unwrap_or_else(|| lang.t("Somebody", "有调用方").to_owned())
}

/// What happened, without a full stop.
pub(crate) fn title(finding: &Finding, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match &finding.kind {
        Kind::Errors { reason, .. } => format!("{}{}", subject(finding, lang), did(lang, *reason)),
        Kind::Resting { model, alone: true, .. } if zh => format!("{model} 暂时没有账号供应"),
        Kind::Resting { model, alone: true, .. } => format!("Nobody serves {model} right now"),
        Kind::Resting { model, channel_name, .. } => {
            let name = channel_name.as_deref().unwrap_or("—");
            if zh { format!("{name} 正在休息（{model}）") } else { format!("{name} rests for {model}") }
        }
        Kind::Loss { model, .. } if zh => format!("{model} 正在亏本卖"),
        Kind::Loss { model, .. } => format!("{model} sells below cost"),
        Kind::Unpriced { model, .. } if zh => format!("{model} 没有价格"),
        Kind::Unpriced { model, .. } => format!("{model} has no price"),
        Kind::Budget { name, permille: 1_000.., .. } if zh => format!("预算「{name}」用完了"),
        Kind::Budget { name, permille: 1_000.., .. } => format!("The budget {name} is used up"),
        Kind::Budget { name, .. } if zh => format!("预算「{name}」快用完了"),
        Kind::Budget { name, .. } => format!("The budget {name} is nearly used up"),
        Kind::Credit { own: true, empty: true, .. } => {
            lang.t("Your balance is used up", "你的余额用完了").to_owned()
        }
        Kind::Credit { own: true, .. } => {
            lang.t("Your balance lasts less than a day", "你的余额撑不过一天").to_owned()
        }
        Kind::Credit { name, empty, .. } => {
            let name = name.as_deref().unwrap_or("—");
            let did = if *empty {
                (" has no money left", " 余额用完了")
            } else {
                (" has money for less than a day", " 的余额撑不过一天")
            };
            format!("{name}{}", lang.t(did.0, did.1))
        }
        Kind::PricesWait { .. } => lang.t("New prices wait for your word", "新价格等你确认").to_owned(),
        Kind::Address { address, .. } if zh => format!("{address} 反复被拒"),
        Kind::Address { address, .. } => format!("{address} is refused again and again"),
    }
}

/// The rest of it, in sentences.
pub(crate) fn sentence(finding: &Finding, lang: Lang, f: &Fmt) -> String {
    let zh = lang == Lang::Zh;
    match &finding.kind {
        Kind::Errors { .. } => errors(finding, lang, f),
        Kind::Resting { .. } => lang
            .t(
                "Every account that has it rests. It is tried again by itself.",
                "供应它的账号都在休息，稍后会自动重试。",
            )
            .to_owned(),
        Kind::Loss { seller_name, channel_name, class, .. } => {
            let class = line(lang, *class);
            let book = seller_name.as_deref().map(|name| {
                if zh {
                    format!("在 {name} 的价目表里，")
                } else {
                    format!("In the price book of {name}, ")
                }
            });
            let book = book.unwrap_or_default();
            match (channel_name, zh) {
                (Some(name), true) => format!("{book}{class}的售价低于 {name} 的成本。"),
                (None, true) => format!("{book}{class}的售价低于成本。"),
                (Some(name), false) if book.is_empty() => {
                    format!("The price of {class} is below what {name} costs.")
                }
                (Some(name), false) => format!("{book}the price of {class} is below what {name} costs."),
                (None, false) if book.is_empty() => format!("The price of {class} is below its cost."),
                (None, false) => format!("{book}the price of {class} is below its cost."),
            }
        }
        Kind::Unpriced { refused: true, .. } => {
            lang.t("Requests for it are refused until it has one.", "定价之前，请求都会被拒。").to_owned()
        }
        Kind::Unpriced { .. } => {
            lang.t("What you declared is charged for it.", "按你声明的价格收费。").to_owned()
        }
        Kind::Budget { permille, spent_money, hard, .. } => {
            budget(lang, *permille, &money(*spent_money), *hard)
        }
        Kind::Credit { balance, .. } => {
            let balance = money(*balance);
            if zh { format!("余额 {balance}。") } else { format!("The balance is {balance}.") }
        }
        Kind::PricesWait { source, .. } if zh => format!("来自 {source}，确认后生效。"),
        Kind::PricesWait { source, .. } => {
            format!("They come from {source} and are in force once you say so.")
        }
        Kind::Address { unauthenticated, forbidden, .. } => {
            let (a, b) = (f.compact(*unauthenticated), f.compact(*forbidden));
            if zh {
                format!("密钥未知 {a} 次，无权使用 {b} 次。")
            } else {
                format!("{a} times with an unknown key, {b} times with one that may not be used.")
            }
        }
    }
}

fn budget(lang: Lang, permille: u64, spent: &str, hard: bool) -> String {
    let share = percent(i64::try_from(permille.saturating_mul(10)).unwrap_or(i64::MAX));
    let more = match (lang, hard, permille >= 1_000) {
        (Lang::En, true, true) => " Requests are refused.",
        (Lang::En, true, false) => " Requests will be refused at 100%.",
        (Lang::Zh, true, true) => "请求会被拒。",
        (Lang::Zh, true, false) => "到 100% 后请求会被拒。",
        (_, false, _) => "",
    };
    match lang {
        Lang::En => format!("{share} of it is spent: {spent}.{more}"),
        Lang::Zh => format!("已用 {share}，共 {spent}。{more}"),
    }
}

fn errors(finding: &Finding, lang: Lang, f: &Fmt) -> String {
    let Kind::Errors { model, answered, fault, channel, .. } = &finding.kind else { return String::new() };
    let (count, took) = (f.compact(finding.count), f.compact(*answered));
    let of = match (lang, model.is_empty() || channel.is_none()) {
        (_, true) => String::new(),
        (Lang::En, false) => format!(" for {model}"),
        (Lang::Zh, false) => format!(" {model} "),
    };
    let people = f.compact(finding.customers);
    match (lang, *answered) {
        (Lang::En, _) if *fault == Fault::Caller => format!("{count} requests were turned away."),
        (Lang::Zh, _) if *fault == Fault::Caller => format!("{count} 个请求被拒。"),
        (Lang::En, n) if n >= finding.count => {
            format!("Another account answered all {count} requests{of}. Nobody noticed.")
        }
        (Lang::Zh, n) if n >= finding.count => {
            format!("{count} 个{of}请求都由别的账号应答，没有客户受影响。")
        }
        (Lang::En, 0) => format!(
            "{count} requests{of} got no answer; {people} {} affected.",
            if finding.customers == 1 { "customer is" } else { "customers are" }
        ),
        (Lang::Zh, 0) => format!("{count} 个{of}请求没有得到应答，影响 {people} 位客户。"),
        (Lang::En, _) => {
            format!("Of {count} requests{of} another account answered {took}; the others got no answer.")
        }
        (Lang::Zh, _) => format!("{count} 个{of}请求中，{took} 个由别的账号应答，其余没有得到应答。"),
    }
}

/// How often.
pub(super) fn times(finding: &Finding, lang: Lang) -> String {
    match (lang, finding.count) {
        (Lang::En, 1) => "once".to_owned(),
        (Lang::En, n) => format!("{} times", crate::fmt::grouped(n)),
        (Lang::Zh, n) => format!("{} 次", crate::fmt::grouped(n)),
    }
}

/// How often and since when; empty for what is there or not.
pub(super) fn since(finding: &Finding, lang: Lang, f: &Fmt, now: u64) -> String {
    let Some(first) = finding.first.map(ms) else { return String::new() };
    let at = if f.date(first, now) == f.date(now, now) { f.clock(first) } else { f.moment(first, now) };
    match lang {
        Lang::En => format!("{}, since {at}", times(finding, lang)),
        Lang::Zh => format!("{}，自 {at}", times(finding, lang)),
    }
}

/// The icon of a finding.
pub(crate) fn icon(finding: &Finding) -> &'static str {
    match &finding.kind {
        Kind::Errors { reason, .. } => match reason {
            Reason::AccountEmpty | Reason::NoCredit => "icon-[lucide--wallet]",
            Reason::Credential | Reason::KeyRefused => "icon-[lucide--key-round]",
            Reason::TooBusy | Reason::CallerLimit => "icon-[lucide--snowflake]",
            Reason::TooSlow => "icon-[lucide--hourglass]",
            Reason::Unreachable | Reason::BrokeOff => "icon-[lucide--unplug]",
            Reason::TooLong => "icon-[lucide--text-cursor-input]",
            _ => "icon-[lucide--circle-alert]",
        },
        Kind::Resting { .. } => "icon-[lucide--moon]",
        Kind::Loss { .. } => "icon-[lucide--trending-down]",
        Kind::Unpriced { .. } | Kind::PricesWait { .. } => "icon-[lucide--tag]",
        Kind::Budget { .. } | Kind::Credit { .. } => "icon-[lucide--wallet]",
        Kind::Address { .. } => "icon-[lucide--shield-alert]",
    }
}

/// The requests of a finding, in the log; `None` where there are none.
pub(super) fn requests(finding: &Finding) -> Option<Place> {
    let Kind::Errors { model, key, answered, .. } = &finding.kind else { return None };
    let mut place = Place::at(["logs"]).with("time", "24h");
    if let Some(key) = key {
        place = place.with("key", key);
    }
    // The log knows an account by what it answered: what it failed at, another may have answered.
    place = place.with("result", if *answered >= finding.count { "switched" } else { "errors" });
    Some(if key.is_some() { place } else { place.with("model", model) })
}

/// Where what a budget is for can be seen.
pub(super) fn reports_place(kind: &Kind) -> Option<Place> {
    let Kind::Budget { scope, .. } = kind else { return None };
    let at = |parts: &[&str], id: i64| {
        let all = parts.iter().map(|part| (*part).to_owned()).chain([id.to_string()]);
        Some(Place::at(all.collect::<Vec<_>>()))
    };
    match scope {
        Scope::Key(id) => at(&["access"], id.0),
        Scope::User(id) => at(&["users"], id.0),
        Scope::Tenant(_) => Some(Place::at(["users", "tree"])),
        Scope::Channel(id) => at(&["models", "accounts"], id.0),
        Scope::Model(_) => Some(Place::at(["models", "cards"])),
    }
}

fn line(lang: Lang, kind: LineKind) -> &'static str {
    let (en, zh) = match kind {
        LineKind::Input => ("input", "输入"),
        LineKind::CachedRead => ("cached reads", "缓存读取"),
        LineKind::CacheWrite5m => ("cache writes (5 min)", "缓存写入（5 分钟）"),
        LineKind::CacheWrite1h => ("cache writes (1 h)", "缓存写入（1 小时）"),
        LineKind::Output => ("output", "输出"),
        LineKind::Reasoning => ("reasoning", "思考"),
        LineKind::AudioIn => ("audio in", "音频输入"),
        LineKind::AudioOut => ("audio out", "音频输出"),
        LineKind::ImageIn => ("images in", "图片输入"),
        LineKind::ImageOut => ("images out", "图片输出"),
        LineKind::Piece => ("pieces", "件数"),
        LineKind::AudioTime => ("audio time", "音频时长"),
        LineKind::Request => ("requests", "请求"),
        LineKind::VideoTime => ("video time", "视频时长"),
        LineKind::WebSearch => ("web searches", "网页搜索"),
        LineKind::FileSearch => ("file searches", "文件搜索"),
        LineKind::CodeSession => ("code sessions", "代码会话"),
    };
    lang.t(en, zh)
}
