//! Whether a receipt agrees with itself and with the tree of tenants.

use super::report::{VerifyError, differ, same};
use burncloud_core::{End, Nano, Receipt, TenantId};
use std::collections::HashMap;

/// The parent of each tenant.
pub(super) type Parents = HashMap<TenantId, Option<TenantId>>;

pub(super) fn check(receipt: &Receipt, parents: &Parents) -> Result<(), VerifyError> {
    amounts(receipt)?;
    path(receipt, parents)
}

/// - No amount is negative.
/// - An orphan has no lines: its usage is unknown. It is charged what was reserved, or nothing.
/// - Whom an abort policy applies to pays the lines at most.
/// - Anybody else pays the lines, as far as there was money: the rest is the shortfall.
fn amounts(receipt: &Receipt) -> Result<(), VerifyError> {
    let id = receipt.id;
    for (name, amount) in [("charge", receipt.charge), ("shortfall", receipt.shortfall)] {
        if amount < Nano::ZERO {
            return differ(format_args!("{name} of receipt {id}"), "no negative amount", amount);
        }
    }
    if let Some(leg) = receipt.legs.iter().find(|leg| leg.charge < Nano::ZERO || leg.shortfall < Nano::ZERO) {
        return differ(
            format_args!("what {} paid for receipt {id}", leg.tenant),
            "no negative amount",
            format_args!("{} and a shortfall of {}", leg.charge, leg.shortfall),
        );
    }
    let lines = receipt.lines.iter().fold(Nano::ZERO, |sum, line| sum.plus(line.amount));
    let cost = receipt.charge.plus(receipt.shortfall);
    let what = format_args!("charge and shortfall of receipt {id}");
    match receipt.end {
        End::Orphaned if receipt.lines.is_empty() && cost <= receipt.reserved => Ok(()),
        End::Orphaned if receipt.lines.is_empty() => {
            differ(what, format_args!("at most the reserved {}", receipt.reserved), cost)
        }
        _ if receipt.abort.is_some() && cost <= lines => Ok(()),
        _ if receipt.abort.is_some() => differ(what, format_args!("at most the lines' {lines}"), cost),
        _ => same(what, lines, cost),
    }
}

/// Each leg goes from a tenant to its parent, from the user's tenant up to the house. Without a charge there need be none.
fn path(receipt: &Receipt, parents: &Parents) -> Result<(), VerifyError> {
    if receipt.legs.is_empty() && receipt.charge == Nano::ZERO {
        return Ok(());
    }
    let what = format_args!("the legs of receipt {}", receipt.id);
    let mut at = receipt.tenant;
    for leg in &receipt.legs {
        let Some(parent) = parents.get(&at) else { return Ok(()) };
        let expected = |to: TenantId| format!("from tenant {at} to {to}");
        let found = format!("from tenant {} to {}", leg.tenant, leg.parent);
        match parent {
            None => return differ(what, format_args!("the last at tenant {at} of the house"), found),
            Some(parent) if (leg.tenant, leg.parent) != (at, *parent) => {
                return differ(what, expected(*parent), found);
            }
            Some(parent) => at = *parent,
        }
    }
    match parents.get(&at) {
        Some(Some(parent)) => differ(what, format_args!("one from tenant {at} to {parent}"), "none"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::testing::receipt;

    fn parents() -> Parents {
        [(9, Some(10)), (10, Some(11)), (11, None)]
            .into_iter()
            .map(|(id, parent)| (TenantId(id), parent.map(TenantId)))
            .collect()
    }

    fn says(receipt: &Receipt) -> String {
        check(receipt, &parents()).unwrap_err().to_string()
    }

    #[test]
    fn a_receipt_agrees_with_itself() {
        let whole = receipt(1);
        check(&whole, &parents()).unwrap();
        let finished = Receipt { abort: None, ..whole.clone() };
        check(&finished, &parents()).unwrap();
        let less = Receipt { charge: Nano(4), ..whole.clone() };
        check(&less, &parents()).unwrap();
        assert!(says(&Receipt { abort: None, ..less }).contains("charge and shortfall of receipt"));
        assert!(says(&Receipt { charge: Nano(6), ..whole.clone() }).contains("at most the lines'"));
        assert!(says(&Receipt { charge: Nano(-1), ..whole.clone() }).contains("negative"));
        let orphan = Receipt { end: End::Orphaned, lines: vec![], abort: None, ..whole };
        check(&orphan, &parents()).unwrap();
        assert!(says(&Receipt { charge: Nano(101), ..orphan }).contains("at most the reserved"));
    }

    #[test]
    fn legs_go_up_to_the_house() {
        let whole = receipt(1);
        let short = Receipt { legs: whole.legs[..1].to_vec(), ..whole.clone() };
        assert!(says(&short).contains("one from tenant 10 to 11, found none"), "{}", says(&short));
        let missing = Receipt { legs: vec![], ..whole.clone() };
        assert!(says(&missing).contains("one from tenant 9 to 10"), "{}", says(&missing));
        let mut turned = whole.clone();
        turned.legs.reverse();
        assert!(says(&turned).contains("from tenant 9 to 10, found from tenant 10 to 11"));
        let mut long = whole.clone();
        long.legs.push(whole.legs[0]);
        assert!(says(&long).contains("the last at tenant 11"));
        let free = Receipt { charge: Nano(0), shortfall: Nano(6), legs: vec![], ..whole };
        check(&free, &parents()).unwrap();
    }
}
