//! What people and their states are called, and amounts as people type them.

use crate::kit::{Choice, Tone};
use crate::lang::Lang;
use crate::live::Fault;
use burncloud_billing::desk::{Powers, UserView};
use burncloud_core::ledger::EntryKind;
use burncloud_core::{Nano, Role, Status};

/// What a role is called.
pub(super) fn role_name(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Owner => lang.t("Owner", "所有者"),
        Role::Administrator => lang.t("Administrator", "管理员"),
        Role::Reseller => lang.t("Reseller", "分销商"),
        Role::EndUser => lang.t("Customer", "客户"),
        Role::Accountant => lang.t("Accountant", "会计"),
    }
}

/// What a role does, in a few words.
pub(super) fn role_words(lang: Lang, role: Role) -> &'static str {
    match role {
        Role::Owner => lang.t("Everything, everywhere", "可做任何事"),
        Role::Administrator => lang.t("Everything but owners", "除所有者以外的一切"),
        Role::Reseller => lang.t("Sells to others", "再卖给别人"),
        Role::EndUser => lang.t("Calls, and sees their own", "调用，只看自己的"),
        Role::Accountant => lang.t("Sees the money, changes nothing", "查看账目，不能改动"),
    }
}

/// The icon of a role.
pub(super) fn role_icon(role: Role) -> &'static str {
    match role {
        Role::Owner => "icon-[lucide--crown]",
        Role::Administrator => "icon-[lucide--shield-check]",
        Role::Reseller => "icon-[lucide--store]",
        Role::EndUser => "icon-[lucide--user]",
        Role::Accountant => "icon-[lucide--calculator]",
    }
}

/// How somebody is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Online,
    Offline,
    Broke,
    Banned,
    Withdrawn,
}

impl State {
    pub(super) fn of(view: &UserView) -> State {
        let user = &view.user;
        // Who buys nothing runs out of nothing.
        let buys = matches!(user.role, Role::EndUser | Role::Reseller) || user.used > Nano::ZERO;
        match user.status {
            Status::Revoked => State::Withdrawn,
            Status::Disabled => State::Banned,
            Status::Active if buys && !user.unlimited && user.balance.plus(user.credit) <= Nano::ZERO => {
                State::Broke
            }
            Status::Active if view.online_at.is_some() => State::Online,
            Status::Active => State::Offline,
        }
    }

    pub(super) fn word(self, lang: Lang) -> &'static str {
        match self {
            State::Online => lang.t("Online", "在线"),
            State::Offline => lang.t("Offline", "离线"),
            State::Broke => lang.t("Out of credit", "余额用完"),
            State::Banned => lang.t("Banned", "已封禁"),
            State::Withdrawn => lang.t("Withdrawn", "已注销"),
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            State::Online => Tone::Good,
            State::Offline => Tone::Plain,
            State::Broke => Tone::Care,
            State::Banned | State::Withdrawn => Tone::Bad,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            State::Online | State::Offline => "text-muted",
            State::Broke => "text-warning",
            State::Banned | State::Withdrawn => "text-error",
        }
    }
}

/// What an entry of the ledger is called.
pub(super) fn kind_name(lang: Lang, kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Receipts => lang.t("Requests", "请求"),
        EntryKind::TopUp => lang.t("Top-up", "充值"),
        EntryKind::Redeem => lang.t("Code redeemed", "兑换码"),
        EntryKind::Promotion => lang.t("Gift", "赠送"),
        EntryKind::Adjustment => lang.t("Correction", "更正"),
        EntryKind::CreditLine => lang.t("Credit line", "信用额度"),
        EntryKind::Reversal => lang.t("Undone", "冲销"),
        EntryKind::Opening => lang.t("Opening balance", "期初余额"),
    }
}

/// What somebody is called on a screen.
pub(super) fn called(view: &UserView) -> String {
    view.display.clone().unwrap_or_else(|| view.user.name.clone())
}

/// An amount as people type it: `1,284.64`, `$5`, `−20`.
pub(super) fn amount(lang: Lang, text: &str, field: &str) -> Result<Nano, Fault> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | '$' | ' ' | '，')).collect();
    let plain = plain.replace('\u{2212}', "-");
    plain.parse().map_err(|_| {
        Fault::field(
            field,
            lang.t("Write an amount in dollars, such as 250 or 12.50.", "请填写美元金额，如 250 或 12.50。"),
        )
    })
}

/// The tenants at which something may be done, as choices, indented by their level.
pub(super) fn places(powers: &[Powers], fits: impl Fn(&Powers) -> bool) -> Vec<Choice> {
    let label = |at: &Powers| format!("{}{}", "\u{2003}".repeat(at.level), at.name);
    powers.iter().filter(|at| fits(at)).map(|at| Choice::new(at.tenant.to_string(), label(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{UnixMicros, User};

    fn view(user: User, online: bool) -> UserView {
        UserView {
            user,
            tenant_name: String::new(),
            login: None,
            display: None,
            signed_in_at: None,
            online_at: online.then_some(UnixMicros(1)),
            version: String::new(),
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let read = |text| amount(Lang::En, text, "amount").ok();
        assert_eq!(read("$1,284.64"), Some(Nano(1_284_640_000_000)));
        assert_eq!(read(" 5 "), Some(Nano(5_000_000_000)));
        assert_eq!(read("\u{2212}20"), Some(Nano(-20_000_000_000)));
        for wrong in ["", "five", "1.2.3", "99999999999999999999"] {
            assert_eq!(
                amount(Lang::Zh, wrong, "gift").unwrap_err().field.as_deref(),
                Some("gift"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_ban_goes_before_an_empty_wallet_and_that_before_being_here() {
        let state = |status, role, balance, online| {
            let user = User { status, role, balance: Nano(balance), ..User::default() };
            State::of(&view(user, online))
        };
        assert_eq!(state(Status::Disabled, Role::EndUser, 0, true), State::Banned);
        assert_eq!(state(Status::Revoked, Role::EndUser, 9, false), State::Withdrawn);
        assert_eq!(state(Status::Active, Role::EndUser, 0, true), State::Broke);
        assert_eq!(state(Status::Active, Role::Accountant, 0, true), State::Online);
        assert_eq!(state(Status::Active, Role::EndUser, 9, false), State::Offline);
        let credit = User { credit: Nano(1), ..User::default() };
        assert_eq!(State::of(&view(credit, true)), State::Online);
    }
}
