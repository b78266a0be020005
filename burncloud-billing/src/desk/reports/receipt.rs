//! One receipt, as far as somebody may see it.

use super::logs::{LogRow, rows};
use super::view::{Sight, Source, View};
use crate::desk::Desk;
use crate::people::Actor;
use crate::proof::{Answer, Documents, PublicKey, answer, hex, receipt_salt, verify_receipt};
use burncloud_core::store::{ArchiveStore, ProofStore, Sealed, StoreError, StoreResult};
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{
    AbortKind, ChannelId, Dialect, Line, Nano, Operation, Receipt, ReceiptId, UnixMicros, Usage, UsageSource,
};
use serde::Serialize;

/// What a span of time in a request was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// With the gateway: from arrival to the first attempt, and between attempts.
    Door,
    /// An account was asked and gave no answer that could be used.
    InVain,
    /// Until the first word of the answer.
    Waiting,
    /// From the first word to the last.
    Output,
}

/// A bar of the waterfall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// What it was spent on.
    pub stage: Stage,
    /// Which account; the house's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// From arrival to its beginning, in microseconds.
    pub from_us: u64,
    /// How long, in microseconds.
    pub us: u64,
}

/// What one tenant paid the one above it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LegView {
    /// Who paid.
    pub tenant: Option<String>,
    /// Whom; `None` where that is not for these eyes.
    pub parent: Option<String>,
    /// How much.
    pub charge: Nano,
    /// What it comes to beyond what there was.
    pub shortfall: Nano,
}

/// Whether a receipt can be proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Seal {
    /// It is in no link of the chain: recorded without a signing key, or not yet.
    None,
    /// It is in a link, unchanged, and the signature fits a key of the house's.
    Verified {
        /// The link's place in the chain.
        sequence: i64,
        /// When it was made.
        at: UnixMicros,
        /// The id of the key, in hexadecimal digits.
        key: String,
        /// The signature, in hexadecimal digits.
        signature: String,
    },
    /// It does not fit its link: what is stored was changed.
    Broken,
}

/// By which prices a receipt was rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PriceRef {
    /// The version of the price book; 0 where nothing was rated.
    pub version: u64,
    /// Since when the newest price of that version holds; `None` where all prices are published ones.
    pub since: Option<UnixMicros>,
}

/// A receipt in full.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReceiptView {
    /// As in the log.
    #[serde(flatten)]
    pub row: LogRow,
    /// The wire format of the caller.
    pub dialect: Dialect,
    /// What was asked.
    pub operation: Operation,
    /// What was used.
    pub usage: Usage,
    /// How that is known.
    pub usage_source: UsageSource,
    /// The lines of the charge.
    pub lines: Vec<Line>,
    /// What was held before it was sent on.
    pub reserved: Nano,
    /// What the lines come to beyond the charge.
    pub shortfall: Nano,
    /// By which policy an unfinished answer was charged.
    pub abort: Option<AbortKind>,
    /// By which prices.
    pub price: PriceRef,
    /// What tenants paid each other, from the user's upwards, as far as these eyes go.
    pub legs: Vec<LegView>,
    /// Where the time went; in order, without gaps.
    pub bars: Vec<Bar>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// The model that the provider was asked for; the house's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_model: Option<String>,
    /// The provider's own id of the exchange; the house's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<String>,
    /// Whether it can be proved.
    pub seal: Seal,
    /// It as JSON, with its proof, as its caller gets it from `GET /v1/receipts/{id}`; for the house with the private
    /// document beside it.
    pub json: String,
}

/// What is known of a request that was archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ArchivedView {
    /// Its receipt.
    pub id: ReceiptId,
    /// The link of the chain it is in: the file of the archive whose name spans that number holds it.
    pub link: i64,
}

impl Desk {
    /// What is known of a request that was archived; `None` for one that was not, and for one that is not for the actor's
    /// eyes.
    ///
    /// # Errors
    /// The store's.
    pub async fn archived(&self, actor: &Actor, id: ReceiptId) -> UseCaseResult<Option<ArchivedView>> {
        archived(&*self.store, actor, id).await
    }

    /// A receipt in full; `None` for one that is not there and for one that is not for the actor's eyes.
    ///
    /// # Errors
    /// The store's.
    pub async fn receipt(&self, actor: &Actor, id: ReceiptId) -> UseCaseResult<Option<ReceiptView>> {
        receipt(&*self.store, actor, id).await
    }
}

pub(super) async fn archived<S: Source + ArchiveStore + ?Sized>(
    store: &S,
    actor: &Actor,
    id: ReceiptId,
) -> UseCaseResult<Option<ArchivedView>> {
    let Some(known) = store.archived_receipts(&[id]).await?.pop() else { return Ok(None) };
    let sight = Sight::of(store, actor).await?;
    let seen = sight.sees_of(known.user, known.tenant);
    Ok(seen.then_some(ArchivedView { id, link: known.link }))
}

pub(super) async fn receipt<S: Source + ProofStore + ?Sized>(
    store: &S,
    actor: &Actor,
    id: ReceiptId,
) -> UseCaseResult<Option<ReceiptView>> {
    let sight = Sight::of(store, actor).await?;
    let Some(receipt) = store.receipt(id).await?.filter(|receipt| sight.sees(receipt)) else {
        return Ok(None);
    };
    let Some(row) = rows(store, &sight, std::slice::from_ref(&receipt)).await?.pop() else { return Ok(None) };
    let (seal, json) = proved(store, &sight, &receipt).await?;
    let price = price(store, &receipt).await?;
    let house = sight.is_house();
    Ok(Some(ReceiptView {
        row,
        dialect: receipt.dialect,
        operation: receipt.operation,
        usage: receipt.usage,
        usage_source: receipt.usage_source,
        reserved: receipt.reserved,
        shortfall: receipt.shortfall,
        abort: receipt.abort,
        price,
        legs: legs(&sight, &receipt),
        bars: bars(&sight, &receipt),
        bytes_in: receipt.bytes_in,
        bytes_out: receipt.bytes_out,
        upstream_model: house.then(|| receipt.upstream_model.to_string()),
        upstream_request_id: receipt.upstream_request_id.as_deref().filter(|_| house).map(str::to_owned),
        lines: receipt.lines,
        seal,
        json,
    }))
}

/// Version *v* of the book is the catalogue with the rules whose own versions are below *v*.
async fn price<S: Source + ?Sized>(store: &S, receipt: &Receipt) -> StoreResult<PriceRef> {
    let version = receipt.price_version;
    if version == 0 {
        return Ok(PriceRef { version, since: None });
    }
    let prices = store.prices().await?.into_iter();
    let newest = prices.filter(|price| price.version < version && price.effective_at <= receipt.at);
    let since = newest.max_by_key(|price| price.version).map(|price| price.effective_at);
    Ok(PriceRef { version, since })
}

fn legs(sight: &Sight, receipt: &Receipt) -> Vec<LegView> {
    let seen = receipt.legs.iter().filter(|leg| match sight.view {
        View::EndUser(_) => false,
        _ => sight.sees_tenant(leg.tenant),
    });
    let name = |id| sight.tree.get(id).filter(|_| sight.sees_tenant(id)).map(|tenant| tenant.name.clone());
    seen.map(|leg| LegView {
        tenant: name(leg.tenant),
        parent: name(leg.parent),
        charge: leg.charge,
        shortfall: leg.shortfall,
    })
    .collect()
}

/// What is known of a request's time: when each attempt had its first word or failed, when the answer's first word went out,
/// when all was over. What is left before the first word was spent with the gateway.
fn bars(sight: &Sight, receipt: &Receipt) -> Vec<Bar> {
    let begun = receipt.first_byte_us.map(u64::from);
    let until = begun.unwrap_or(receipt.took_us);
    let mut out = Vec::new();
    let mut at = 0;
    let mut push = |stage, channel, us| {
        out.push(Bar { stage, channel, from_us: at, us });
        at += us;
    };
    if sight.is_house() {
        let asked: u64 = receipt.attempts.iter().map(|attempt| u64::from(attempt.took_us)).sum();
        push(Stage::Door, None, until.saturating_sub(asked));
        for (n, attempt) in receipt.attempts.iter().enumerate() {
            let answered = n + 1 == receipt.attempts.len() && receipt.channel == Some(attempt.channel);
            let stage = if answered { Stage::Waiting } else { Stage::InVain };
            push(stage, Some(attempt.channel), u64::from(attempt.took_us));
        }
    } else {
        push(Stage::Waiting, None, until);
    }
    if let Some(begun) = begun {
        let channel = receipt.channel.filter(|_| sight.is_house());
        push(Stage::Output, channel, receipt.took_us.saturating_sub(begun));
    }
    out
}

async fn proved<S: ProofStore + ?Sized>(
    store: &S,
    sight: &Sight,
    receipt: &Receipt,
) -> StoreResult<(Seal, String)> {
    let link = match store.seal_of(receipt.id).await {
        Err(StoreError::Invalid(_)) => return Ok((Seal::Broken, text(sight, receipt, None, None))),
        link => link?,
    };
    let Some(link) = link else { return Ok((Seal::None, text(sight, receipt, None, None))) };
    let keys = store.proof_keys().await?;
    let public = keys.iter().find(|key| key.id == link.key).map(|key| key.public);
    let Ok(bytes) = answer(receipt, Some(&link), public.as_ref()) else {
        return Ok((Seal::Broken, text(sight, receipt, None, None)));
    };
    let keys: Vec<PublicKey> = keys.into_iter().map(PublicKey::from).collect();
    let holds = Answer::read(&bytes).is_ok_and(|answer| verify_receipt(&answer, &keys).is_ok());
    let seal = if holds {
        Seal::Verified {
            sequence: link.sequence,
            at: link.at,
            key: hex(&link.key),
            signature: hex(&link.signature),
        }
    } else {
        Seal::Broken
    };
    Ok((seal, text(sight, receipt, Some(&link), public.as_ref())))
}

fn text(sight: &Sight, receipt: &Receipt, link: Option<&Sealed>, public: Option<&[u8; 32]>) -> String {
    let bytes = answer(receipt, link, public).unwrap_or_default();
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    if sight.is_house() && text.pop() == Some('}') {
        let mut documents = Documents::default();
        documents.write(receipt, &link.map_or([0; 16], |link| receipt_salt(&link.salt, receipt.id)));
        text.push_str(",\"private\":");
        text.push_str(&String::from_utf8_lossy(documents.private()));
        text.push('}');
    }
    text
}
