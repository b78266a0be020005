//! What came by POST because it is a picture or much text, and what a model drew: held in memory for the session that it
//! came in, and named by an id on the socket.

use burncloud_billing::desk::login::random_text;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The largest picture that somebody sends, in bytes.
pub(crate) const PICTURE: usize = 8 << 20;
/// The longest text, in bytes.
pub(crate) const TEXT: usize = 2 << 20;
/// What one session may have here, in bytes.
const OF_ONE: usize = 64 << 20;
/// What all of them may, in bytes.
const OF_ALL: usize = 256 << 20;
/// How long something waits that no page shows.
const WAITS: Duration = Duration::from_secs(30 * 60);
/// How many are read at a time.
const AT_ONCE: usize = 8;

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
    /// This session has as much here as it may.
    Full,
    /// All of them have.
    Crowded,
}

struct Waiting {
    /// The token of its session's forms: each session has its own.
    session: String,
    since: Instant,
    blob: Arc<Blob>,
}

impl Waiting {
    /// Whether a page shows it.
    fn shown(&self) -> bool {
        Arc::strong_count(&self.blob) > 1
    }
}

/// What is held, in this process alone.
pub(crate) struct Held {
    all: Mutex<HashMap<String, Waiting>>,
    /// Whoever reads a post has one.
    pub(crate) slots: Semaphore,
}

impl Default for Held {
    fn default() -> Held {
        Held { all: Mutex::default(), slots: Semaphore::new(AT_ONCE) }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("waiting", &self.all.lock().len()).finish_non_exhaustive()
    }
}

impl Held {
    /// Keeps a picture for a session.
    pub(crate) fn picture(&self, session: &str, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        let kind = Kind::of(&bytes).ok_or(Refused::NotAPicture)?;
        self.keep(session, kind, bytes)
    }

    /// Keeps a text for a session.
    pub(crate) fn text(&self, session: &str, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        if std::str::from_utf8(&bytes).is_err() {
            return Err(Refused::NotText);
        }
        self.keep(session, Kind::Text, bytes)
    }

    fn keep(&self, session: &str, kind: Kind, bytes: Bytes) -> Result<Arc<Blob>, Refused> {
        let id = random_text().map_err(|_| Refused::Crowded)?;
        let mut all = self.all.lock();
        all.retain(|_, one| one.shown() || one.since.elapsed() < WAITS);
        loop {
            let theirs = all.values().filter(|one| one.session == session);
            if theirs.map(|one| one.blob.bytes.len()).sum::<usize>() + bytes.len() <= OF_ONE {
                break;
            }
            // What no page shows makes room, the oldest first: a draft that was left, a conversation that was cleared.
            let left = all.iter().filter(|(_, one)| one.session == session && !one.shown());
            let oldest = left.min_by_key(|(_, one)| one.since).map(|(id, _)| id.clone());
            all.remove(&oldest.ok_or(Refused::Full)?);
        }
        if all.values().map(|one| one.blob.bytes.len()).sum::<usize>() + bytes.len() > OF_ALL {
            return Err(Refused::Crowded);
        }
        let blob = Arc::new(Blob { id: id.clone(), kind, bytes });
        let since = Instant::now();
        all.insert(id, Waiting { session: session.to_owned(), since, blob: blob.clone() });
        Ok(blob)
    }

    /// What that session has under this id, unless it waited too long. It waits anew from now.
    pub(crate) fn find(&self, session: &str, id: &str) -> Option<Arc<Blob>> {
        let mut all = self.all.lock();
        let one = all.get_mut(id).filter(|one| one.session == session)?;
        if !one.shown() && one.since.elapsed() >= WAITS {
            all.remove(id);
            return None;
        }
        one.since = Instant::now();
        Some(one.blob.clone())
    }

    /// That session ended.
    pub(crate) fn forget(&self, session: &str) {
        self.all.lock().retain(|_, one| one.session != session);
    }

    /// Lets go of what waited too long.
    pub(crate) fn sweep(&self) {
        self.all.lock().retain(|_, one| one.shown() || one.since.elapsed() < WAITS);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A picture of one dot.
    pub(crate) const DOT: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
        \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

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
        assert_eq!(Held::default().text("a", Bytes::from_static(b"\xff")).unwrap_err(), Refused::NotText);
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_page_shows_goes_after_a_while_and_no_other_session_finds_it() {
        let held = Held::default();
        let shown = held.picture("ann", png(100)).unwrap();
        let left = held.text("ann", Bytes::from_static("你好".as_bytes())).unwrap().id.clone();
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

    #[test]
    fn a_session_and_all_of_them_have_so_much_room() {
        let held = Held::default();
        let first = held.picture("ann", png(PICTURE)).unwrap().id.clone();
        let shown: Vec<_> = (1..8).map(|_| held.picture("ann", png(PICTURE)).unwrap()).collect();
        assert!(held.find("ann", &first).is_some());
        let ninth = held.picture("ann", png(PICTURE)).unwrap();
        assert!(held.find("ann", &first).is_none(), "what is not shown makes room");
        assert_eq!(held.picture("ann", png(PICTURE)).unwrap_err(), Refused::Full);
        drop((ninth, shown));
        for session in ["bob", "cem", "dan"] {
            (0..8).for_each(|_| drop(held.picture(session, png(PICTURE)).unwrap()));
        }
        assert_eq!(held.picture("eve", png(PICTURE)).unwrap_err(), Refused::Crowded);
        assert!(held.picture("ann", png(PICTURE)).is_ok(), "in place of her own");
    }
}
