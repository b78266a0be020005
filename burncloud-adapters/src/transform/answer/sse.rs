//! Server-sent events, one at a time.

use super::{EditEvent, MAX_EVENT, too_long};
use burncloud_core::Error;
use bytes::BytesMut;
use memchr::memchr2;
use std::ops::Range;

/// Takes a stream apart. Keeps one event; what is not changed goes out byte for byte.
#[derive(Debug, Default)]
pub(super) struct Sse {
    /// From the beginning of an event.
    buffer: Vec<u8>,
    /// Where the line that has no end yet begins.
    line: usize,
    /// How far that line has been searched for its end.
    searched: usize,
    /// `data:` lines of the event, without their ends.
    data: Vec<Range<usize>>,
}

impl Sse {
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        out: &mut BytesMut,
        edit: &mut EditEvent<'_>,
    ) -> Result<(), Error> {
        self.buffer.extend_from_slice(chunk);
        let mut done = 0;
        while let Some((end, next)) = self.line_end() {
            let blank = end == self.line;
            if self.buffer[self.line..end].starts_with(b"data:") {
                self.data.push(self.line..end);
            }
            (self.line, self.searched) = (next, next);
            if blank {
                self.event(done..next, out, edit)?;
                done = next;
            }
        }
        self.forget(done);
        if self.buffer.len() > MAX_EVENT { Err(too_long("an event of the answer")) } else { Ok(()) }
    }

    /// The stream has ended; an event may lack its blank line.
    pub(super) fn finish(&mut self, out: &mut BytesMut, edit: &mut EditEvent<'_>) -> Result<(), Error> {
        let end = self.buffer.len();
        let line = self.buffer[self.line..].strip_suffix(b"\r").map_or(end, |line| self.line + line.len());
        if self.buffer[self.line..line].starts_with(b"data:") {
            self.data.push(self.line..line);
        }
        self.event(0..end, out, edit)?;
        self.forget(end);
        Ok(())
    }

    /// The end of the current line, and the beginning of the next. Lines end in LF, CRLF or CR.
    fn line_end(&mut self) -> Option<(usize, usize)> {
        match memchr2(b'\n', b'\r', &self.buffer[self.searched..]) {
            None => {
                self.searched = self.buffer.len();
                None
            }
            Some(at) => {
                let end = self.searched + at;
                let next = match (self.buffer[end], self.buffer.get(end + 1)) {
                    (b'\n', _) => end + 1,
                    (_, Some(b'\n')) => end + 2,
                    (_, Some(_)) => end + 1,
                    // An LF may follow; whether one does, the next chunk tells.
                    (_, None) => {
                        self.searched = end;
                        return None;
                    }
                };
                Some((end, next))
            }
        }
    }

    fn event(
        &mut self,
        event: Range<usize>,
        out: &mut BytesMut,
        edit: &mut EditEvent<'_>,
    ) -> Result<(), Error> {
        let lines = std::mem::take(&mut self.data);
        let changed = match lines.as_slice() {
            [] => None,
            [line] => edit(value(&self.buffer[line.clone()]))?,
            lines => {
                let values: Vec<&[u8]> = lines.iter().map(|line| value(&self.buffer[line.clone()])).collect();
                edit(&values.join(&b'\n'))?
            }
        };
        let Some(json) = changed else {
            out.extend_from_slice(&self.buffer[event]);
            return Ok(());
        };
        // All as it was, but for the data: it stands where its first line stood.
        let mut from = event.start;
        for (at, line) in lines.iter().enumerate() {
            if at == 0 {
                let value = line.end - value(&self.buffer[line.clone()]).len();
                out.extend_from_slice(&self.buffer[from..value]);
                out.extend_from_slice(&json);
                from = line.end;
            } else {
                out.extend_from_slice(&self.buffer[from..line.start]);
                from = line.end + self.end_len(line.end);
            }
        }
        out.extend_from_slice(&self.buffer[from..event.end]);
        Ok(())
    }

    /// How long the line end is that stands here.
    fn end_len(&self, at: usize) -> usize {
        match self.buffer.get(at..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\r' | b'\n', ..]) => 1,
            _ => 0,
        }
    }

    /// What stands before `done` has gone out.
    fn forget(&mut self, done: usize) {
        self.buffer.drain(..done);
        self.line = self.line.saturating_sub(done);
        self.searched = self.searched.saturating_sub(done);
        for line in &mut self.data {
            *line = line.start - done..line.end - done;
        }
    }
}

/// What a `data:` line says.
fn value(line: &[u8]) -> &[u8] {
    let value = line.get(b"data:".len()..).unwrap_or_default();
    value.strip_prefix(b" ").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stream: &[u8], cuts: &[usize], edit: &mut EditEvent<'_>) -> Vec<u8> {
        let (mut sse, mut out, mut from) = (Sse::default(), BytesMut::new(), 0);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([stream.len()]) {
            sse.feed(&stream[from..cut], &mut out, edit).unwrap();
            from = cut;
        }
        sse.finish(&mut out, edit).unwrap();
        out.to_vec()
    }

    fn shout(data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok((data != b"[DONE]").then(|| data.to_ascii_uppercase()))
    }

    #[test]
    fn events_are_changed_and_all_else_stays() {
        let stream = b": hello\nevent: a\ndata: {\"a\":1}\nid: 7\n\ndata:x\r\n\r\ndata: y\rdata: z\r\revent: b\n\ndata: [DONE]\n\ndata: last";
        let wanted =
            b": hello\nevent: a\ndata: {\"A\":1}\nid: 7\n\ndata:X\r\n\r\ndata: Y\nZ\r\revent: b\n\ndata: [DONE]\n\ndata: LAST";
        // Of several data lines one is left. (The editor here answers with a line break, which JSON has not.)
        assert_eq!(
            String::from_utf8(run(stream, &[], &mut shout)).unwrap(),
            String::from_utf8(wanted.to_vec()).unwrap()
        );
        for cut in 0..stream.len() {
            assert_eq!(run(stream, &[cut], &mut shout), wanted, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_has_a_bound() {
        let mut sse = Sse::default();
        let chunk = vec![b'a'; 1 << 20];
        let mut out = BytesMut::new();
        let mut feed = || sse.feed(&chunk, &mut out, &mut |_| Ok(None));
        assert!((0..16).all(|_| feed().is_ok()));
        assert!(feed().is_err());
    }

    proptest! {
        #[test]
        fn what_is_not_changed_passes_byte_for_byte(
            stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'd'), any::<u8>()], 0..200),
            lines in "(data: ?[a-z]{0,3}(\n|\r\n|\r){1,2}){0,20}",
            cuts in proptest::collection::vec(any::<usize>(), 0..8),
        ) {
            for stream in [stream, lines.into_bytes()] {
                prop_assert_eq!(&run(&stream, &cuts, &mut |_| Ok(None)), &stream);
                prop_assert_eq!(run(&stream, &cuts, &mut shout), run(&stream, &[], &mut shout));
            }
        }
    }
}
