//! Why a request was not answered and where the fault lies, in the words of every page.

use crate::lang::Lang;
use burncloud_billing::desk::reports::{Fault, Reason};

/// What became of a request, in a few words.
pub(super) fn reason(lang: Lang, reason: Reason) -> &'static str {
    let (en, zh) = match reason {
        Reason::Credential => ("credential refused", "凭证被拒"),
        Reason::AccountEmpty => ("account is empty", "账号没钱了"),
        Reason::TooSlow => ("too slow", "太慢"),
        Reason::TooBusy => ("too busy", "太忙"),
        Reason::Failed => ("provider failed", "平台故障"),
        Reason::Odd => ("odd answer", "应答异常"),
        Reason::Unreachable => ("not reachable", "连不上"),
        Reason::BrokeOff => ("broke off", "中途断开"),
        Reason::ErrorInside => ("error in the answer", "应答中报错"),
        Reason::Unreadable => ("answer not readable", "应答无法读取"),
        Reason::NotAfforded => ("not asked: below cost", "未请求：低于成本"),
        Reason::CallerLeft => ("caller left", "调用方离开"),
        Reason::Stopped => ("gateway was stopped", "网关被停止"),
        Reason::NoAccount => ("no account free", "没有可用账号"),
        Reason::KeyRefused => ("key refused", "密钥被拒"),
        Reason::NoCredit => ("no credit left", "余额不足"),
        Reason::CallerLimit => ("caller’s limit", "超出调用方限额"),
        Reason::TooLong => ("request too long", "请求过长"),
        Reason::Unknown => ("no such model", "没有这个模型"),
        Reason::BadRequest => ("bad request", "请求有误"),
    };
    lang.t(en, zh)
}

/// The places where a fault can be, from the caller to the provider, and which one it is. Whoever does not see accounts
/// is told of three.
pub(super) fn places(lang: Lang, fault: Fault, house: bool) -> (Vec<String>, usize) {
    let mut places = vec![lang.t("Caller", "调用方"), lang.t("Us", "我们")];
    if house {
        places.push(lang.t("Network", "网络"));
    }
    places.push(lang.t("Provider", "平台"));
    let at = match fault {
        Fault::Caller => 0,
        Fault::Gateway => 1,
        Fault::Network if house => 2,
        Fault::Network | Fault::Provider => places.len() - 1,
    };
    (places.into_iter().map(str::to_owned).collect(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_no_accounts_is_told_of_no_network() {
        let at = |fault, house| {
            let (places, at) = places(Lang::En, fault, house);
            (places.len(), places[at].clone())
        };
        assert_eq!(at(Fault::Network, true), (4, "Network".into()));
        assert_eq!(at(Fault::Network, false), (3, "Provider".into()));
        assert_eq!(at(Fault::Gateway, false), (3, "Us".into()));
        assert_eq!(at(Fault::Caller, true), (4, "Caller".into()));
    }
}
