//! What AWS's SDKs sign with for a key of one's own.

use crate::kit::{Button, Copy};
use crate::live::{use_act, use_lang};
use burncloud_core::KeyId;
use dioxus::prelude::*;

/// Asked for on a click, and gone with the page.
#[component]
pub(super) fn Pair(id: KeyId) -> Element {
    let lang = use_lang();
    let mut pair = use_signal(|| None::<(String, String)>);
    let mut ask =
        use_act(move |cx, ()| async move { cx.console.desk().key_pair(&cx.viewer.actor, id).await });
    let asked = pair.read().clone();
    rsx! {
        div { class: "mt-4",
            if let Some((access, secret)) = asked {
                dl { id: "pair", class: "rounded-xl bg-fill p-4 grid gap-3",
                    for (name , value) in [("AWS_ACCESS_KEY_ID", access), ("AWS_SECRET_ACCESS_KEY", secret)] {
                        div { key: "{name}",
                            dt { class: "mono text-xs! text-muted", "{name}" }
                            dd { class: "flex items-start gap-2", code { class: "mono break-all grow", "{value}" } Copy { value: value.clone() } }
                        }
                    }
                }
            } else {
                Button { small: true, icon: "icon-[lucide--pen-line]", busy: ask.busy(),
                    onclick: move |_| ask.then((), move |(access, secret)| pair.set(Some((access, secret.expose().to_owned())))),
                    {lang.t("Show the pair that AWS's SDKs sign with", "显示 AWS SDK 的签名对")}
                }
            }
        }
    }
}
