//! What settings are called and mean, in both languages.

use crate::lang::Lang;

/// How a setting is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line of text.
    Line,
    /// A whole number and its unit.
    Number(&'static str, &'static str),
    /// A line for each.
    List,
    /// For how many days, out of a few; 0 is for ever.
    Days,
}

/// How a setting is shown.
pub(super) struct Words {
    pub(super) name: &'static str,
    pub(super) part: &'static str,
    pub(super) shape: Shape,
    en: (&'static str, &'static str),
    zh: (&'static str, &'static str),
}

impl Words {
    pub(super) fn title(&self, lang: Lang) -> &'static str {
        lang.t(self.en.0, self.zh.0)
    }

    pub(super) fn means(&self, lang: Lang) -> &'static str {
        lang.t(self.en.1, self.zh.1)
    }
}

/// In the order of the page.
#[rustfmt::skip]
pub(super) static WORDS: [Words; 11] = [
    Words { name: "house.name", part: "general", shape: Shape::Line,
        en: ("Name", "What this house is called here."), zh: ("名称", "这里怎样称呼本站。") },
    Words { name: "house.public_name", part: "general", shape: Shape::Line,
        en: ("Name for customers", "On the sign-in page and in titles. Empty: the name above."), zh: ("对客户的名称", "显示在登录页和标题里，留空则用上面的名称。") },
    Words { name: "routing.max_attempts", part: "routing", shape: Shape::Number("accounts", "个账号"),
        en: ("Ask at most", "Accounts to try before giving up."), zh: ("最多询问", "放弃前尝试的账号数。") },
    Words { name: "routing.breaker_failures", part: "routing", shape: Shape::Number("failures", "次失败"),
        en: ("Rest after", "Failures within half a minute."), zh: ("何时休息", "半分钟内失败的次数。") },
    Words { name: "routing.breaker_pause_seconds", part: "routing", shape: Shape::Number("s", "秒"),
        en: ("Rest a failing account", "At first; longer each time it fails again."), zh: ("出错后休息", "首次时长，再次出错会更久。") },
    Words { name: "log.keep_days", part: "memory", shape: Shape::Days,
        en: ("Keep requests", "Older ones move into files, whole days at a time. What they cost stays in the books."), zh: ("保留请求", "更早的请求按整天移入归档文件，费用仍在账本中。") },
    Words { name: "server.listen", part: "network", shape: Shape::Line,
        en: ("Address and port", "Such as 0.0.0.0:3000."), zh: ("地址与端口", "例如 0.0.0.0:3000。") },
    Words { name: "server.public_url", part: "network", shape: Shape::Line,
        en: ("Where browsers find it", "Behind a proxy, such as https://gateway.example."), zh: ("浏览器访问地址", "位于代理之后时填写，例如 https://gateway.example。") },
    Words { name: "server.trusted_proxies", part: "network", shape: Shape::List,
        en: ("Proxies you trust", "Their word on where a visitor comes from counts. One address a line."), zh: ("受信任的代理", "以它们报告的访客地址为准，每行一个。") },
    Words { name: "cors.origins", part: "network", shape: Shape::List,
        en: ("Websites that may call", "Browsers on these sites can use keys. One a line."), zh: ("允许调用的网站", "这些网站里的浏览器可以使用密钥，每行一个。") },
    Words { name: "upstream.proxy", part: "network", shape: Shape::Line,
        en: ("Way out", "A proxy for accounts that name none. Empty: straight to the provider."), zh: ("出口代理", "账号没有指定代理时使用，留空则直连平台。") },
];

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_billing::desk::settings::SETTINGS;

    #[test]
    fn every_setting_is_shown_once() {
        let mut shown: Vec<&str> = WORDS.iter().map(|words| words.name).collect();
        let mut known: Vec<&str> = SETTINGS.iter().map(|known| known.name).collect();
        shown.sort_unstable();
        known.sort_unstable();
        assert_eq!(shown, known);
    }
}
