//! A tenant's terms.

use super::close;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::{TenantEdit, TenantView};
use burncloud_core::TenantId;
use dioxus::prelude::*;

async fn change(cx: Cx, id: TenantId, version: String, form: Form) -> Result<(), Fault> {
    let edit = TenantEdit {
        unlimited: Some(form.on("terms-unlimited")),
        group: Some(form.some("terms-group")),
        time_zone: Some(form.text("terms-zone")),
        ..TenantEdit::default()
    };
    cx.console.desk().update_tenant(&cx.viewer.actor, id, edit, Some(&version)).await?;
    Ok(())
}

#[component]
pub(super) fn Terms(id: TenantId) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let read = use_load(id, |cx, id| async move { cx.console.desk().tenant(&cx.viewer.actor, id).await });
    let (name, body) = match &*read.read() {
        None => (String::new(), rsx! { Loading { rows: 2, headline: false } }),
        Some(Err(fault)) => (String::new(), rsx! { Broken { fault: fault.clone() } }),
        Some(Ok(view)) => {
            (view.tenant.name.clone(), rsx! { TermsForm { key: "{view.version}", view: view.clone() } })
        }
    };
    let title = match lang {
        Lang::En => format!("Terms of {name}"),
        Lang::Zh => format!("{name}的条款"),
    };
    rsx! { Dialog { id: "tenant-terms", title, onclose: move |()| close(here), {body} } }
}

/// What is between a tenant and the one that it buys from.
#[component]
pub(super) fn TermsForm(view: TenantView) -> Element {
    let (lang, here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let (id, version) = (view.tenant.id, view.version.clone());
    let mut run = use_act(move |cx, form: Form| change(cx, id, version.clone(), form));
    let bought = view.tenant.parent.is_some();
    rsx! {
        form { class: "grid gap-4",
            onsubmit: move |event| run.then(Form::of(&event), move |()| {
                toasts.show(Toast::done(lang.t("Saved", "已保存")));
                close(here);
            }),
            if bought {
                Field { id: "terms-group", label: lang.t("Group", "分组"), value: view.tenant.group.clone().unwrap_or_default(), error: run.error("group"),
                    hint: lang.t("Its ratio in the price book of whom it buys from.", "决定它在上级价目表里的倍率。").to_owned()
                }
            }
            Field { id: "terms-zone", label: lang.t("Time zone", "时区"), value: view.tenant.time_zone.clone(), placeholder: "Asia/Shanghai", error: run.error("time_zone"),
                hint: lang.t("By whose clock its months begin. Empty is UTC.", "它的月份按此时区起算，留空为 UTC。").to_owned()
            }
            if bought {
                Check { id: "terms-unlimited", checked: view.tenant.unlimited, {lang.t("No limit to what it may owe", "不限额度，可一直欠费")} }
            }
            div { class: "flex justify-end", Button { kind: Kind::Primary, submit: true, busy: run.busy(), id: "tenant-terms-go", {lang.t("Save", "保存")} } }
        }
    }
}
