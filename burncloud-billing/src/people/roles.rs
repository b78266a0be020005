//! The table of who may do what where.

use burncloud_core::Role;

/// Something that not everybody may do. Those with "at a tenant" are about the tenant that is named: its users and what
/// it sells. What is between a tenant and its parent (its wallet, its terms) is about that tenant as well, and nobody
/// but an owner or an administrator may do it at their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See its users, keys, terms and prices.
    See,
    /// See its wallets, receipts and entries.
    SeeMoney,
    /// Make a tenant right below it.
    CreateTenant,
    /// Change its terms: whether it is on, its group, its limits, a budget for it.
    ChangeTenant,
    /// Put money into its wallet at its parent, or take some out.
    FundTenant,
    /// Grant it a credit line at its parent.
    CreditTenant,
    /// Make and change its users, and budgets for them.
    ManageUsers,
    /// Make and change its users' keys.
    ManageKeys,
    /// Put money into its users' wallets, or take some out.
    FundUser,
    /// Grant its users credit lines.
    CreditUser,
    /// Give its users another role.
    SetRole,
    /// Set the prices that it sells at.
    SetPrices,
    /// Make redeem codes that it answers for.
    MakeCodes,
    /// What concerns everybody: channels and what they cost, plans and who has which, budgets of channels and models,
    /// exchange rates, tenants of the house.
    ManageHouse,
    /// Make and unmake administrators.
    ManageAdministrators,
    /// Make and unmake owners.
    ManageOwners,
    /// See one's own wallet, keys and receipts.
    SeeOwn,
    /// Make and change one's own keys.
    ManageOwnKeys,
    /// Use a redeem code for one's own wallet.
    RedeemOwn,
}

impl Action {
    /// Every one.
    pub const ALL: [Action; 19] = [
        Action::See,
        Action::SeeMoney,
        Action::CreateTenant,
        Action::ChangeTenant,
        Action::FundTenant,
        Action::CreditTenant,
        Action::ManageUsers,
        Action::ManageKeys,
        Action::FundUser,
        Action::CreditUser,
        Action::SetRole,
        Action::SetPrices,
        Action::MakeCodes,
        Action::ManageHouse,
        Action::ManageAdministrators,
        Action::ManageOwners,
        Action::SeeOwn,
        Action::ManageOwnKeys,
        Action::RedeemOwn,
    ];

    /// As in "may not …".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Action::See => "see users and terms",
            Action::SeeMoney => "see money",
            Action::CreateTenant => "make tenants",
            Action::ChangeTenant => "change the terms",
            Action::FundTenant => "move the money in the wallet",
            Action::CreditTenant => "grant credit",
            Action::ManageUsers => "change users",
            Action::ManageKeys => "change keys",
            Action::FundUser => "move users' money",
            Action::CreditUser => "grant users credit",
            Action::SetRole => "give roles",
            Action::SetPrices => "set prices",
            Action::MakeCodes => "make redeem codes",
            Action::ManageHouse => "decide",
            Action::ManageAdministrators => "make or unmake administrators",
            Action::ManageOwners => "make or unmake owners",
            Action::SeeOwn => "see its own",
            Action::ManageOwnKeys => "change its own keys",
            Action::RedeemOwn => "use redeem codes",
        }
    }

    /// As [`words`](Action::words), in Chinese, after "may not".
    pub(super) fn words_zh(self) -> &'static str {
        match self {
            Action::See => "查看用户与条款",
            Action::SeeMoney => "查看资金",
            Action::CreateTenant => "新建租户",
            Action::ChangeTenant => "修改条款",
            Action::FundTenant => "动用钱包里的钱",
            Action::CreditTenant => "给予信用额度",
            Action::ManageUsers => "修改用户",
            Action::ManageKeys => "修改密钥",
            Action::FundUser => "动用用户的钱",
            Action::CreditUser => "给用户信用额度",
            Action::SetRole => "分配角色",
            Action::SetPrices => "定价",
            Action::MakeCodes => "生成兑换码",
            Action::ManageHouse => "替自营方作主",
            Action::ManageAdministrators => "任免管理员",
            Action::ManageOwners => "任免所有者",
            Action::SeeOwn => "查看自己的数据",
            Action::ManageOwnKeys => "修改自己的密钥",
            Action::RedeemOwn => "使用兑换码",
        }
    }
}

/// Where a tenant is, as somebody else sees it from their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Their own.
    Own,
    /// It buys from theirs, however far down.
    Below,
    /// Theirs buys from it, however far up.
    Above,
    /// In another branch, or of no branch: the house's.
    Elsewhere,
}

impl Place {
    /// Every one.
    pub const ALL: [Place; 4] = [Place::Own, Place::Below, Place::Above, Place::Elsewhere];
}

/// Up to where somebody may do something.
#[derive(Clone, Copy)]
enum Reach {
    Nowhere,
    Own,
    Below,
    /// Own and below.
    Branch,
    Everywhere,
}

impl Reach {
    fn holds(self, place: Place) -> bool {
        match self {
            Reach::Nowhere => false,
            Reach::Own => place == Place::Own,
            Reach::Below => place == Place::Below,
            Reach::Branch => matches!(place, Place::Own | Place::Below),
            Reach::Everywhere => true,
        }
    }
}

/// Whether somebody of that role may do that at a tenant in that place.
#[must_use]
pub fn may(role: Role, action: Action, place: Place) -> bool {
    let [owner, administrator, reseller, end_user, accountant] = row(action);
    let reach = match role {
        Role::Owner => owner,
        Role::Administrator => administrator,
        Role::Reseller => reseller,
        Role::EndUser => end_user,
        Role::Accountant => accountant,
    };
    reach.holds(place)
}

/// Owner, administrator, reseller, end user, accountant.
fn row(action: Action) -> [Reach; 5] {
    use Reach::{Below, Branch, Everywhere as All, Nowhere as No, Own};
    match action {
        Action::See | Action::SeeMoney => [All, All, Branch, No, Branch],
        Action::CreateTenant
        | Action::ManageUsers
        | Action::ManageKeys
        | Action::FundUser
        | Action::CreditUser
        | Action::SetRole
        | Action::MakeCodes => [All, All, Branch, No, No],
        Action::ChangeTenant | Action::FundTenant | Action::CreditTenant => [All, All, Below, No, No],
        Action::SetPrices => [All, All, Own, No, No],
        Action::ManageHouse | Action::ManageAdministrators => [All, All, No, No, No],
        Action::ManageOwners => [All, No, No, No, No],
        Action::SeeOwn => [Own, Own, Own, Own, Own],
        Action::ManageOwnKeys | Action::RedeemOwn => [Own, Own, Own, Own, No],
    }
}
