//! What a provider says of the models it serves.

use http::uri::PathAndQuery;

/// What a list is asked for with.
#[derive(Clone, Copy, Debug)]
pub struct ListAsk<'a> {
    /// Scheme and authority of the channel's address.
    pub origin: &'a str,
    /// The channel's API root, without a trailing slash; may be empty.
    pub root: &'a str,
    /// The page: [`ModelsPage::next`] of the one before.
    pub after: Option<&'a str>,
}

/// How a provider can be asked for its models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// By a GET that costs nothing.
    At(ListAt),
    /// It cannot; why, in plain words.
    None(&'static str),
}

/// A question that costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAt {
    /// Scheme and authority, where they are not the channel's.
    pub origin: Option<String>,
    /// Path and query.
    pub target: PathAndQuery,
    /// What shows that the credential is good.
    pub guard: Guard,
    /// Why the names in the list are not what this channel can be asked for; it only shows then that the credential is
    /// good.
    pub unfit: Option<&'static str>,
}

impl ListAt {
    /// A list at the channel's own address that is answered only to a good credential.
    #[must_use]
    pub fn new(target: PathAndQuery) -> ListAt {
        ListAt { origin: None, target, guard: Guard::List, unfit: None }
    }
}

/// What shows that a credential is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The list: the provider, at its own address, gives it to nobody else.
    List,
    /// The list, unless it is public: it is asked for once more without the credential.
    Unknown,
    /// The list is public; this is answered only to a good credential.
    At(PathAndQuery),
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelsPage {
    /// What is in it.
    pub models: Vec<ProbedModel>,
    /// For [`ListAsk::after`]; `None` after the last.
    pub next: Option<String>,
}

/// A model as its provider lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbedModel {
    /// The name to ask for.
    pub name: String,
    /// The name to show.
    pub display: Option<String>,
    /// How many tokens of input it takes, or of input and output together, as the provider counts.
    pub context_window: Option<u64>,
    /// How many tokens it answers with at most.
    pub max_output: Option<u64>,
}
