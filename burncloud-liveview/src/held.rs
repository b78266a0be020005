//! What came by POST because it is a picture or much text, and what a model drew: held in memory for the session that it
//! came in, and named by an id on the socket.

use crate::live::Viewer;
use crate::room::One;
use burncloud_billing::desk::login::random_text;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The largest picture that somebody sends, in bytes.
pub(crate) const PICTURE: usize = 8 << 20;
/// The longest text, in bytes.
pub(crate) const TEXT: usize = 2 << 20;
/// What one user may have here over all their sessions, in bytes.
const OF_ONE: usize = 64 << 20;
/// What all of them may, in bytes.
const OF_ALL: usize = 256 << 20;
/// How long something waits that no page shows.
const WAITS: Duration = Duration::from_secs(30 * 60);
/// How long it is there at most since a page had it, however often a browser asks for it.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);

/// What something is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    Webp,
    Gif,
    Text,
}

impl Kind {
    /// Of a picture, whatever it is called; `None` where it is none that every browser draws.
    pub(crate) fn of(bytes: &[u8]) -> Option<Kind> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Kind::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::Webp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Kind::Gif),
            _ => None,
        }
    }

    pub(crate) fn mime(self) -> &'static str {
        match self {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Webp => "image/webp",
            Kind::Gif => "image/gif",
            Kind::Text => "text/plain; charset=utf-8",
        }
    }
}

/// One thing that is held.
pub(crate) struct Blob {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) bytes: Bytes,
}

impl Blob {
    /// Its text; empty where it is a picture.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).ok().filter(|_| self.kind == Kind::Text).unwrap_or_default()
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Blob { id: _, kind, bytes } = self;
        f.debug_struct("Blob").field("kind", kind).field("bytes", &bytes.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Blob) -> bool {
        self.id == other.id
    }
}

/// Why something is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    TooLarge,
    NotAPicture,
    NotText,
    /// This user has as much here as they may.
    Full,
    /// All of them have.
    Crowded,
}

struct Waiting {
    /// The token of its session's forms: each session has its own.
    session: String,
    /// Whose room it takes.
    one: One,
    /// When it was last asked for.
    since: Instant,
    /// When it came, or a page last took it.
    taken: Instant,
    blob: Arc<Blob>,
}

impl Waiting {
    /// Whether a page shows it.
    fn shown(&self) -> bool {
        Arc::strong_count(&self.blob) > 1
    }

    /// Whether it waited long enough for a page that shows it.
    fn is_over(&self) -> bool {
        !self.shown() && (self.since.elapsed() >= WAITS || self.taken.elapsed() >= LIFE)
    }
}

/// What is held, in this process alone.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<String, Waiting>>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("waiting", &self.0.lock().len()).finish_non_exhaustive()
    }
}

impl Held {
    /// Keeps a picture for somebody's session.
    pub(crate) fn picture(&self, viewer: &Viewer, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        let kind = Kind::of(&bytes).ok_or(Refused::NotAPicture)?;
        self.keep(viewer, kind, bytes)
    }

    /// Keeps a text for somebody's session.
    pub(crate) fn text(&self, viewer: &Viewer, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        if std::str::from_utf8(&bytes).is_err() {
            return Err(Refused::NotText);
        }
        self.keep(viewer, Kind::Text, bytes)
    }

    fn keep(&self, viewer: &Viewer, kind: Kind, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        let (session, one) = (viewer.csrf.clone(), One::of(&viewer.actor));
        let id = random_text().map_err(|_| Refused::Crowded)?;
        let mut all = self.0.lock();
        all.retain(|_, waiting| !waiting.is_over());
        loop {
            let theirs = all.values().filter(|waiting| waiting.one == one);
            if theirs.map(|waiting| waiting.blob.bytes.len()).sum::<usize>() + bytes.len() <= OF_ONE {
                break;
            }
            // What no page shows makes room, the oldest first: a draft that was left, a conversation that was cleared.
            let left = all.iter().filter(|(_, waiting)| waiting.one == one && !waiting.shown());
            let oldest = left.min_by_key(|(_, waiting)| waiting.since).map(|(id, _)| id.clone());
            all.remove(&oldest.ok_or(Refused::Full)?);
        }
        if all.values().map(|one| one.blob.bytes.len()).sum::<usize>() + bytes.len() > OF_ALL {
            return Err(Refused::Crowded);
        }
        let blob = Arc::new(Blob { id: id.clone(), kind, bytes });
        let since = Instant::now();
        all.insert(id, Waiting { session, one, since, taken: since, blob: blob.clone() });
        Ok(blob)
    }

    /// What that session has under this id, unless it waited too long; for a page. It waits anew from now.
    pub(crate) fn find(&self, session: &str, id: &str) -> Option<Arc<Blob>> {
        self.found(session, id, true)
    }

    /// The same for a browser that draws it: it waits anew, but not for ever.
    pub(crate) fn seen(&self, session: &str, id: &str) -> Option<Arc<Blob>> {
        self.found(session, id, false)
    }

    fn found(&self, session: &str, id: &str, by_page: bool) -> Option<Arc<Blob>> {
        let mut all = self.0.lock();
        let one = all.get_mut(id).filter(|one| one.session == session)?;
        if one.is_over() {
            all.remove(id);
            return None;
        }
        one.since = Instant::now();
        if by_page {
            one.taken = one.since;
        }
        Some(one.blob.clone())
    }

    /// Whether that session has anything here.
    pub(crate) fn has(&self, session: &str) -> bool {
        self.0.lock().values().any(|one| one.session == session)
    }

    /// That session ended.
    pub(crate) fn forget(&self, session: &str) {
        self.0.lock().retain(|_, one| one.session != session);
    }

    /// Lets go of what waited too long. What a page shows waits from when it is left.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        self.0.lock().retain(|_, waiting| {
            if waiting.shown() {
                (waiting.since, waiting.taken) = (now, now);
            }
            !waiting.is_over()
        });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::lang::{Lang, Theme};
    use burncloud_billing::people::Actor;

    /// A picture of one dot.
    pub(crate) const DOT: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
        \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

    /// Somebody in that session of theirs: `ann`, `ann 2`.
    pub(crate) fn by(session: &str) -> Viewer {
        let name = session.split(' ').next().unwrap();
        Viewer {
            actor: Actor::operator(name),
            name: name.into(),
            lang: Lang::En,
            theme: Theme::System,
            csrf: session.into(),
            ended: Default::default(),
            acting: None,
        }
    }

    fn png(size: usize) -> Bytes {
        let mut bytes = DOT.to_vec();
        bytes.resize(size, 0);
        bytes.into()
    }

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        let kinds: [(&[u8], Option<Kind>); 7] = [
            (DOT, Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"RIFF\x01\0\0\0WEBPVP8 ", Some(Kind::Webp)),
            (b"GIF89a", Some(Kind::Gif)),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"RIFF\x01\0\0\0WAVE", None),
            (b"", None),
        ];
        for (bytes, kind) in kinds {
            assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
        }
        assert_eq!(
            Held::default().text(&by("a"), Bytes::from_static(b"\xff")).unwrap_err(),
            Refused::NotText
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_page_shows_goes_after_a_while_and_no_other_session_finds_it() {
        let held = Held::default();
        let shown = held.picture(&by("ann"), png(100)).unwrap();
        let left = held.text(&by("ann"), Bytes::from_static("你好".as_bytes())).unwrap().id.clone();
        assert!(held.find("bob", &left).is_none() && held.find("bob", &shown.id).is_none());
        tokio::time::advance(WAITS - Duration::from_secs(1)).await;
        assert_eq!(held.find("ann", &left).unwrap().text(), "你好");
        tokio::time::advance(WAITS - Duration::from_secs(1)).await;
        assert!(held.find("ann", &left).is_some(), "it waits from when it was last asked for");
        tokio::time::advance(WAITS).await;
        assert!(held.find("ann", &left).is_none());
        held.sweep();
        assert!(held.find("ann", &shown.id).is_some(), "a page shows it");
        held.forget("ann");
        assert!(held.find("ann", &shown.id).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_asks_again_and_again_keeps_nothing_for_ever() {
        let held = Held::default();
        let id = held.picture(&by("ann"), png(100)).unwrap().id.clone();
        let begun = Instant::now();
        while held.seen("ann", &id).is_some() {
            assert!(begun.elapsed() < LIFE, "no page shows it");
            tokio::time::advance(WAITS / 2).await;
        }
        assert_eq!(begun.elapsed(), LIFE);
        let id = held.picture(&by("ann"), png(100)).unwrap().id.clone();
        for _ in 0..8 {
            tokio::time::advance(WAITS - Duration::from_secs(1)).await;
            assert!(held.find("ann", &id).is_some(), "a page takes it again");
        }
        let shown = held.find("ann", &id).unwrap();
        tokio::time::advance(2 * LIFE).await;
        held.sweep();
        drop(shown);
        tokio::time::advance(WAITS - Duration::from_secs(1)).await;
        assert!(held.seen("ann", &id).is_some(), "a page showed it till then");
    }

    #[test]
    fn a_user_has_no_more_room_by_another_session() {
        let held = Held::default();
        let mut shown = Vec::new();
        for session in ["ann", "ann 2", "ann 3", "ann 4"] {
            shown.extend((0..2).map(|_| held.picture(&by(session), png(PICTURE)).unwrap()));
        }
        assert_eq!(held.picture(&by("ann 5"), png(PICTURE)).unwrap_err(), Refused::Full);
        assert!(held.picture(&by("bob"), png(PICTURE)).is_ok());
        held.forget("ann 2");
        assert!(held.has("ann") && !held.has("ann 2"));
        assert!(held.picture(&by("ann 5"), png(2 * PICTURE)).is_ok(), "a session that ended makes room");
    }

    #[test]
    fn a_user_and_all_of_them_have_so_much_room() {
        let held = Held::default();
        let first = held.picture(&by("ann"), png(PICTURE)).unwrap().id.clone();
        let shown: Vec<_> = (1..8).map(|_| held.picture(&by("ann"), png(PICTURE)).unwrap()).collect();
        assert!(held.find("ann", &first).is_some());
        let ninth = held.picture(&by("ann"), png(PICTURE)).unwrap();
        assert!(held.find("ann", &first).is_none(), "what is not shown makes room");
        assert_eq!(held.picture(&by("ann"), png(PICTURE)).unwrap_err(), Refused::Full);
        drop((ninth, shown));
        for session in ["bob", "cem", "dan"] {
            (0..8).for_each(|_| drop(held.picture(&by(session), png(PICTURE)).unwrap()));
        }
        assert_eq!(held.picture(&by("eve"), png(PICTURE)).unwrap_err(), Refused::Crowded);
        assert!(held.picture(&by("ann"), png(PICTURE)).is_ok(), "in place of her own");
    }
}
