//! The pages at the door: one form under a rising sun.

use crate::kit::{Brand, Button, Field, Icon, Kind, PulseState, Sun};
use crate::lang::Lang;
use crate::live::use_lang;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_billing::desk::login::{Offer, SHORTEST};
use dioxus::prelude::*;
use qrcode::QrCode;
use qrcode::render::svg;
use secrecy::ExposeSecret;

const H1: &str =
    "text-2xl font-[580] zh:font-semibold tracking-[-0.025em] zh:tracking-normal text-center text-balance";
const LEAD: &str = "mt-2 text-center text-muted text-balance";
const LINK: &str = "mt-5 text-center text-sm";

/// What a page at the door is drawn of.
#[derive(Clone, PartialEq)]
pub(super) struct Door {
    pub(super) prefix: String,
    /// What its forms and links carry: `?next=` with where somebody was going, or nothing.
    pub(super) next: String,
    /// Where whoever is in goes.
    pub(super) goal: String,
    pub(super) house: String,
    pub(super) csrf: String,
    pub(super) state: State,
}

/// Which page.
#[derive(Clone, PartialEq)]
pub(super) enum State {
    SignIn(SignInState),
    Code {
        error: Option<String>,
    },
    Password {
        error: Option<String>,
    },
    Factor(FactorState),
    Recovery {
        codes: Vec<String>,
    },
    Locked {
        seconds: u64,
    },
    First {
        error: Option<String>,
    },
    New(NewState),
    /// One's own password, from the account's page.
    Change {
        current: Option<String>,
        error: Option<String>,
        csrf: String,
    },
    Notice {
        text: String,
    },
}

#[derive(Clone, PartialEq)]
pub(super) struct SignInState {
    pub(super) name: String,
    pub(super) error: Option<String>,
    /// The button of the provider of identities, where there is one.
    pub(super) provider: Option<String>,
    pub(super) register: bool,
}

#[derive(Clone, PartialEq)]
pub(super) struct FactorState {
    picture: String,
    secret: String,
    offer: String,
    error: Option<String>,
}

/// Whose first login it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Owner,
    Invited,
    Anybody,
}

#[derive(Clone, PartialEq)]
pub(super) struct NewState {
    pub(super) which: Which,
    pub(super) code: String,
    pub(super) login: String,
    pub(super) display: String,
    pub(super) login_error: Option<String>,
    pub(super) display_error: Option<String>,
    pub(super) password_error: Option<String>,
    pub(super) error: Option<String>,
}

impl NewState {
    pub(super) fn new(which: Which) -> NewState {
        NewState {
            which,
            code: String::new(),
            login: String::new(),
            display: String::new(),
            login_error: None,
            display_error: None,
            password_error: None,
            error: None,
        }
    }

    pub(super) fn wrong(mut self, field: Option<&str>, text: String) -> State {
        match field {
            Some("login") => self.login_error = Some(text),
            Some("name") => self.display_error = Some(text),
            Some("password") => self.password_error = Some(text),
            _ => self.error = Some(text),
        }
        State::New(self)
    }
}

impl State {
    pub(super) fn wrong(self, text: String) -> State {
        match self {
            State::SignIn(state) => State::SignIn(SignInState { error: Some(text), ..state }),
            other => other,
        }
    }

    pub(super) fn factor(offer: &Offer, error: Option<String>) -> State {
        State::Factor(FactorState {
            picture: qr(offer.uri.expose_secret()),
            secret: offer.secret.expose_secret().to_owned(),
            offer: offer.sealed.clone(),
            error,
        })
    }

    pub(super) fn title(&self, lang: Lang) -> &'static str {
        match self {
            State::First { .. } | State::New(_) => lang.t("Welcome", "欢迎"),
            _ => lang.t("Sign in", "登录"),
        }
    }
}

/// The picture of a text, as a `data:` URL for an `img`; empty where it is too long.
#[must_use]
pub fn qr(text: &str) -> String {
    let Ok(code) = QrCode::new(text.as_bytes()) else { return String::new() };
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).quiet_zone(true).build();
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(picture))
}

/// A page at the door.
pub(super) fn app(door: Door) -> Element {
    let lang = use_lang();
    let rest = matches!(door.state, State::First { .. } | State::New(_));
    let pulse = if rest { PulseState::Rest } else { PulseState::Flow };
    let look = format!("{}/look", door.prefix);
    rsx! {
        div { class: "relative min-h-dvh flex flex-col overflow-hidden isolate bg-base-100",
            header { class: "flex items-center px-5 md:px-8 h-16",
                span { class: "flex items-center gap-2.5 font-semibold tracking-[-0.015em] text-[0.9375rem]",
                    Brand { state: pulse }
                    "{door.house}"
                }
                form { method: "post", action: "{look}", class: "ms-auto flex gap-0.5",
                    input { r#type: "hidden", name: "back", value: "{door.prefix}/signin{door.next}" }
                    button { r#type: "submit", name: "lang", value: lang.other().code(), class: "btn btn-ghost btn-sm btn-square",
                        "aria-label": lang.t("切换到中文", "Switch to English"),
                        span { class: "text-sm font-medium", {lang.t("中", "EN")} }
                    }
                }
            }
            main { id: "main", class: "grow grid place-items-center px-5 pb-[18vh]",
                div { class: "w-full max-w-[22rem]", {body(lang, &door)} }
            }
            Sun { state: pulse }
        }
    }
}

fn body(lang: Lang, door: &Door) -> Element {
    match &door.state {
        State::SignIn(state) => sign_in(lang, door, state),
        State::Code { error } => code(lang, door, error.clone()),
        State::Password { error } => password(lang, door, error.clone()),
        State::Factor(state) => factor(lang, door, state),
        State::Recovery { codes } => recovery(lang, door, codes),
        State::Locked { seconds } => locked(lang, *seconds),
        State::First { error } => first(lang, door, error.clone()),
        State::New(state) => new(lang, door, state),
        State::Change { current, error, csrf } => change(lang, door, current.clone(), error.clone(), csrf),
        State::Notice { text } => notice(lang, door, text),
    }
}

fn head(title: &str, lead: &str) -> Element {
    rsx! {
        h1 { class: H1, "{title}" }
        if !lead.is_empty() { p { class: LEAD, "{lead}" } }
    }
}

fn form(door: &Door, path: &str, csrf: &str, button: &str, fields: Element) -> Element {
    let action = format!("{}{path}{}", door.prefix, door.next);
    rsx! {
        form { method: "post", action, class: "mt-8 grid gap-4",
            input { r#type: "hidden", name: "csrf", value: "{csrf}" }
            {fields}
            Button { kind: Kind::Primary, submit: true, class: "h-11 mt-1 w-full", "{button}" }
        }
    }
}

fn secret_field(
    id: &str,
    label: &str,
    autocomplete: &'static str,
    error: Option<String>,
    hint: Option<String>,
) -> Element {
    rsx! {
        Field { id: "{id}", label: "{label}", kind: "password", autocomplete, error, hint, required: true,
            class: "input-lg text-base! h-11!"
        }
    }
}

fn new_password(lang: Lang, error: Option<String>) -> Element {
    let hint = match lang {
        Lang::En => format!("At least {SHORTEST} characters. A few words will do."),
        Lang::Zh => format!("至少 {SHORTEST} 个字符，几个词语就可以。"),
    };
    secret_field("password", lang.t("New password", "新密码"), "new-password", error, Some(hint))
}

fn sign_in(lang: Lang, door: &Door, state: &SignInState) -> Element {
    let fields = rsx! {
        Field { id: "name", label: lang.t("E-mail or name", "邮箱或用户名"), value: state.name.clone(), autocomplete: "username",
            required: true, autofocus: state.name.is_empty(), class: "input-lg text-base! h-11!"
        }
        {secret_field("password", lang.t("Password", "密码"), "current-password", state.error.clone(), None)}
    };
    let provider = state.provider.as_ref().map(|text| {
        if text.is_empty() {
            lang.t("Sign in with your organisation", "用企业账号登录").to_owned()
        } else {
            text.clone()
        }
    });
    rsx! {
        {head(lang.t("Welcome back", "欢迎回来"), "")}
        {form(door, "/signin", &door.csrf, lang.t("Sign in", "登录"), fields)}
        if let Some(provider) = provider {
            a { href: "{door.prefix}/oidc{door.next}", class: "btn btn-quiet h-11 w-full mt-3", "{provider}" }
        }
        if state.register {
            p { class: LINK, a { href: "{door.prefix}/signup{door.next}", class: "link", {lang.t("Make an account", "注册账号")} } }
        }
        details { class: "{LINK} text-muted",
            summary { class: "link cursor-pointer", {lang.t("Forgot the password?", "忘记密码？")} }
            p { class: "mt-2", {lang.t("Whoever manages your account can give you another one.", "请联系管理你账号的人重置密码。")} }
        }
    }
}

fn code(lang: Lang, door: &Door, error: Option<String>) -> Element {
    let fields = rsx! {
        Field { id: "code", label: lang.t("Six digits, or a recovery code", "六位数字或恢复码"), autocomplete: "one-time-code", error,
            required: true, autofocus: true, class: "h-14! text-2xl! tracking-[0.2em] num"
        }
    };
    let lead = lang.t(
        "From the authenticator on your phone. A recovery code works too.",
        "来自手机上的验证器，也可以用恢复码。",
    );
    rsx! {
        {head(lang.t("Six digits, please", "请输入六位数字"), lead)}
        {form(door, "/signin/code", &door.csrf, lang.t("Open", "打开"), fields)}
    }
}

fn password(lang: Lang, door: &Door, error: Option<String>) -> Element {
    let lead = lang.t("Somebody else gave you the one you have.", "现在的密码是别人为你设置的。");
    rsx! {
        {head(lang.t("A password of your own", "设置自己的密码"), lead)}
        {form(door, "/signin/password", &door.csrf, lang.t("Continue", "继续"), new_password(lang, error))}
    }
}

fn factor(lang: Lang, door: &Door, state: &FactorState) -> Element {
    let fields = rsx! {
        input { r#type: "hidden", name: "offer", value: "{state.offer}" }
        img { src: "{state.picture}", alt: lang.t("The picture for your authenticator", "验证器二维码"), width: "200", height: "200",
            class: "mx-auto rounded-xl bg-white p-2"
        }
        p { class: "mono text-sm text-center break-all", "{state.secret}" }
        Field { id: "code", label: lang.t("Six digits", "六位数字"), autocomplete: "one-time-code", inputmode: "numeric",
            error: state.error.clone(), required: true, class: "h-11! num"
        }
    };
    let lead = lang.t(
        "Whoever keeps the house signs in with two. Scan this, then type what it shows.",
        "管理者需要双重验证。请扫码，再输入验证器显示的数字。",
    );
    rsx! {
        {head(lang.t("A second factor", "双重验证"), lead)}
        {form(door, "/signin/factor", &door.csrf, lang.t("Continue", "继续"), fields)}
    }
}

fn recovery(lang: Lang, door: &Door, codes: &[String]) -> Element {
    let lead = lang.t(
        "Each opens once when your phone is gone. They are shown only now.",
        "手机不在时每个可用一次，仅显示这一次。",
    );
    rsx! {
        {head(lang.t("Keep these codes", "请保存恢复码"), lead)}
        ul { class: "mt-6 grid grid-cols-2 gap-2 mono text-sm",
            for code in codes { li { key: "{code}", class: "text-center", "{code}" } }
        }
        a { href: "{door.goal}", class: "btn btn-primary h-11 mt-6 w-full", {lang.t("I have them", "已保存")} }
    }
}

fn locked(lang: Lang, seconds: u64) -> Element {
    let left = format!("{}:{:02}", seconds / 60, seconds % 60);
    rsx! {
        div { class: "text-center",
            span { class: "inline-grid place-items-center size-14 rounded-2xl bg-fill text-muted",
                Icon { i: "icon-[lucide--hourglass]", class: "size-6" }
            }
            h1 { class: "mt-6 {H1}", {lang.t("Take a breath", "先歇一会儿")} }
            p { class: "mt-2 text-muted num", role: "status",
                {lang.t("Too many tries. The door opens again in ", "尝试次数过多，")}
                span { class: "text-ink font-medium", "{left}" }
                {lang.t(".", " 后再试。")}
            }
        }
    }
}

fn first(lang: Lang, door: &Door, error: Option<String>) -> Element {
    let fields = rsx! {
        Field { id: "code", label: lang.t("One-time password", "一次性密码"), placeholder: "xxxx-xxxx-xxxx", error, required: true,
            autofocus: true, hide_label: true, class: "h-12! text-center mono text-base! tracking-[0.08em]"
        }
    };
    let lead = lang.t(
        "Type the password that BurnCloud printed when it started.",
        "输入 BurnCloud 启动时打印的一次性密码。",
    );
    rsx! {
        {steps(lang, 1)}
        {head(lang.t("Hello. Is this yours?", "你好，这是你的吗？"), lead)}
        {form(door, "/setup", &door.csrf, lang.t("It is mine", "是我的"), fields)}
    }
}

fn steps(lang: Lang, at: u8) -> Element {
    let label = match lang {
        Lang::En => format!("Step {at} of 2"),
        Lang::Zh => format!("第 {at} 步，共 2 步"),
    };
    rsx! {
        ol { class: "flex justify-center gap-1.5 mb-8", "aria-label": "{label}",
            for step in [1, 2] {
                li { key: "{step}", class: if step == at { "h-1 rounded-full w-8 bg-ink" } else { "h-1 rounded-full w-4 bg-line" },
                    "aria-current": if step == at { "step" }
                }
            }
        }
    }
}

fn new(lang: Lang, door: &Door, state: &NewState) -> Element {
    let (path, title, lead, button) = match state.which {
        Which::Owner => (
            "/setup/owner",
            lang.t("Who are you?", "你是谁？"),
            lang.t(
                "The owner can do everything. You can invite others later.",
                "所有者拥有全部权限，之后可以邀请别人。",
            ),
            lang.t("Open the shop", "开张"),
        ),
        Which::Invited => (
            "/join",
            lang.t("You are invited", "你收到了邀请"),
            lang.t("Choose what you sign in by.", "设置你的登录方式。"),
            lang.t("Come in", "进入"),
        ),
        Which::Anybody => (
            "/signup",
            lang.t("Make an account", "注册账号"),
            lang.t("Choose what you sign in by.", "设置你的登录方式。"),
            lang.t("Come in", "进入"),
        ),
    };
    let fields = rsx! {
        if !state.code.is_empty() { input { r#type: "hidden", name: "code", value: "{state.code}" } }
        if let Some(error) = &state.error { p { role: "alert", class: "text-sm text-error text-center", "{error}" } }
        Field { id: "display", label: lang.t("Name", "名字"), value: state.display.clone(), autocomplete: "name",
            error: state.display_error.clone(), class: "h-11!"
        }
        Field { id: "login", label: lang.t("E-mail", "邮箱"), value: state.login.clone(), autocomplete: "username", required: true,
            error: state.login_error.clone(), class: "h-11!"
        }
        {new_password(lang, state.password_error.clone())}
    };
    rsx! {
        if state.which == Which::Owner { {steps(lang, 2)} }
        {head(title, lead)}
        {form(door, path, &door.csrf, button, fields)}
    }
}

fn change(lang: Lang, door: &Door, current: Option<String>, error: Option<String>, csrf: &str) -> Element {
    let fields = rsx! {
        {secret_field("current", lang.t("Your password", "当前密码"), "current-password", current, None)}
        {new_password(lang, error)}
    };
    rsx! {
        {head(lang.t("Another password", "修改密码"), lang.t("Everything else that is signed in will be signed out.", "其他已登录的设备都会退出。"))}
        {form(door, "/account/password", csrf, lang.t("Change it", "修改"), fields)}
        p { class: LINK, a { href: "{door.prefix}/account", class: "link", {lang.t("Back", "返回")} } }
    }
}

fn notice(lang: Lang, door: &Door, text: &str) -> Element {
    rsx! {
        {head(lang.t("This did not work", "没有成功"), "")}
        p { role: "alert", class: LEAD, "{text}" }
        p { class: LINK, a { href: "{door.prefix}/signin{door.next}", class: "link", {lang.t("To the sign-in", "去登录")} } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_url_that_the_policy_lets_in() {
        assert!(qr("otpauth://totp/BurnCloud:a?secret=AAAA").starts_with("data:image/svg+xml;base64,"));
        assert_eq!(qr(&"x".repeat(5000)), "");
    }
}
