//! The two languages of the console, and how somebody wants to see it.

use burncloud_core::usecase::Said;
use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, COOKIE};
use jiff::tz::TimeZone;

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The one of the two texts that is in this language.
    #[must_use]
    pub fn t<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Lang::En => english,
            Lang::Zh => chinese,
        }
    }

    /// A sentence of the use cases in this language.
    #[must_use]
    pub fn said(self, said: &Said) -> &str {
        self.t(said.en(), said.zh())
    }

    /// As in the `lang` attribute of a page.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.t("en", "zh-CN")
    }

    /// As in the cookie: `en` or `zh`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.t("en", "zh")
    }

    /// The one of that [`code`](Lang::code).
    #[must_use]
    pub fn of(code: &str) -> Option<Lang> {
        match code {
            "en" => Some(Lang::En),
            "zh" => Some(Lang::Zh),
            _ => None,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Lang {
        match self {
            Lang::En => Lang::Zh,
            Lang::Zh => Lang::En,
        }
    }

    /// What an `Accept-Language` header asks for: the first of the two that it names, by weight.
    fn accepted(header: &str) -> Option<Lang> {
        let weight = |part: &str| {
            let q = part.split(';').find_map(|p| p.trim().strip_prefix("q=")).unwrap_or("1");
            q.trim().parse::<f32>().unwrap_or(0.0)
        };
        let known = header.split(',').filter_map(|part| {
            let tag = part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let lang = Lang::of(tag.split('-').next().unwrap_or_default())?;
            Some((weight(part), lang))
        });
        let best = known.fold(None, |best: Option<(f32, Lang)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        });
        best.filter(|(weight, _)| *weight > 0.0).map(|(_, lang)| lang)
    }
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Day,
    /// Dark.
    Night,
}

impl Theme {
    /// As in the cookie and the `data-theme` attribute: `day`, `night`, or empty.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Theme::System => "",
            Theme::Day => "day",
            Theme::Night => "night",
        }
    }

    /// The one of that [`code`](Theme::code); anything unknown is the system's.
    #[must_use]
    pub fn of(code: &str) -> Theme {
        match code {
            "day" => Theme::Day,
            "night" => Theme::Night,
            _ => Theme::System,
        }
    }
}

/// The cookie that remembers the language.
pub const LANG_COOKIE: &str = "bc-lang";
/// The cookie that remembers the theme.
pub const THEME_COOKIE: &str = "bc-theme";
/// The cookie in which the browser says its time zone.
pub const ZONE_COOKIE: &str = "bc-zone";

/// How somebody wants to see the console; kept in cookies that hold nothing secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// In which language.
    pub lang: Lang,
    /// Light or dark.
    pub theme: Theme,
    /// In which time zone: the browser's, UTC until it says so.
    pub zone: TimeZone,
}

impl Default for Look {
    fn default() -> Look {
        Look { lang: Lang::En, theme: Theme::System, zone: TimeZone::UTC }
    }
}

impl Look {
    /// What a request says: its cookies, then its `Accept-Language`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Look {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let lang = cookie(headers, LANG_COOKIE).and_then(Lang::of);
        let zone =
            cookie(headers, ZONE_COOKIE).and_then(|name| TimeZone::get(&name.replace("%2F", "/")).ok());
        Look {
            lang: lang.or_else(|| accepted.and_then(Lang::accepted)).unwrap_or_default(),
            theme: Theme::of(cookie(headers, THEME_COOKIE).unwrap_or_default()),
            zone: zone.unwrap_or(TimeZone::UTC),
        }
    }
}

/// The value of a cookie of the request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_goes_before_what_the_browser_prefers() {
        let look = Look::of(&headers(&[
            ("accept-language", "en-GB,en;q=0.8"),
            ("cookie", "a=1; bc-lang=zh; bc-theme=night; bc-zone=Asia%2FTokyo"),
        ]));
        assert_eq!((look.lang, look.theme), (Lang::Zh, Theme::Night));
        assert_eq!(look.zone.iana_name(), Some("Asia/Tokyo"));
        assert_eq!(Look::of(&headers(&[])), Look::default());
    }

    #[test]
    fn the_weightiest_known_language_wins() {
        assert_eq!(Lang::accepted("fr, zh-CN;q=0.9, en;q=0.8"), Some(Lang::Zh));
        assert_eq!(Lang::accepted("en;q=0.3,zh-TW;q=0.3"), Some(Lang::En));
        assert_eq!(Lang::accepted("zh;q=0, fr"), None);
        assert_eq!(Lang::accepted("de"), None);
    }
}
