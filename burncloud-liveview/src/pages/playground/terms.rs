//! What is chosen: with which key, which model in which format, and how.

use super::Typed;
use super::speech::{Dials, Speech, Think, tools};
use super::talk::Terms;
use crate::live::Place;
use burncloud_billing::desk::KeyView;
use burncloud_core::Gateway;
use dioxus::prelude::*;

/// What is chosen, and between what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) key: KeyView,
    /// What the key opens and somebody serves.
    pub(super) models: Vec<String>,
}

/// The key that the URL names, else the first one; and what it opens.
pub(super) fn chosen(gateway: &Gateway, keys: &[KeyView], place: &Place) -> Option<Chosen> {
    let wanted: Option<i64> = place.parsed("k");
    let key = keys.iter().find(|view| Some(view.key.id.0) == wanted).or(keys.first())?.clone();
    let table = gateway.handle().table();
    let opened = |model: &str| key.key.models.as_ref().is_none_or(|open| open.iter().any(|one| one == model));
    let models = table.models().into_iter().filter(|route| opened(&route.model));
    let models = models.filter(|route| !formats(gateway, &route.model).is_empty());
    let models = models.map(|route| route.model.to_string()).collect();
    Some(Chosen { key, models })
}

/// The formats that somebody answers for this model.
pub(super) fn formats(gateway: &Gateway, model: &str) -> Vec<Speech> {
    let table = gateway.handle().table();
    let Some(route) = table.route(model) else { return Vec::new() };
    // Which group the caller is of, the gateway knows when it is asked.
    let serves = |speech: &Speech| {
        speech.endpoint(model).is_some_and(|endpoint| {
            let groups = route.lanes.iter().flat_map(|lane| &lane.channel.groups);
            let mut groups = std::iter::once(None).chain(groups.map(|group| Some(&**group)));
            groups.any(|group| route.serves(&endpoint, group))
        })
    };
    Speech::ALL.into_iter().filter(serves).collect()
}

impl Chosen {
    /// The model that `part` of the query names, else the one at `otherwise` in the list.
    pub(super) fn model(&self, place: &Place, part: &str, otherwise: usize) -> String {
        let wanted = place.get(part).filter(|wanted| self.models.iter().any(|model| model == wanted));
        let other = || self.models.get(otherwise).or(self.models.first()).map(String::as_str);
        wanted.or_else(other).unwrap_or_default().to_owned()
    }
}

/// The format that the URL names, where the model is served in it; else the first in which it is.
pub(super) fn format(gateway: &Gateway, place: &Place, model: &str) -> Speech {
    let served = formats(gateway, model);
    let wanted = place.get("d").and_then(Speech::of).filter(|speech| served.contains(speech));
    wanted.or(served.first().copied()).unwrap_or_default()
}

/// The dials of the URL; of the functions none where what is typed is none.
pub(super) fn dials(place: &Place, typed: Typed) -> Dials {
    Dials {
        temperature: place.parsed("t").filter(|t| *t <= 20),
        top_p: place.parsed("p").filter(|p| *p <= 100),
        longest: place.parsed("max").filter(|max| (1..=200_000).contains(max)),
        think: place.get("think").and_then(Think::of).unwrap_or_default(),
        system: typed.system.peek().trim().to_owned(),
        tools: tools(&typed.tools.peek()).unwrap_or_default(),
    }
}

/// Everything that a request needs beside words.
pub(super) fn terms(gateway: &Gateway, chosen: &Chosen, place: &Place, model: String, typed: Typed) -> Terms {
    let speech = format(gateway, place, &model);
    Terms { key: chosen.key.key.id, speech, dials: dials(place, typed), model }
}
