//! The table of settings.

use burncloud_core::usecase::Said;
use serde_json::{Value, json};
use shapes::{host_and_port, origin};
use std::net::IpAddr;

/// A setting: its name, its default, its check.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What holds where nothing is set.
    pub default: fn() -> Value,
    /// The value as it is kept, or what is wrong with it and how to mend it.
    pub check: fn(&Value) -> Result<Value, Said>,
    /// Whether a change takes effect at the next start.
    pub needs_restart: bool,
}

impl Known {
    /// The setting of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Known> {
        SETTINGS.iter().find(|known| known.name == name)
    }
}

const fn live(
    name: &'static str,
    about: &'static str,
    default: fn() -> Value,
    check: fn(&Value) -> Result<Value, Said>,
) -> Known {
    Known { name, about, default, check, needs_restart: false }
}

const fn at_start(
    name: &'static str,
    about: &'static str,
    default: fn() -> Value,
    check: fn(&Value) -> Result<Value, Said>,
) -> Known {
    Known { name, about, default, check, needs_restart: true }
}

fn empty() -> Value {
    json!("")
}

fn none() -> Value {
    json!([])
}

/// Every setting, in the order in which they are shown.
pub static SETTINGS: [Known; 11] = [
    live("house.name", "What the house is called on its own pages", || json!("BurnCloud"), |v| words(v, 1)),
    live("house.public_name", "What customers see it called; empty: its name", empty, |v| words(v, 0)),
    live(
        "routing.max_attempts",
        "Most channels that one request is tried at",
        || json!(4),
        |v| between(v, 1, 16),
    ),
    live(
        "routing.breaker_failures",
        "Failures within half a minute after which a channel rests",
        || json!(5),
        |v| between(v, 1, 1_000),
    ),
    live(
        "routing.breaker_pause_seconds",
        "For how long it rests at first",
        || json!(10),
        |v| between(v, 1, 3_600),
    ),
    live("cors.origins", "Websites whose pages may call the gateway", none, |v| list(v, origin)),
    live("upstream.proxy", "An HTTP proxy for channels that name none: http://host:port", empty, proxy),
    live(
        "log.keep_days",
        "Days that requests are kept before they are archived; 0: for ever",
        || json!(0),
        keep_days,
    ),
    at_start("server.public_url", "Where browsers reach the console, behind a proxy", empty, public_url),
    at_start(
        "server.trusted_proxies",
        "Addresses of proxies whose word on where a request comes from is taken",
        none,
        |v| list(v, address),
    ),
    at_start("server.listen", "The address and port of the server, such as 0.0.0.0:3000", empty, listen),
];

fn words(value: &Value, least: usize) -> Result<Value, Said> {
    let text = value.as_str().ok_or(Said::new("it is a text", "这里填文字"))?.trim();
    if text.len() > 128 || text.len() < least || text.chars().any(char::is_control) {
        return Err(Said::new(
            format!("it has {least} to 128 bytes and no control characters"),
            format!("长度为 {least} 到 128 字节，不含控制字符"),
        ));
    }
    Ok(json!(text))
}

fn between(value: &Value, least: u64, most: u64) -> Result<Value, Said> {
    let number = value.as_u64().filter(|number| (least..=most).contains(number));
    number.map(Value::from).ok_or_else(|| {
        Said::new(
            format!("it is a whole number from {least} to {most}"),
            format!("请填 {least} 到 {most} 之间的整数"),
        )
    })
}

/// The fewest days that requests are kept, and the most; 0 is for ever.
const KEPT_DAYS: [u64; 2] = [30, 3_650];

fn keep_days(value: &Value) -> Result<Value, Said> {
    let [least, most] = KEPT_DAYS;
    let number = value.as_u64().filter(|days| *days == 0 || (least..=most).contains(days));
    number.map(Value::from).ok_or_else(|| {
        Said::new(
            format!("it is 0, for ever, or a whole number from {least} to {most}"),
            format!("请填 0（永久）或 {least} 到 {most} 之间的整数"),
        )
    })
}

fn text(value: &Value) -> Result<&str, Said> {
    let text = value.as_str().ok_or(Said::new("it is a text", "这里填文字"))?.trim();
    if text.len() > 512 { Err(Said::new("it has at most 512 bytes", "最多 512 字节")) } else { Ok(text) }
}

fn proxy(value: &Value) -> Result<Value, Said> {
    let text = text(value)?;
    let right = text.strip_prefix("http://").is_some_and(host_and_port);
    if text.is_empty() || right {
        Ok(json!(text))
    } else {
        Err(Said::new("write http://host:port", "请写成 http://主机:端口"))
    }
}

fn public_url(value: &Value) -> Result<Value, Said> {
    let text = text(value)?.trim_end_matches('/');
    if text.is_empty() { Ok(json!("")) } else { origin(text).map(Value::from) }
}

fn listen(value: &Value) -> Result<Value, Said> {
    let text = text(value)?;
    let right = text.is_empty() || text.parse::<std::net::SocketAddr>().is_ok();
    if right {
        Ok(json!(text))
    } else {
        Err(Said::new(
            "write an address and a port, such as 0.0.0.0:3000",
            "填写地址和端口，例如 0.0.0.0:3000",
        ))
    }
}

fn address(text: &str) -> Result<String, Said> {
    let ip = text
        .parse::<IpAddr>()
        .map_err(|_| Said::new(format!("`{text}` is not an IP address"), format!("`{text}` 不是 IP 地址")))?;
    Ok(ip.to_string())
}

fn list(value: &Value, check: fn(&str) -> Result<String, Said>) -> Result<Value, Said> {
    let items = value.as_array().ok_or(Said::new("it is a list of texts", "这里填多行文字"))?;
    if items.len() > 100 {
        return Err(Said::new("it has at most 100 members", "最多 100 项"));
    }
    let checked: Result<Vec<String>, Said> = items.iter().map(|item| check(text(item)?)).collect();
    Ok(json!(checked?))
}

/// What addresses look like, as far as it matters here.
mod shapes {
    use burncloud_core::usecase::Said;

    /// `scheme://host[:port]` and nothing more.
    pub(super) fn origin(text: &str) -> Result<String, Said> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let right = rest.is_some_and(|rest| {
            let (host, port) = rest.rsplit_once(':').filter(|(h, _)| !h.is_empty()).unwrap_or((rest, "1"));
            is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if right {
            Ok(text.to_owned())
        } else {
            Err(Said::new(
                format!("`{text}` is not like https://app.example.com"),
                format!("`{text}` 不是 https://app.example.com 这样的地址"),
            ))
        }
    }

    pub(super) fn host_and_port(rest: &str) -> bool {
        let Some((host, port)) = rest.rsplit_once(':') else { return false };
        is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
    }

    fn is_host(host: &str) -> bool {
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match inner {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
                !host.is_empty() && host.bytes().all(fits)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        for known in &SETTINGS {
            let default = (known.default)();
            if !default.is_null() {
                assert_eq!((known.check)(&default).unwrap(), default, "{}", known.name);
            }
            assert!(std::ptr::eq(Known::named(known.name).unwrap(), known), "{} is there twice", known.name);
        }
    }

    #[test]
    fn what_would_lock_out_or_leak_is_refused() {
        let bad = [
            ("house.name", json!("")),
            ("house.name", json!("a\nb")),
            ("house.name", json!(7)),
            ("routing.max_attempts", json!(0)),
            ("routing.max_attempts", json!(1.5)),
            ("cors.origins", json!(["*"])),
            ("cors.origins", json!(["https://a.example/path"])),
            ("cors.origins", json!("https://a.example")),
            ("upstream.proxy", json!("http://user:pass@proxy:80")),
            ("upstream.proxy", json!("proxy:80")),
            ("server.public_url", json!("https://a.example/x")),
            ("server.trusted_proxies", json!(["10.0.0.0/8"])),
            ("server.listen", json!("3000")),
            ("log.keep_days", json!(1)),
            ("log.keep_days", json!(29)),
            ("log.keep_days", json!(-90)),
            ("log.keep_days", json!("90")),
            ("log.keep_days", json!(4_000)),
        ];
        for (name, value) in bad {
            assert!((Known::named(name).unwrap().check)(&value).is_err(), "{name} {value}");
        }
        let good = [
            ("house.name", json!("Harbour AI")),
            ("cors.origins", json!(["https://a.example", "http://localhost:8080", "http://[::1]:80"])),
            ("upstream.proxy", json!("http://proxy.example:3128")),
            ("server.listen", json!("[::]:3000")),
            ("log.keep_days", json!(0)),
            ("log.keep_days", json!(30)),
        ];
        for (name, value) in good {
            assert_eq!((Known::named(name).unwrap().check)(&value).unwrap(), value, "{name}");
        }
    }
}
