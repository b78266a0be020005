//! Changing one thing of a key.

use super::create::{Apps, Buttons, Ips, Quota};
use super::fields::{self, Models, Speed};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::{Fault, use_act, use_lang};
use burncloud_billing::desk::KeyChange;
use burncloud_billing::desk::reports::KeyPage;
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Models,
    Quota,
    Speed,
    Ends,
    Group,
    Ips,
    Apps,
}

impl What {
    /// As in the URL.
    pub(super) fn of(code: &str) -> Option<What> {
        Some(match code {
            "models" => What::Models,
            "quota" => What::Quota,
            "speed" => What::Speed,
            "ends" => What::Ends,
            "group" => What::Group,
            "ips" => What::Ips,
            "apps" => What::Apps,
            _ => return None,
        })
    }

    fn title(self, lang: Lang) -> &'static str {
        match self {
            What::Models => lang.t("What it opens", "能打开什么"),
            What::Quota => lang.t("In its life", "总额度"),
            What::Speed => lang.t("Speed", "速度"),
            What::Ends => lang.t("When it ends", "何时到期"),
            What::Group => lang.t("Group", "分组"),
            What::Ips => lang.t("Where it may come from", "可以从哪里来"),
            What::Apps => lang.t("Which apps may use it", "哪些应用可用"),
        }
    }

    /// What the form says of it.
    fn read(self, lang: Lang, zone: &TimeZone, form: &Form) -> Result<KeyChange, Fault> {
        let mut change = KeyChange::default();
        match self {
            What::Models => change.models = Some(fields::models(form)),
            What::Quota => change.quota = Some(fields::amount(lang, form, "quota", "quota")?),
            What::Speed => change.limits = Some(fields::limits(lang, form)?),
            What::Ends => change.expires_at = Some(fields::ends(lang, zone, form.raw("ends"))?),
            What::Group => change.group = Some(form.some("group")),
            What::Ips => change.ips = Some(fields::ips(lang, form.raw("ips"))?),
            What::Apps => change.apps = Some(fields::lines(form.raw("apps"))),
        }
        Ok(change)
    }
}

#[component]
pub(super) fn Edit(page: KeyPage, served: Vec<String>, what: What, onclose: EventHandler<()>) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let view = &page.row.view;
    let (id, version, zone) = (view.key.id, view.version.clone(), f.zone.clone());
    let mut save = use_act(move |cx, form: Form| {
        let (version, zone) = (version.clone(), zone.clone());
        async move {
            let change = what.read(cx.viewer.lang, &zone, &form)?;
            Ok::<_, Fault>(cx.console.desk().update_key(&cx.viewer.actor, id, change, Some(&version)).await?)
        }
    });
    let key = view.key.clone();
    let joined = |list: Vec<String>| list.join("\n");
    let body = match what {
        What::Models => rsx! { Models { served, chosen: key.models, error: save.error("models") } },
        What::Quota => rsx! {
            Quota { value: key.quota.map(|quota| quota.to_string()).unwrap_or_default(), error: save.error("quota") }
        },
        What::Speed => rsx! { Speed { limits: key.limits, error: save.error("limits") } },
        What::Ends => rsx! {
            Field { id: "ends", label: lang.t("Last day", "最后一天"), kind: "date", value: fields::last_day(&f.zone, key.expires_at),
                hint: lang.t("Empty: never ends.", "留空则不过期。"), error: save.error("expires_at") }
        },
        What::Group => rsx! {
            Field { id: "group", label: lang.t("Calls as group", "以分组身份调用"), value: key.group.unwrap_or_default(),
                placeholder: lang.t("Its customer's", "随客户"), error: save.error("group") }
        },
        What::Ips => rsx! {
            Ips { value: joined(key.ips.unwrap_or_default().iter().map(ToString::to_string).collect()), error: save.error("ips") }
        },
        What::Apps => {
            rsx! { Apps { value: joined(key.apps.unwrap_or_default()), error: save.error("apps") } }
        }
    };
    rsx! {
        Dialog { id: "edit", title: what.title(lang), sub: view.key.name.clone(), onclose,
            form { class: "grid gap-5", onsubmit: move |event| save.then(Form::of(&event), move |_| onclose.call(())),
                {body}
                Buttons { onclose, busy: save.busy(), {lang.t("Save", "保存")} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_is_known_or_nothing() {
        let codes = ["models", "quota", "speed", "ends", "group", "ips", "apps"];
        assert!(codes.iter().all(|code| What::of(code).is_some()));
        assert_eq!((What::of("revoke"), What::of("")), (None, None));
    }
}
