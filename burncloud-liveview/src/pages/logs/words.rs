//! Codes of the log, in words.

use crate::fmt::{Fmt, ms};
use crate::kit::Tone;
use crate::lang::Lang;
use burncloud_billing::desk::reports::{LogRow, Reason};
use burncloud_core::store::Outcome;
use burncloud_core::{End, LineKind, Nano, UnixMicros, UsageSource};

/// The clock to the second, with the date before it where that is not today's.
pub(super) fn when(f: &Fmt, at: UnixMicros, now: u64) -> String {
    let (at, clock) = (ms(at), f.clock_seconds(ms(at)));
    let date = f.date(at, now);
    if date == f.date(now, now) { clock } else { format!("{date} {clock}") }
}

/// What whoever looks may do about it, in a sentence.
pub(super) fn advice(lang: Lang, reason: Reason) -> &'static str {
    let (en, zh) = match reason {
        Reason::Credential => (
            "The provider refused the account’s credential. Renew it in Models.",
            "平台拒绝了账号的凭证，请在「模型」中更换。",
        ),
        Reason::AccountEmpty => (
            "The account at the provider has no money left. Top it up there.",
            "账号在平台上的余额已用完，请前往充值。",
        ),
        Reason::TooSlow => ("The provider did not answer in time.", "平台没有及时应答。"),
        Reason::TooBusy => (
            "The provider’s limit was reached. More accounts share the load.",
            "达到平台限流，增加账号可以分担。",
        ),
        Reason::Failed => ("The provider reported a failure of its own.", "平台报告了自身故障。"),
        Reason::Odd => ("The provider gave an answer that it should not give.", "平台给出了不该有的应答。"),
        Reason::Unreachable => ("The provider could not be reached from the gateway.", "网关连不上平台。"),
        Reason::BrokeOff => ("The line broke before the answer was complete.", "应答完成前连接中断。"),
        Reason::ErrorInside => {
            ("The answer had begun when the provider reported an error.", "应答开始后，平台报告了错误。")
        }
        Reason::Unreadable => ("What the provider said could not be read.", "平台的应答无法读取。"),
        Reason::NotAfforded => ("It would have been sold below its cost.", "这样会低于成本出售。"),
        Reason::CallerLeft => {
            ("The caller closed the connection before the end.", "调用方在结束前断开了连接。")
        }
        Reason::Stopped => ("The gateway was stopped while it ran.", "请求进行时网关被停止。"),
        Reason::NoAccount => (
            "No account could take it: all rest, or none has the model.",
            "没有账号可以接手：都在休息，或没有这个模型。",
        ),
        Reason::KeyRefused => ("The key is not known, or may not do this.", "密钥未知，或无权这样做。"),
        Reason::NoCredit => {
            ("The caller’s balance, quota or budget is used up.", "调用方的余额、额度或预算已用完。")
        }
        Reason::CallerLimit => ("The caller’s own limit was reached.", "达到调用方自己的限额。"),
        Reason::TooLong => ("The request is larger than it may be.", "请求超出大小限制。"),
        Reason::Unknown => {
            ("There is no such model or path for this caller.", "对此调用方没有这个模型或路径。")
        }
        Reason::BadRequest => ("The request is wrong in itself.", "请求本身有误。"),
    };
    lang.t(en, zh)
}

/// The colour of an answer: a caller who left hurts nobody.
pub(super) fn tone(row: &LogRow) -> Tone {
    match (row.outcome, row.end) {
        (Outcome::Answered, _) => Tone::Good,
        (_, End::CallerGone) => Tone::Plain,
        (Outcome::Refused, _) => Tone::Care,
        (Outcome::Failed, _) => Tone::Bad,
    }
}

pub(super) fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => lang.t("answered", "已应答"),
        Outcome::Refused => lang.t("refused", "被拒"),
        Outcome::Failed => lang.t("failed", "失败"),
    }
}

pub(super) fn line(lang: Lang, kind: LineKind) -> &'static str {
    let (en, zh) = match kind {
        LineKind::Input => ("Input", "输入"),
        LineKind::CachedRead => ("Cached read", "缓存读取"),
        LineKind::CacheWrite5m => ("Cache write, 5 min", "缓存写入，5 分钟"),
        LineKind::CacheWrite1h => ("Cache write, 1 h", "缓存写入，1 小时"),
        LineKind::Output => ("Output", "输出"),
        LineKind::Reasoning => ("Reasoning", "思考"),
        LineKind::AudioIn => ("Audio in", "音频输入"),
        LineKind::AudioOut => ("Audio out", "音频输出"),
        LineKind::ImageIn => ("Images in", "图像输入"),
        LineKind::ImageOut => ("Images out", "图像输出"),
        LineKind::Piece => ("Pieces", "件"),
        LineKind::AudioTime => ("Audio", "音频时长"),
        LineKind::Request => ("Request", "请求"),
        LineKind::VideoTime => ("Video", "视频时长"),
        LineKind::WebSearch => ("Web searches", "网页搜索"),
        LineKind::FileSearch => ("File searches", "文件搜索"),
        LineKind::CodeSession => ("Code sessions", "代码会话"),
    };
    lang.t(en, zh)
}

pub(super) fn counted(lang: Lang, source: UsageSource) -> &'static str {
    match source {
        UsageSource::Reported => lang.t("Counted by the provider", "用量由平台报告"),
        UsageSource::Estimated => lang.t("Counted by the gateway", "用量由网关估算"),
        UsageSource::None => lang.t("Nothing was used", "没有用量"),
    }
}

/// What stays of what came in, in ten-thousandths.
pub(super) fn kept(margin: Nano, revenue: Nano) -> Option<i64> {
    crate::fmt::basis_points(margin.0, revenue.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn another_day_is_said() {
        let f = Fmt { lang: Lang::En, zone: TimeZone::UTC };
        let at = UnixMicros(1_795_181_400_000_000);
        assert_eq!(when(&f, at, ms(at)), "13:30:00");
        assert_eq!(when(&f, at, ms(at) + 86_400_000), "Nov 20 13:30:00");
        let f = Fmt { lang: Lang::Zh, ..f };
        assert_eq!(when(&f, at, ms(at) + 86_400_000), "11月20日 13:30:00");
    }
}
