//! An account looked at before it is used: whether its credential is good, what it serves, how fast it answers.
//!
//! Only what costs nothing is asked: the provider's list of its models. The channel need not be stored. All of it takes ten
//! seconds at most, two megabytes and ten pages; redirects are not followed. What the provider says comes back as text of a
//! few words, in which no credential stands, even if the provider repeats it.

mod ask;
mod outcome;
mod words;

use crate::ChannelConfig;
use crate::adapter::{Guard, ListAt, Listing, ProbedModel, Registry};
use crate::routing::Timeouts;
use crate::usecase::UseCaseResult;
use ask::{Answered, Asker, Failed};
use outcome::{Finding, of_answer, of_failure};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How long a look at an account takes at most.
pub const PROBE_WITHIN: Duration = Duration::from_secs(10);
/// How many bytes are taken in from the provider at most.
pub const PROBE_BYTES: usize = 2_000_000;
/// How many pages of a list are asked for at most.
pub const PROBE_PAGES: usize = 10;

/// What a look at an account came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// In one word.
    pub outcome: ProbeOutcome,
    /// In a sentence for the operator, with up to 300 characters of the provider's own words; without any secret.
    pub message: String,
    /// How long it took, all pages together.
    pub took: Duration,
    /// What the provider lists, in its order; empty where it lists nothing that can be asked for by its name.
    pub models: Vec<ProbedModel>,
}

/// What is known of an account after a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeOutcome {
    /// The provider answered, and takes the credential.
    Works,
    /// The provider, or its token service, does not take the credential.
    CredentialRefused,
    /// No answer came: no such host, no connection, no TLS, too late.
    Unreachable,
    /// The account has nothing left to spend.
    OutOfCredit,
    /// The provider asks to wait.
    RateLimited,
    /// It answered something else, with this status: a wrong address, or a fault of its own.
    Odd(u16),
    /// Nothing that costs nothing shows whether the credential is good: the first request will. There may be models all
    /// the same.
    Uncheckable,
}

/// How fast an account answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speed {
    /// The time, on a new connection; `None` without an answer.
    pub took: Option<Duration>,
    /// What was timed.
    pub how: SpeedOf,
    /// In a sentence for the operator, without any secret.
    pub message: String,
}

/// What was timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpeedOf {
    /// A connection, and the answer to the question for the first page of the list of models.
    List,
    /// A connection, TLS included: nothing can be asked of this provider free of charge.
    Connect,
}

/// Looks at an account. `timeouts` are the gateway's: those for connecting and for the first byte bound this too, and the
/// channel's own go before them.
///
/// # Errors
/// `Invalid` for a channel that could not be used whatever the provider says, with the field at fault.
pub async fn probe(registry: &Registry, config: &ChannelConfig, timeouts: &Timeouts) -> UseCaseResult<Probe> {
    let started = Instant::now();
    let mut asker = Asker::new(registry, config, timeouts)?;
    let found = match asker.listing(None)? {
        Listing::At(at) => look(&mut asker, at).await?,
        Listing::None(why) => Finding::new(
            ProbeOutcome::Uncheckable,
            format!("{why}: whether the credential is good shows with the first request"),
        ),
    };
    let Finding { outcome, message, models } = found;
    Ok(Probe { outcome, message, took: started.elapsed(), models })
}

/// The list, and whether getting it shows that the credential is good.
async fn look(asker: &mut Asker, at: ListAt) -> UseCaseResult<Finding> {
    let (mut models, cut) = match pages(asker, &at).await? {
        Ok(found) => found,
        Err(finding) => return Ok(finding),
    };
    let unfit = at.unfit;
    if unfit.is_some() {
        models.clear();
    }
    let mut finding = vouch(asker, at).await;
    if finding.outcome == ProbeOutcome::Works {
        finding.message = match (unfit, models.len()) {
            (Some(why), _) => format!("the credential is good; {why}"),
            (None, 1) => "the credential is good; one model is listed".to_owned(),
            (None, count) => format!("the credential is good; {count} models are listed"),
        };
    }
    if let Some(why) = cut {
        finding.message = format!("{}, the list being incomplete: {why}", finding.message);
    }
    finding.models = models;
    Ok(finding)
}

type Pages = Result<(Vec<ProbedModel>, Option<String>), Finding>;

/// All pages; and why there are no more of them, where one failed after the first.
async fn pages(asker: &mut Asker, first: &ListAt) -> UseCaseResult<Pages> {
    let mut at = first.clone();
    let mut seen = HashSet::new();
    let mut models = Vec::new();
    for number in 0..PROBE_PAGES {
        let page = match asker.get(at.origin.as_deref(), &at.target, true).await {
            Ok(answer) if answer.status.is_success() => match asker.read(&answer) {
                Some(page) => Ok(page),
                None => Err(of_answer(asker, &answer)),
            },
            Ok(answer) => Err(of_answer(asker, &answer)),
            Err(failed) => Err(of_failure(&failed)),
        };
        let page = match page {
            Ok(page) => page,
            Err(finding) if number == 0 => return Ok(Err(finding)),
            Err(finding) => return Ok(Ok((models, Some(finding.message)))),
        };
        let fit = |model: &ProbedModel| asker.is_plain(&model.name);
        for model in page.models.into_iter().filter(fit) {
            if seen.insert(model.name.clone()) {
                models.push(asker.masked(model));
            }
        }
        match page.next.map(|next| asker.listing(Some(&next))).transpose()? {
            Some(Listing::At(next)) => at = next,
            _ => return Ok(Ok((models, None))),
        }
    }
    Ok(Ok((models, Some(format!("only {PROBE_PAGES} pages of it were asked for")))))
}

/// Whether a list that came shows that the credential is good.
async fn vouch(asker: &mut Asker, at: ListAt) -> Finding {
    let works = Finding::new(ProbeOutcome::Works, String::new());
    match at.guard {
        Guard::List if asker.own_address => works,
        _ if asker.has_no_credential => works,
        Guard::At(target) => match asker.get(None, &target, true).await {
            Ok(answer) if answer.status.is_success() => works,
            Ok(answer) => of_answer(asker, &answer),
            Err(failed) => of_failure(&failed),
        },
        // Whoever answers at an address of the operator's choice may list to anybody.
        Guard::List | Guard::Unknown => match asker.get(at.origin.as_deref(), &at.target, false).await {
            Ok(answer) if answer.status.is_client_error() && answer.status != 429 => works,
            _ => Finding::new(
                ProbeOutcome::Uncheckable,
                "the list of models is public here: whether the credential is good shows with the first request"
                    .to_owned(),
            ),
        },
    }
}

/// Times an account, without a paid call.
///
/// # Errors
/// As [`probe`].
pub async fn speed(registry: &Registry, config: &ChannelConfig, timeouts: &Timeouts) -> UseCaseResult<Speed> {
    let mut asker = Asker::new(registry, config, timeouts)?;
    let Listing::At(at) = asker.listing(None)? else {
        return Ok(connected(asker.connect().await));
    };
    Ok(match asker.get(at.origin.as_deref(), &at.target, true).await {
        Ok(answer) => listed(&asker, &answer),
        Err(failed) => Speed { took: None, how: SpeedOf::List, message: of_failure(&failed).message },
    })
}

fn listed(asker: &Asker, answer: &Answered) -> Speed {
    let message = match answer.status.is_success() {
        true => "connected, and asked for the list of models".to_owned(),
        false => of_answer(asker, answer).message,
    };
    Speed { took: Some(answer.took), how: SpeedOf::List, message }
}

fn connected(took: Result<Duration, Failed>) -> Speed {
    match took {
        Ok(took) => Speed {
            took: Some(took),
            how: SpeedOf::Connect,
            message: "connected; this provider can be asked nothing free of charge".to_owned(),
        },
        Err(failed) => Speed { took: None, how: SpeedOf::Connect, message: of_failure(&failed).message },
    }
}
