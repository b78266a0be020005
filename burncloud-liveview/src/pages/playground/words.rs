//! The words of the playground.

use super::run::Take;
use crate::fmt::grouped;
use crate::lang::Lang;

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

/// The name of a picture, for whoever does not see it.
pub(super) fn picture(lang: Lang, at: usize) -> String {
    match lang {
        Lang::En => format!("Picture {at}"),
        Lang::Zh => format!("图片 {at}"),
    }
}

pub(super) fn without(lang: Lang, at: usize) -> String {
    match lang {
        Lang::En => format!("Take picture {at} away"),
        Lang::Zh => format!("移除图片 {at}"),
    }
}

/// What is not shown of a long message.
pub(super) fn more(lang: Lang, more: usize) -> String {
    let more = grouped(u64::try_from(more).unwrap_or(u64::MAX));
    match lang {
        Lang::En => format!("… and {more} more characters, sent whole"),
        Lang::Zh => format!("…… 还有 {more} 个字符，已完整发送"),
    }
}

/// Something that somebody sent earlier is not held any more.
pub(super) fn gone(lang: Lang) -> &'static str {
    lang.t(
        "A picture or a long message of this conversation is no longer held: that is so half an hour after its page was left. Edit that message and attach it again, or clear the conversation.",
        "这段对话里的某张图片或长消息已不再保留：离开页面半小时后就会这样。请修改那条消息并重新添加，或清空对话。",
    )
}

/// What is wrong with a picture or a message, and how to mend it. `name` is the file's.
pub(super) fn upload(lang: Lang, code: &str, name: &str) -> String {
    let (en, zh) = match code {
        "too_large" => {
            ("it has more than 8 MiB. Make it smaller and add it again.", "超过了 8 MiB，请缩小后重新添加。")
        }
        "not_a_picture" => (
            "it is no PNG, JPEG, WebP or GIF. Save it as one of these and add it again.",
            "不是 PNG、JPEG、WebP 或 GIF，请另存为其中一种后重新添加。",
        ),
        "too_many" => (
            "four go with one message, and this one was left out. Take another away first.",
            "一条消息最多带四张，这一张没有加上，请先移除一张。",
        ),
        "expired" => (
            "it waited for more than half an hour and is gone. Add it again.",
            "等待超过半小时，已经失效，请重新添加。",
        ),
        "full" => (
            "this session holds 64 MiB, which is all it may. Clear the conversation and add it again.",
            "本次登录已存放 64 MiB，达到上限，请清空对话后重新添加。",
        ),
        "crowded" => (
            "the console has no more room at the moment. Try again in some minutes.",
            "控制台暂时没有空间，请过几分钟再试。",
        ),
        "refused" => (
            "it was not accepted, as this page is out of date. Load the page again.",
            "没有被接受：页面已过期，请重新加载页面。",
        ),
        "text_too_large" => (
            "it has more than 2 MiB. Shorten it, or send it in parts.",
            "超过了 2 MiB，请缩短，或分几次发送。",
        ),
        "text_odd" => (
            "it holds what is no text. Paste it anew as plain text.",
            "包含不是文本的内容，请以纯文本重新粘贴。",
        ),
        "long_expired" => (
            "its text waited for more than half an hour and is gone. Paste it again.",
            "文本等待超过半小时，已经失效，请重新粘贴。",
        ),
        _ => ("it did not get through. Check the connection and try again.", "没能送达，请检查网络后再试。"),
    };
    let message = code.starts_with("text_") || code == "long_expired";
    let field = if message { lang.t("Message", "消息") } else { lang.t("Picture", "图片") };
    match lang {
        Lang::En if name.is_empty() => format!("{field}: {en}"),
        Lang::En => format!("{field} “{name}”: {en}"),
        Lang::Zh if name.is_empty() => format!("{field}：{zh}"),
        Lang::Zh => format!("{field}「{name}」：{zh}"),
    }
}
