//! Asks before an account goes.

use super::super::data::Account;
use super::super::home;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Status};
use dioxus::prelude::*;

/// One that ever served is withdrawn, so that its receipts keep its name; any other is deleted.
async fn remove(cx: Cx, id: ChannelId, delete: bool) -> UseCaseResult<()> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    if delete {
        return desk.delete_channel(actor, id, None).await;
    }
    desk.set_channel_status(actor, id, Status::Revoked, None).await.map(drop)
}

#[component]
pub(crate) fn Remove(account: Account) -> Element {
    let (lang, mut here, mut toasts) = (use_lang(), use_here(), use_toasts());
    let mut removing = use_act(|cx, (id, delete): (ChannelId, bool)| remove(cx, id, delete));
    let name = account.view.name.clone();
    let gone = account.view.status == Status::Revoked;
    let delete = gone || !account.served();
    let text = match (delete, gone) {
        (_, true) => lang.t(
            "Receipts of its time keep its number and lose its name. This cannot be undone.",
            "它的小票会保留编号，不再显示名字。无法撤销。",
        ),
        (true, _) => lang.t(
            "It never served anybody, so nothing will miss it. Its key is forgotten. This cannot be undone.",
            "它从未供应过请求，不影响任何记录。密钥会一并删除，无法撤销。",
        ),
        (false, _) => lang.t(
            "It serves no more, for good; its receipts keep its name. Switch it off instead if it may come back.",
            "它将永久停止供应，小票会保留它的名字。如果以后还要用，停用即可。",
        ),
    };
    let title = match (lang, delete) {
        (Lang::En, true) => format!("Delete {name}?"),
        (Lang::En, false) => format!("Withdraw {name}?"),
        (Lang::Zh, true) => format!("删除 {name}？"),
        (Lang::Zh, false) => format!("撤下 {name}？"),
    };
    let id = account.view.id;
    rsx! {
        Confirm { id: "remove-account", title, text, word: name.clone(), busy: removing.busy(),
            action: if delete { lang.t("Delete", "删除") } else { lang.t("Withdraw", "撤下") },
            onclose: move |()| here.go(home()),
            onconfirm: move |()| {
                let name = name.clone();
                removing.then((id, delete), move |()| {
                    toasts.show(Toast::done(match lang { Lang::En => format!("{name} is gone"), Lang::Zh => format!("{name} 已移除") }));
                    here.go(home());
                });
            },
        }
    }
}
