//! Who may do what where, read off the table that decides it.

use super::words::{role_icon, role_name, role_words};
use super::{Switch, View};
use crate::fmt::NOTHING;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::people::{Action, Place as At, may};
use burncloud_core::Role;
use dioxus::prelude::*;

/// What is told of each role.
const TOLD: [Action; 12] = [
    Action::SeeOwn,
    Action::ManageOwnKeys,
    Action::See,
    Action::SeeMoney,
    Action::ManageUsers,
    Action::ManageKeys,
    Action::FundUser,
    Action::SetRole,
    Action::CreateTenant,
    Action::SetPrices,
    Action::ManageHouse,
    Action::ManageOwners,
];

fn name(lang: Lang, action: Action) -> &'static str {
    match action {
        Action::SeeOwn => lang.t("See their own wallet, keys and requests", "看自己的钱包、密钥和请求"),
        Action::ManageOwnKeys => lang.t("Make and change their own keys", "管理自己的密钥"),
        Action::See => lang.t("See users and terms", "看用户和条款"),
        Action::SeeMoney => lang.t("See the money", "看账目"),
        Action::ManageUsers => lang.t("Make, invite and ban users", "创建、邀请、封禁用户"),
        Action::ManageKeys => lang.t("Change users' keys", "管理用户的密钥"),
        Action::FundUser => lang.t("Move users' money", "给用户充值、调账"),
        Action::SetRole => lang.t("Give roles", "分配角色"),
        Action::CreateTenant => lang.t("Make tenants below", "新建下级租户"),
        Action::SetPrices => lang.t("Set prices", "定价"),
        Action::ManageHouse => lang.t("Accounts, models, settings of the house", "平台的账号、模型和设置"),
        Action::ManageOwners => lang.t("Make and unmake owners", "任免所有者"),
        other => other.words(),
    }
}

/// Up to where a role may do something, in words; `None` is nowhere.
fn reach(lang: Lang, role: Role, action: Action) -> Option<&'static str> {
    let at = |place| may(role, action, place);
    match (at(At::Own), at(At::Below), at(At::Elsewhere)) {
        (_, _, true) => Some(lang.t("Everywhere", "全部")),
        (true, true, false) => Some(lang.t("Own and below", "自己和下级")),
        (true, false, false) => Some(lang.t("Own", "自己")),
        (false, true, false) => Some(lang.t("Below", "下级")),
        (false, false, false) => None,
    }
}

#[component]
pub(super) fn Roles() -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let own = role_name(lang, conn.viewer.actor.role);
    let head = rsx! {
        th { scope: "col", {lang.t("May", "权限")} }
        for role in Role::ALL { th { key: "{role:?}", scope: "col", class: "max-md:hidden", {role_name(lang, role)} } }
    };
    rsx! {
        Headline { class: "mb-5",
            match lang {
                Lang::En => rsx! { strong { "Five roles" } "; yours is {own}." },
                Lang::Zh => rsx! { strong { "五种角色" } "，你是{own}。" },
            }
        }
        Switch { view: View::Roles }
        ul { class: "rows mb-10",
            for role in Role::ALL {
                li { key: "{role:?}", class: "flex items-start gap-4 py-3",
                    Icon { i: role_icon(role), class: "size-4.5 mt-0.5" }
                    span { class: "min-w-0",
                        span { class: "block font-medium", {role_name(lang, role)} }
                        span { class: "block text-sm text-muted", {role_words(lang, role)} }
                        span { class: "md:hidden block mt-2 text-sm",
                            for action in TOLD {
                                if let Some(reach) = reach(lang, role, action) {
                                    span { key: "{action:?}", class: "block", {name(lang, action)} span { class: "text-muted", " · {reach}" } }
                                }
                            }
                        }
                    }
                }
            }
        }
        Table { caption: lang.t("Who may do what, and where", "谁可以在哪里做什么"), head, class: "max-md:hidden",
            for action in TOLD {
                tr { key: "{action:?}",
                    th { scope: "row", class: "font-normal text-ink", {name(lang, action)} }
                    for role in Role::ALL {
                        td { key: "{role:?}", class: "text-muted text-sm max-md:hidden", {reach(lang, role, action).unwrap_or(NOTHING)} }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_table() {
        let of = |role, action| reach(Lang::En, role, action);
        assert_eq!(of(Role::Owner, Action::ManageOwners), Some("Everywhere"));
        assert_eq!(of(Role::Administrator, Action::ManageOwners), None);
        assert_eq!(of(Role::Reseller, Action::ManageUsers), Some("Own and below"));
        assert_eq!(of(Role::Reseller, Action::FundTenant), Some("Below"));
        assert_eq!(of(Role::EndUser, Action::SeeOwn), Some("Own"));
        assert_eq!(reach(Lang::Zh, Role::Accountant, Action::SeeMoney), Some("自己和下级"));
    }

    #[test]
    fn each_row_has_words_of_its_own() {
        for action in TOLD {
            assert_ne!(name(Lang::Zh, action), action.words(), "{action:?}");
        }
    }
}
