//! The words of the playground.

use super::run::Take;
use crate::lang::Lang;
use burncloud_core::{LineKind, UsageSource};

/// What a failure means, in plain words; what was said of it stands beside.
pub(super) fn failed(lang: Lang, take: &Take) -> &'static str {
    match take.status {
        Some(401 | 403) => lang.t("The key may not do this", "这把密钥不能这样用"),
        Some(402) => lang.t("There is not enough money behind this key", "这把密钥的余额不够"),
        Some(404) => lang.t("No account serves this", "没有账号提供它"),
        Some(413) => lang.t("That is too much at once", "一次发得太多了"),
        Some(429) => lang.t("Too many requests at the moment", "请求太密了"),
        Some(400..=499) => lang.t("The request was not accepted", "请求没有被接受"),
        Some(500..) => lang.t("No account could answer", "没有账号能回答"),
        Some(200..=299) => lang.t("The answer broke off", "回答中断了"),
        _ => lang.t("This could not be sent", "没能发出去"),
    }
}

pub(super) fn line(lang: Lang, kind: LineKind) -> &'static str {
    match kind {
        LineKind::Input => lang.t("Input", "输入"),
        LineKind::CachedRead => lang.t("Read from cache", "缓存读取"),
        LineKind::CacheWrite5m | LineKind::CacheWrite1h => lang.t("Written to cache", "缓存写入"),
        LineKind::Output => lang.t("Output", "输出"),
        LineKind::Reasoning => lang.t("Thinking", "思考"),
        LineKind::AudioIn => lang.t("Sound in", "音频输入"),
        LineKind::AudioOut => lang.t("Sound out", "音频输出"),
        LineKind::ImageIn => lang.t("Pictures in", "图片输入"),
        LineKind::ImageOut => lang.t("Pictures out", "图片输出"),
        LineKind::Piece => lang.t("Pieces", "件"),
        LineKind::AudioTime => lang.t("Sound", "音频时长"),
        LineKind::VideoTime => lang.t("Video", "视频时长"),
        LineKind::Request => lang.t("The request", "请求"),
        LineKind::WebSearch => lang.t("Web searches", "网页搜索"),
        LineKind::FileSearch => lang.t("File searches", "文件搜索"),
        LineKind::CodeSession => lang.t("Code sessions", "代码会话"),
    }
}

pub(super) fn counted(lang: Lang, source: UsageSource) -> &'static str {
    match source {
        UsageSource::Reported => lang.t("Counted by the provider", "由供应商计数"),
        UsageSource::None => lang.t("Nothing was used", "没有用量"),
        _ => lang.t("Estimated", "估算"),
    }
}

/// "0.42 s": from sending to the first word.
pub(super) fn first(lang: Lang, ms: u64) -> String {
    let time = crate::fmt::millis(ms);
    match lang {
        Lang::En => format!("First word {time}"),
        Lang::Zh => format!("首字 {time}"),
    }
}

pub(super) fn speed(lang: Lang, tokens: u64) -> String {
    match lang {
        Lang::En => format!("{tokens} tokens a second"),
        Lang::Zh => format!("{tokens} token/秒"),
    }
}
