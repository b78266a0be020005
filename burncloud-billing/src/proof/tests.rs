//! Nothing can be changed unseen, and others come to the same.

use super::*;
use burncloud_core::store::{ProofKey, Sealed};
use burncloud_core::testing::receipt;
use burncloud_core::{AbortKind, End, Line, Nano, Receipt, UnixMicros, Usage, UsageSource};
use proptest::prelude::*;
use serde_json::Value;

const SEED: [u8; 32] = {
    let mut seed = [0; 32];
    let mut n = 0;
    while n < 32 {
        seed[n] = n as u8;
        n += 1;
    }
    seed
};
const SALT: [u8; 16] = [0x5a; 16];

fn signer() -> Signer {
    Signer::new(&SEED).unwrap()
}

/// The receipts of `scripts/receipt_vectors.py`.
fn known() -> [Receipt; 3] {
    let full = |n| {
        let mut full = Receipt {
            model: "claude-ü \"\n\u{1}\u{7f}\u{2028}".into(),
            abort: Some(AbortKind::Reported),
            first_byte_us: Some(1234),
            took_us: u64::MAX,
            bytes_in: 77,
            bytes_out: 6_000_000_000,
            upstream_cost: Nano(-3),
            ..receipt(n)
        };
        full.lines[1] = Line { units: u64::MAX, ..full.lines[1] };
        full
    };
    let plain = Receipt {
        model: "".into(),
        upstream_model: "".into(),
        channel: None,
        upstream_request_id: None,
        streamed: false,
        status: 404,
        end: End::Refused,
        attempts: vec![],
        usage: Usage::default(),
        usage_source: UsageSource::None,
        price_version: 0,
        lines: vec![],
        reserved: Nano(0),
        charge: Nano(0),
        shortfall: Nano(0),
        legs: vec![],
        abort: None,
        upstream_cost: Nano(0),
        first_byte_us: None,
        took_us: 50,
        bytes_out: 0,
        ..full(2)
    };
    [full(0), full(1), plain]
}

/// Links of that many receipts each, and the receipts.
fn chain(counts: &[usize]) -> Vec<(Sealed, Vec<Receipt>)> {
    let (signer, mut last, mut n) = (signer(), None, 0);
    let link = |count: &usize| {
        let receipts: Vec<Receipt> = (0..*count as u64).map(|i| receipt(n + i)).collect();
        n += receipts.len() as u64;
        let link = signer.link(last, 1, UnixMicros(5), SALT, &receipts.iter().rev().collect::<Vec<_>>());
        last = Some((link.sequence, link.hash));
        (link, receipts)
    };
    counts.iter().map(link).collect()
}

fn check(chain: &[(Sealed, Vec<Receipt>)]) -> Result<ChainCheck, ProofError> {
    let mut check = ChainCheck::new(vec![signer().public()]);
    chain.iter().try_for_each(|(link, receipts)| check.stored(link, receipts))?;
    Ok(check)
}

#[test]
fn another_program_comes_to_the_same() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let known = known();
    let mut documents = Documents::default();
    for (receipt, expected) in known.iter().zip(vectors["documents"].as_array().unwrap()) {
        documents.write(receipt, &receipt_salt(&SALT, receipt.id));
        assert_eq!(std::str::from_utf8(documents.public()).unwrap(), expected["public"]);
        assert_eq!(std::str::from_utf8(documents.private()).unwrap(), expected["private"]);
        assert_eq!(hex(&documents.leaf()), expected["leaf"]);
    }
    let receipts: Vec<&Receipt> = known.iter().collect();
    let link = signer().link(None, 12, UnixMicros(1_760_000_001_000_000), SALT, &receipts);
    assert_eq!(std::str::from_utf8(&link_document(&link)).unwrap(), vectors["link"]);
    assert_eq!(
        (hex(&link.hash), link_hash(&link)),
        (vectors["hash"].as_str().unwrap().to_owned(), link.hash)
    );
    assert_eq!(hex(&link.signature), vectors["signature"]);
    assert_eq!(signer().public().to_string(), vectors["public_key"]);
}

#[test]
fn documents_are_canonical_whatever_is_in_them() {
    let mut documents = Documents::default();
    for receipt in known() {
        documents.write(&receipt, &SALT);
        for text in [documents.public(), documents.private()] {
            assert_eq!(canonical(&serde_json::from_slice(text).unwrap()).unwrap(), text);
        }
    }
}

#[test]
fn a_chain_in_order_is_in_order() {
    let done = check(&chain(&[1, 2, 7, 1])).unwrap();
    assert_eq!((done.first(), done.last().unwrap().0, done.receipts()), (Some(1), 4, 11));
    // From the middle on, too: what an export of some days holds.
    assert_eq!(check(&chain(&[1, 2, 7, 1])[2..]).unwrap().first(), Some(3));
}

#[test]
fn what_is_missing_or_exchanged_is_named() {
    let whole = chain(&[2, 3, 2]);
    type Chain = Vec<(Sealed, Vec<Receipt>)>;
    let wrong = |change: &dyn Fn(&mut Chain)| {
        let mut chain = whole.clone();
        change(&mut chain);
        check(&chain).unwrap_err()
    };
    assert_eq!(wrong(&|c| drop(c.remove(1))), ProofError::Gap { expected: 2, found: 3 });
    assert_eq!(wrong(&|c| c.swap(1, 2)), ProofError::Gap { expected: 2, found: 3 });
    assert_eq!(wrong(&|c| c.insert(1, c[0].clone())), ProofError::Gap { expected: 2, found: 1 });
    let id = whole[1].1[1].id;
    assert_eq!(wrong(&|c| drop(c[1].1.remove(1))), ProofError::Missing { id, sequence: 2 });
    assert_eq!(wrong(&|c| c[1].1[1].charge = Nano(4)), ProofError::Changed { id, sequence: 2 });
    assert_eq!(wrong(&|c| c[1].1[1].upstream_cost = Nano(4)), ProofError::Changed { id, sequence: 2 });
    let forgotten = |link: &mut Sealed| {
        link.receipts.pop();
        link.leaves.pop();
    };
    assert_eq!(wrong(&|c| forgotten(&mut c[1].0)), ProofError::Signature(2));
    let turned = |link: &mut Sealed| {
        link.receipts.swap(0, 1);
        link.leaves.swap(0, 1);
    };
    assert!(matches!(wrong(&|c| turned(&mut c[1].0)), ProofError::Misplaced { sequence: 2, .. }));
    assert_eq!(wrong(&|c| c[1].0.at = UnixMicros(6)), ProofError::Signature(2));
    assert_eq!(wrong(&|c| c[1].0.hash[0] ^= 1), ProofError::Hash(2));
    // A whole link by the right key, but of another chain.
    let other =
        signer().link(Some((1, [7; 32])), 1, UnixMicros(5), SALT, &whole[1].1.iter().collect::<Vec<_>>());
    assert_eq!(wrong(&|c| c[1].0 = other.clone()), ProofError::Previous(2));
    let stranger = Signer::new(&[1; 32]).unwrap();
    let own = stranger.link(
        Some((1, whole[0].0.hash)),
        1,
        UnixMicros(5),
        SALT,
        &whole[1].1.iter().collect::<Vec<_>>(),
    );
    assert!(matches!(wrong(&|c| c[1].0 = own.clone()), ProofError::UnknownKey { sequence: 2, .. }));
}

#[test]
fn a_new_key_goes_on_where_the_old_one_ended() {
    let (old, new) = (signer(), Signer::new(&[9; 32]).unwrap());
    let (a, b) = (receipt(1), receipt(2));
    let first = old.link(None, 0, UnixMicros(1), SALT, &[&a]);
    let second = new.link(Some((1, first.hash)), 0, UnixMicros(2), SALT, &[&b]);
    let verify = |keys: Vec<PublicKey>| {
        let mut check = ChainCheck::new(keys);
        check.stored(&first, std::slice::from_ref(&a))?;
        check.stored(&second, std::slice::from_ref(&b))
    };
    assert_eq!(verify(vec![old.public(), new.public()]), Ok(()));
    let key = hex(&new.public().id());
    assert_eq!(verify(vec![old.public()]), Err(ProofError::UnknownKey { sequence: 2, key }));
}

fn answered(count: usize, index: usize) -> Vec<u8> {
    let (link, receipts) = chain(&[count]).remove(0);
    answer(&receipts[index], Some(&link), Some(&signer().public().0)).unwrap()
}

fn verified(json: &[u8]) -> Result<Verified, ProofError> {
    verify_receipt(&Answer::read(json)?, &[signer().public()])
}

#[test]
fn an_answer_proves_its_receipt() {
    for (count, index) in [(1, 0), (2, 1), (5, 4), (8, 3), (9, 8)] {
        let json = answered(count, index);
        let seen = verified(&json).unwrap();
        assert_eq!((seen.id, seen.sequence, seen.sealed_at), (receipt(index as u64).id, 1, 5));
        let text = String::from_utf8(json).unwrap();
        for hidden in ["upstream", "attempts", "legs", "salt", "channel"] {
            assert!(!text.contains(hidden), "{hidden} is nobody's business: {text}");
        }
        // However a client writes the same JSON.
        let pretty = serde_json::to_vec_pretty(&serde_json::from_str::<Value>(&text).unwrap()).unwrap();
        assert_eq!(verified(&pretty).unwrap(), seen);
    }
}

#[test]
fn an_answer_without_proof_says_so() {
    let json = answer(&receipt(1), None, None).unwrap();
    assert_eq!(verified(&json), Err(ProofError::NoProof(receipt(1).id.to_string())));
    let (link, receipts) = chain(&[2]).remove(0);
    let changed = Receipt { charge: Nano(0), ..receipts[0].clone() };
    assert!(matches!(answer(&changed, Some(&link), None), Err(ProofError::Changed { .. })));
    assert!(matches!(answer(&receipt(99), Some(&link), None), Err(ProofError::NotInLink { .. })));
}

fn exported(chain: &[(Sealed, Vec<Receipt>)]) -> Vec<Vec<u8>> {
    let line = |(link, receipts): &(Sealed, Vec<Receipt>)| {
        let mut line = Vec::new();
        export_line(link, receipts, &mut line).unwrap();
        line
    };
    chain.iter().map(line).collect()
}

fn imported(lines: &[Vec<u8>]) -> Result<ChainCheck, ProofError> {
    let mut check = ChainCheck::new(vec![signer().public()]);
    lines.iter().try_for_each(|line| read_link(line, &mut check))?;
    Ok(check)
}

#[test]
fn an_export_is_verified_without_a_store() {
    let public = signer().public();
    let header = header_line(&[ProofKey { id: public.id(), public: public.0, since: UnixMicros(1) }]);
    assert_eq!(read_header(&header), Ok(()));
    assert!(read_header(b"{}").is_err());
    let lines = exported(&chain(&[3, 1, 2]));
    assert_eq!(imported(&lines).unwrap().receipts(), 6);
    assert!(matches!(
        imported(&[lines[0].clone(), lines[2].clone()]),
        Err(ProofError::Gap { expected: 2, found: 3 })
    ));
    let raise =
        |line: &[u8]| String::from_utf8_lossy(line).replacen("\"charge\":5", "\"charge\":6", 1).into_bytes();
    let id = receipt(3).id;
    assert_eq!(
        imported(&[lines[0].clone(), raise(&lines[1])]).unwrap_err(),
        ProofError::Changed { id, sequence: 2 }
    );
}

#[test]
fn an_export_that_was_cut_off_is_found() {
    let whole = chain(&[3, 1, 2]);
    let mut footer = Footer::default();
    whole.iter().for_each(|(link, _)| footer.add(link));
    let read = read_footer(&footer_line(&footer)).unwrap().unwrap();
    let lines = exported(&whole);
    assert_eq!(read_footer(&lines[0]), Ok(None));
    assert_eq!(imported(&lines).unwrap().ends_with(&read), Ok(()));
    assert_eq!(imported(&lines[..2]).unwrap().ends_with(&read), Err(ProofError::End));
    assert_eq!(imported(&lines[1..]).unwrap().ends_with(&read), Err(ProofError::End));
    let empty = ChainCheck::from_start(vec![]);
    assert_eq!((empty.last(), empty.ends_with(&Footer::default())), (None, Ok(())));
}

#[test]
fn a_chain_begins_at_its_beginning() {
    let whole = chain(&[1, 1]);
    let mut check = ChainCheck::from_start(vec![signer().public()]);
    assert_eq!(check.stored(&whole[1].0, &whole[1].1), Err(ProofError::Gap { expected: 1, found: 2 }));
    assert_eq!(check.stored(&whole[0].0, &whole[0].1), Ok(()));
}

fn flipped(json: &[u8], bit: usize) -> Vec<u8> {
    let mut json = json.to_vec();
    let at = bit / 8 % json.len();
    json[at] ^= 1 << (bit % 8);
    json
}

proptest! {
    #[test]
    fn any_flipped_bit_of_an_answer_is_found(count in 1usize..9, pick: usize, bit: usize) {
        let json = answered(count, pick % count);
        let json = {
            // The key in the answer counts for nothing, so it is left out of what is flipped; so is the word "object".
            let mut value: Value = serde_json::from_slice(&json).unwrap();
            value["proof"].as_object_mut().unwrap().remove("public_key");
            value.as_object_mut().unwrap().remove("object");
            serde_json::to_vec(&value).unwrap()
        };
        prop_assert!(verified(&json).is_ok());
        let changed = flipped(&json, bit);
        let same = serde_json::from_slice::<Value>(&changed).ok() == serde_json::from_slice(&json).ok();
        prop_assert!(same || verified(&changed).is_err());
    }

    #[test]
    fn any_flipped_bit_of_an_export_is_found(counts in prop::collection::vec(1usize..4, 1..4), pick: usize, bit: usize) {
        let mut lines = exported(&chain(&counts));
        let at = pick % lines.len();
        let changed = flipped(&lines[at], bit);
        let same = serde_json::from_slice::<Value>(&changed).ok() == serde_json::from_slice(&lines[at]).ok();
        lines[at] = changed;
        prop_assert!(same || imported(&lines).is_err());
    }

    #[test]
    fn any_flipped_bit_of_a_stored_link_is_found(count in 1usize..6, field in 0usize..7, bit: usize) {
        let mut whole = chain(&[1, count]);
        let link = &mut whole[1].0;
        let flip = |bytes: &mut [u8]| {
            let at = bit / 8 % bytes.len();
            bytes[at] ^= 1 << (bit % 8);
        };
        match field {
            0 => flip(&mut link.previous),
            1 => flip(&mut link.root),
            2 => flip(&mut link.signature),
            3 => flip(&mut link.key),
            4 => flip(&mut link.hash),
            5 => flip(&mut link.salt),
            _ => flip(&mut link.leaves[bit % count]),
        }
        prop_assert!(check(&whole).is_err());
    }

    #[test]
    fn any_receipt_that_is_changed_is_found(counts in prop::collection::vec(1usize..6, 1..5), pick: usize, field in 0usize..8) {
        let mut whole = chain(&counts);
        let at = pick % whole.len();
        let among = pick % whole[at].1.len();
        let receipt = &mut whole[at].1[among];
        match field {
            0 => receipt.charge.0 += 1,
            1 => receipt.user.0 += 1,
            2 => receipt.usage.output += 1,
            3 => receipt.model = "another".into(),
            4 => receipt.lines[0].price.0 -= 1,
            5 => receipt.channel = None,
            6 => receipt.legs[0].charge.0 += 1,
            _ => receipt.attempts[0].error = None,
        }
        let expected = ProofError::Changed { id: receipt.id, sequence: at as i64 + 1 };
        prop_assert_eq!(check(&whole).unwrap_err(), expected);
    }
}
