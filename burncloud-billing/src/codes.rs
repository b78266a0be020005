//! Redeem codes: credit that is sold or given away as text, and used once.
//!
//! A code is 145 random bits in letters that are not mistaken for one another, with a check character: six groups of five.
//! Only its SHA-256 is stored. Whoever calls these functions says who does it (`author`) and has checked that they may.

use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{CodeStore, LedgerStore, NewCode, Posted, StoreError, UserStore};
use burncloud_core::usecase::{UseCaseError, UseCaseResult, check_name};
use burncloud_core::{KeyHash, Nano, TenantId, UnixMicros, User};
use std::fmt;

/// Crockford's base 32: no I, L, O, U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Random characters; one more checks them.
const RANDOM: usize = 29;

/// Characters of a group.
const GROUP: usize = 5;

/// The most codes of one batch made at once.
pub const MOST: u32 = 10_000;

/// A code in clear: shown to whoever it is for, and never again.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainCode(String);

impl PlainCode {
    /// The text, such as `7KQ2M-…`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainCode(…)")
    }
}

/// What codes are made.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The operator's name for it.
    pub name: String,
    /// How many; at most [`MOST`].
    pub count: u32,
    /// What each is worth.
    pub amount: Nano,
    /// When they stop working.
    pub expires_at: Option<UnixMicros>,
    /// Whether they are sold (cash received) or given away (promotion).
    pub sold: bool,
    /// The tenant that answers for them: only its own users may use them.
    pub tenant: TenantId,
}

/// The place of a letter; small letters, and O, I and L as what they are mistaken for, are read too.
fn place(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        letter => letter,
    };
    LETTERS.iter().position(|known| char::from(*known) == letter).and_then(|place| u8::try_from(place).ok())
}

/// A polynomial over the field of 32 elements: another letter, and two letters in each other's place, are seen.
fn check_letter(places: &[u8]) -> u8 {
    let double = |x: u8| if x & 16 == 0 { x << 1 } else { (x << 1) ^ 0b10_0101 };
    // Doubled once more, so that the last letter has another weight than the check that follows it.
    double(places.iter().fold(0, |sum, place| double(sum) ^ place))
}

fn generate() -> UseCaseResult<PlainCode> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes)
        .map_err(|_| StoreError::Unavailable("the system gives no random bytes".into()))?;
    let mut places: Vec<u8> = bytes.iter().map(|byte| byte % 32).collect();
    places.push(check_letter(&places));
    let groups = places.chunks(GROUP).map(|group| -> String {
        group.iter().map(|place| char::from(LETTERS[usize::from(*place)])).collect()
    });
    Ok(PlainCode(groups.collect::<Vec<_>>().join("-")))
}

/// The hash of a code as somebody typed it; `None` if it cannot be one.
fn hash(text: &str) -> Option<[u8; 32]> {
    let letters = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    let places: Vec<u8> = letters.take(RANDOM + 2).map(place).collect::<Option<_>>()?;
    let (check, random) = places.split_last()?;
    if random.len() != RANDOM || check_letter(random) != *check {
        return None;
    }
    let plain: Vec<u8> = places.iter().map(|place| LETTERS[usize::from(*place)]).collect();
    Some(KeyHash::of(&plain).0)
}

/// Makes codes and returns them in clear; nobody can show them again.
///
/// # Errors
/// `Invalid` names the field; the store's.
pub async fn generate_codes<S: CodeStore + UserStore + ?Sized>(
    store: &S,
    batch: &Batch,
) -> UseCaseResult<Vec<PlainCode>> {
    check_name(&batch.name)?;
    if batch.count == 0 || batch.count > MOST {
        return Err(UseCaseError::invalid(
            "count",
            (format!("make 1 to {MOST} codes at once"), format!("一次可生成 1 到 {MOST} 个")),
        ));
    }
    if batch.amount <= Nano::ZERO {
        return Err(UseCaseError::invalid("amount", ("a code is worth more than nothing", "面额须大于零")));
    }
    if batch.expires_at.is_some_and(|at| at <= UnixMicros::now()) {
        return Err(UseCaseError::invalid("expires_at", ("that moment is over", "这个时间已经过去")));
    }
    let name = || batch.tenant.to_string();
    store.tenant(batch.tenant).await?.ok_or_else(|| StoreError::NotFound { what: "tenant", name: name() })?;
    let codes: Vec<PlainCode> = (0..batch.count).map(|_| generate()).collect::<UseCaseResult<_>>()?;
    let rows: Vec<NewCode> = codes
        .iter()
        .filter_map(|code| {
            Some(NewCode {
                hash: hash(code.expose())?,
                batch: batch.name.clone(),
                amount: batch.amount,
                expires_at: batch.expires_at,
                sold: batch.sold,
                tenant: batch.tenant,
            })
        })
        .collect();
    store.create_codes(&rows).await?;
    Ok(codes)
}

/// Uses a code: its worth is in the user's wallet. Returns the entry and the worth.
///
/// # Errors
/// `Invalid`, always in the same words, for a text that is no code, a code that is not known and one of another tenant;
/// the store's `Conflict` for one that was used or withdrawn or is expired.
pub async fn redeem_code<S: CodeStore + LedgerStore + ?Sized>(
    store: &S,
    author: &str,
    user: &User,
    text: &str,
) -> UseCaseResult<(Posted, Nano)> {
    let unknown = || {
        UseCaseError::invalid(
            "code",
            ("there is no such code; check how it is written", "没有这个兑换码，请检查是否输错"),
        )
    };
    let hash = hash(text).ok_or_else(unknown)?;
    let known = store.code(&hash).await?;
    let known = known.filter(|known| known.code.tenant == user.tenant).ok_or_else(unknown)?;
    let amount = known.code.amount;
    let against = match known.code.sold {
        true => Account::Cash(known.code.tenant),
        false => Account::Promotion(known.code.tenant),
    };
    let entry = NewEntry {
        kind: EntryKind::Redeem,
        // The ledger itself refuses a second credit, whatever becomes of the code's row.
        reference: Some(format!("code:{}", crate::proof::hex(&hash))),
        author: author.to_owned(),
        reason: format!("redeem code of batch {}", known.code.batch),
        reverses: None,
        postings: vec![
            Posting { account: Account::User(user.id), amount },
            Posting { account: against, amount: Nano(-amount.0) },
        ],
    };
    let posted = store.redeem(&hash, user.id, UnixMicros::now(), entry).await?;
    Ok((posted, amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::store::MemoryStore;

    fn batch(tenant: TenantId) -> Batch {
        let (name, amount) = ("spring".to_owned(), Nano(5_000_000_000));
        Batch { name, count: 3, amount, expires_at: None, sold: false, tenant }
    }

    #[tokio::test]
    async fn a_code_is_shown_once_and_used_once() {
        let store = MemoryStore::default();
        let user = store.user_by_name("default").await.unwrap().unwrap();
        let codes = generate_codes(&store, &batch(user.tenant)).await.unwrap();
        assert_eq!(codes.len(), 3);
        assert_eq!(format!("{:?}", codes[0]), "PlainCode(…)");
        let typed = format!(" {} ", codes[0].expose().to_lowercase().replace('-', " ").replace('0', "o"));
        let (posted, amount) = redeem_code(&store, "ann", &user, &typed).await.unwrap();
        assert_eq!(amount, Nano(5_000_000_000));
        let entry = store.entry(posted.id).await.unwrap().unwrap();
        assert_eq!((entry.kind, entry.author.as_str()), (EntryKind::Redeem, "ann"));
        assert!(!entry.reason.contains(codes[0].expose()));
        assert_eq!(store.balance(Account::Promotion(user.tenant)).await.unwrap(), Nano(-5_000_000_000));
        assert_eq!(store.user(user.id).await.unwrap().unwrap().balance, amount);
        let again = redeem_code(&store, "ann", &user, codes[0].expose()).await.unwrap_err();
        assert!(matches!(again, UseCaseError::Store(StoreError::Conflict { .. })), "{again}");
    }

    #[tokio::test]
    async fn what_is_no_code_is_refused_in_the_same_words() {
        let store = MemoryStore::default();
        let user = store.user_by_name("default").await.unwrap().unwrap();
        let codes = generate_codes(&store, &batch(user.tenant)).await.unwrap();
        let stranger = User { tenant: TenantId(99), ..user.clone() };
        let unknown = generate().unwrap();
        let mut said = Vec::new();
        for text in ["", "hello", unknown.expose(), &codes[0].expose()[1..], &"0".repeat(99)] {
            said.push(redeem_code(&store, "x", &user, text).await.unwrap_err().to_string());
        }
        said.push(redeem_code(&store, "x", &stranger, codes[0].expose()).await.unwrap_err().to_string());
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
    }

    #[test]
    fn a_slip_is_seen_before_the_store_is_asked() {
        let code = generate().unwrap();
        let places: Vec<u8> = code.expose().chars().filter_map(place).collect();
        let text = |places: &[u8]| -> String {
            places.iter().map(|place| char::from(LETTERS[usize::from(*place)])).collect()
        };
        assert!(hash(&text(&places)).is_some());
        for n in 0..places.len() {
            let mut other = places.clone();
            other[n] = (other[n] + 1) % 32;
            assert_eq!(hash(&text(&other)), None, "another letter at {n}");
            if n + 1 < places.len() && places[n] != places[n + 1] {
                let mut turned = places.clone();
                turned.swap(n, n + 1);
                assert_eq!(hash(&text(&turned)), None, "two letters turned at {n}");
            }
        }
    }

    #[tokio::test]
    async fn a_batch_is_checked() {
        let store = MemoryStore::default();
        let tenant = store.user_by_name("default").await.unwrap().unwrap().tenant;
        for (wrong, field) in [
            (Batch { count: 0, ..batch(tenant) }, "count"),
            (Batch { count: MOST + 1, ..batch(tenant) }, "count"),
            (Batch { amount: Nano(0), ..batch(tenant) }, "amount"),
            (Batch { expires_at: Some(UnixMicros(1)), ..batch(tenant) }, "expires_at"),
        ] {
            let refused = generate_codes(&store, &wrong).await.unwrap_err().to_string();
            assert!(refused.starts_with(&format!("{field}: ")), "{refused}");
        }
        let nowhere = generate_codes(&store, &batch(TenantId(99))).await.unwrap_err();
        assert!(matches!(nowhere, UseCaseError::Store(StoreError::NotFound { .. })), "{nowhere}");
        assert!(store.codes(None, None, 10).await.unwrap().is_empty());
    }
}
