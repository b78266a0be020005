//! Sentences in the languages of the console.

use crate::store::StoreError;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A sentence for whoever asked: in English for programs and logs, in Chinese for whoever reads the console so. It is made
/// of both (`("give it a name", "请起个名字")`), so that none is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    en: Cow<'static, str>,
    zh: Cow<'static, str>,
}

impl Said {
    /// Of both.
    pub fn new(en: impl Into<Cow<'static, str>>, zh: impl Into<Cow<'static, str>>) -> Said {
        Said { en: en.into(), zh: zh.into() }
    }

    /// The words of somebody else, such as a provider's or a parser's, or of a program that no page shows: they are the same
    /// in both.
    pub fn plain(text: impl Into<Cow<'static, str>>) -> Said {
        let en = text.into();
        Said { zh: en.clone(), en }
    }

    /// In English.
    #[must_use]
    pub fn en(&self) -> &str {
        &self.en
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> &str {
        &self.zh
    }
}

impl<E: Into<Cow<'static, str>>, Z: Into<Cow<'static, str>>> From<(E, Z)> for Said {
    fn from((en, zh): (E, Z)) -> Said {
        Said::new(en, zh)
    }
}

/// Writes the English.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}

/// As its English.
impl Serialize for Said {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.en)
    }
}

/// What kinds of things are called where one is missing, taken or changed.
const NOUNS: [(&str, &str); 24] = [
    ("account", "账户"),
    ("batch of codes", "兑换码批次"),
    ("budget", "预算"),
    ("channel", "账号"),
    ("copy of the published prices", "公开价目副本"),
    ("entry", "账目"),
    ("file", "文件"),
    ("hash", "哈希"),
    ("invitation", "邀请"),
    ("key", "密钥"),
    ("key with the same secret as", "密钥，与之相同的是"),
    ("link", "存证"),
    ("login", "登录名"),
    ("login of the user", "登录名，所属用户"),
    ("model", "模型"),
    ("plan", "套餐"),
    ("price", "价格"),
    ("receipt", "小票"),
    ("redeem code", "兑换码"),
    ("session", "会话"),
    ("tenant", "租户"),
    ("token", "令牌"),
    ("user", "用户"),
    ("waiting catalogue", "待确认的价目"),
];

/// The Chinese word for a kind of thing; the English one where there is none.
pub(super) fn noun(what: &'static str) -> &'static str {
    NOUNS.iter().find(|(en, _)| *en == what).map_or(what, |(_, zh)| zh)
}

impl StoreError {
    /// What went wrong, for people.
    #[must_use]
    pub fn said(&self) -> Said {
        let zh = match self {
            StoreError::Conflict { what, name } => format!("已有{}「{name}」", noun(what)),
            StoreError::NotFound { what, name } => format!("没有{}「{name}」", noun(what)),
            StoreError::Invalid(why) => why.clone(),
            StoreError::Unavailable(why) => format!("存储暂时不可用：{why}"),
        };
        Said::new(self.to_string(), zh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_written_in_english_and_read_in_both() {
        let said = Said::from((format!("{} keys", 2), "两把密钥"));
        assert_eq!((said.to_string().as_str(), said.en(), said.zh()), ("2 keys", "2 keys", "两把密钥"));
        let foreign = Said::plain("quota exceeded");
        assert_eq!((foreign.en(), foreign.zh()), ("quota exceeded", "quota exceeded"));
        assert_eq!((noun("key"), noun("odd thing")), ("密钥", "odd thing"));
    }
}
