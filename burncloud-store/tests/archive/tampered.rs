//! What was tampered with is not archived, and not found in order.

use super::house::{House, names, verify_all};
use burncloud_billing::archive::archive;
use burncloud_billing::ledger::{VerifyError, verify, verify_with_archive};
use burncloud_core::store::{ArchiveStore, ReceiptFilter, ReceiptStore};

async fn filled() -> House {
    let house = House::new().await;
    house.record(0..3, 1_000).await;
    house.record(3..5, 2_000).await;
    house.record(5..6, 9_000).await;
    house
}

#[tokio::test]
async fn a_chain_that_is_not_in_order_is_not_moved() {
    let one = "(SELECT MIN(id) FROM receipts)";
    for (sql, why) in [
        (format!("UPDATE receipts SET charge = charge + 1 WHERE id = {one}"), "was changed"),
        (format!("DELETE FROM receipts WHERE id = {one}"), "is missing"),
        ("DELETE FROM receipt_seals WHERE sequence = 1".to_owned(), "link 1 is missing"),
        (
            "UPDATE receipt_seals SET signature = zeroblob(64) WHERE sequence = 2".to_owned(),
            "signature of link 2",
        ),
        ("UPDATE receipt_seals SET previous = zeroblob(32) WHERE sequence = 2".to_owned(), "link 2"),
        (format!("UPDATE receipts SET entry = entry + 1 WHERE id = {one}"), "another link or entry"),
        (format!("UPDATE receipts SET seal = 2 WHERE id = {one}"), "another link or entry"),
        (
            "UPDATE ledger_entries SET receipts = substr(receipts, 1, 16) WHERE receipts IS NOT NULL"
                .to_owned(),
            "posts other receipts",
        ),
        ("DELETE FROM receipt_keys".to_owned(), "none of those given"),
    ] {
        let house = filled().await;
        house.run(&sql).await;
        let there = house.store.receipts(&ReceiptFilter::default()).await.unwrap().len();
        let refused = archive(&house.store, &house.before(5_000)).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{sql}: {refused}");
        let left = house.store.receipts(&ReceiptFilter::default()).await.unwrap().len();
        assert_eq!((left, house.store.last_archive().await.unwrap()), (there, None), "{sql}");
        assert!(!names(&house.folder).iter().any(|name| name.ends_with("partial")), "{sql}");
    }
}

/// What is done to a file, how, and what is said of it.
type Damage = (&'static str, fn(&str) -> String, &'static str);

#[tokio::test]
async fn a_file_that_was_changed_exchanged_or_lost_is_named() {
    let damage: [Damage; 5] = [
        ("a charge", |text| text.replacen("\"charge\":11", "\"charge\":12", 1), "was changed"),
        ("cut off", |text| text[..text.len() - 20].to_owned(), "receipts-1-2.jsonl"),
        (
            "a line less",
            |text| {
                text.lines()
                    .filter(|line| !line.contains("\"sequence\":2"))
                    .map(|l| format!("{l}\n"))
                    .collect()
            },
            "some are missing",
        ),
        ("a line more", |text| format!("{text}{{}}\n"), "something follows"),
        ("other keys in its first line", |text| text.replacen("\"since\":0", "\"since\":1", 1), "SHA-256"),
    ];
    for (what, change, why) in damage {
        let house = filled().await;
        archive(&house.store, &house.before(5_000)).await.unwrap();
        let path = house.folder.join("receipts-1-2.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(text, changed, "{what}");
        std::fs::write(&path, changed).unwrap();
        let found = verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap_err();
        assert!(
            matches!(found, VerifyError::Archive(_)) && found.to_string().contains(why),
            "{what}: {found}"
        );
        verify(&house.store, |_| ()).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let found = verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap_err();
        assert!(matches!(found, VerifyError::Archive(_)), "lost: {found}");
        std::fs::write(&path, text).unwrap();
        verify_all(&house).await;
    }
}

#[tokio::test]
async fn another_houses_file_is_not_taken_for_ours() {
    let (ours, theirs) = (filled().await, House::new().await);
    theirs.record(0..3, 1_000).await;
    theirs.record(10..12, 2_000).await;
    for house in [&ours, &theirs] {
        archive(&house.store, &house.before(5_000)).await.unwrap();
    }
    let found = verify_with_archive(&ours.store, &theirs.folder, |_| ()).await.unwrap_err().to_string();
    assert!(found.contains("link 2 is not the one that the store has"), "{found}");
}

#[tokio::test]
async fn what_was_noted_of_archived_receipts_is_checked() {
    let first = "(SELECT MIN(id) FROM ledger_entries WHERE kind = 'receipts')";
    let both = |sql: &str, what: &'static str| (sql.to_owned(), what, false);
    let only_files = |sql: &str, what: &'static str| (sql.to_owned(), what, true);
    for (sql, what, only_files) in [
        both("UPDATE archived_sums SET used = used + 1 WHERE kind = 1", "has used"),
        both("UPDATE archived_sums SET used = used + 1 WHERE kind = 2", "moved on user:"),
        both("UPDATE archived_sums SET used = used + 1 WHERE kind = 3 AND used > 0", "moved on tenant:"),
        both("UPDATE archived_sums SET money = money + 1 WHERE kind = 4", "moved on"),
        both("UPDATE archived_sums SET tokens = tokens + 1 WHERE kind = 5", "the tokens of model:"),
        both("DELETE FROM archived_sums", "moved on"),
        both("UPDATE api_keys SET used = used + 1", "what key `k` has used"),
        both("UPDATE users SET used = used - 1 WHERE name = 'ann'", "what user `ann` has used"),
        both("UPDATE usage_quarters SET charge = charge + 1", "has spent"),
        both("UPDATE archives SET last_link = 1, receipts = 3, total = 3", "as link 1 is the last"),
        both("UPDATE archives SET total = total + 1", "receipts archived up to link 2"),
        both("DELETE FROM archives", "as link 0 is the last"),
        both("DELETE FROM archived_receipts WHERE link = 1", "it is gone"),
        both(
            "DELETE FROM archived_receipts WHERE id = (SELECT MIN(id) FROM archived_receipts)",
            "archived with link",
        ),
        both("DELETE FROM receipt_seals WHERE sequence = 2", "link 2"),
        both("UPDATE receipt_seals SET entry = entry + 1 WHERE sequence = 2", "the entry of link 2"),
        (
            format!(
                "UPDATE ledger_postings SET amount = amount + CASE WHEN account LIKE 'user:%' THEN 1 ELSE -1 END \
                 WHERE entry = {first} AND (account LIKE 'user:%' OR account LIKE 'payable:%')"
            ),
            "",
            false,
        ),
        // Not needed here, so nobody compares it: only the file knows better.
        only_files("UPDATE archived_sums SET later_money = later_money + 1 WHERE kind = 5", ""),
    ] {
        let house = filled().await;
        archive(&house.store, &house.before(5_000)).await.unwrap();
        verify_all(&house).await;
        house.run(&sql).await;
        let found = verify(&house.store, |_| ()).await;
        verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap_err();
        if only_files {
            found.unwrap();
            continue;
        }
        let Err(found) = found else { panic!("{sql}: {found:?}") };
        let found = found.to_string();
        assert!(found.contains(what), "{sql}: {found}");
    }
}

#[tokio::test]
async fn who_changes_entry_balances_and_notes_alike_is_caught_by_the_file() {
    let house = filled().await;
    archive(&house.store, &house.before(5_000)).await.unwrap();
    // A nano-dollar less was charged, everywhere that says so.
    let entry = "entry = (SELECT MIN(id) FROM ledger_entries WHERE kind = 'receipts')";
    for sql in [
        format!("UPDATE ledger_postings SET amount = amount + 1 WHERE {entry} AND account LIKE 'user:%'"),
        format!("UPDATE ledger_postings SET amount = amount - 1 WHERE {entry} AND account = 'revenue:2'"),
        "UPDATE ledger_balances SET balance = balance + 1 WHERE account LIKE 'user:%'".to_owned(),
        "UPDATE ledger_balances SET balance = balance - 1 WHERE account = 'revenue:2'".to_owned(),
        "UPDATE users SET balance = balance + 1, used = used - 1 WHERE name = 'ann'".to_owned(),
        "UPDATE api_keys SET used = used - 1".to_owned(),
        "UPDATE usage_quarters SET charge = charge - 1 WHERE model = 'odd' AND requests > 0".to_owned(),
        "UPDATE archived_sums SET money = money - 1, later_money = later_money - 1, used = MAX(used - 1, 0) \
         WHERE kind IN (1, 2) OR model = 'odd'"
            .to_owned(),
    ] {
        house.run(&sql).await;
    }
    let report = verify(&house.store, |_| ()).await.unwrap();
    assert_eq!((report.archived, report.reread), (5, 0), "it says that it did not look at these");
    let found = verify_with_archive(&house.store, &house.folder, |_| ()).await.unwrap_err().to_string();
    assert!(found.contains("by its receipts"), "{found}");
}
