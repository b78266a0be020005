//! Records out of bytes.

use super::*;

/// What stands at the beginning of some bytes.
pub(in crate::journal) enum Frame<'a> {
    /// A whole record, and how many bytes it takes with its frame.
    Whole(&'a [u8], usize),
    /// Fewer bytes than the frame says.
    Cut,
    /// Nothing that was written as a frame.
    Bad,
}

pub(in crate::journal) fn frame(bytes: &[u8]) -> Frame<'_> {
    let Some(head) = bytes.first_chunk::<FRAME>() else { return Frame::Cut };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    // A file that was extended but not written reads as zeros, whose length and checksum would agree.
    if length == 0 || length > LONGEST {
        return Frame::Bad;
    }
    match bytes.get(FRAME..FRAME + length) {
        None => Frame::Cut,
        Some(payload) if crc32fast::hash(payload) == crc => Frame::Whole(payload, FRAME + length),
        Some(_) => Frame::Bad,
    }
}

/// Whether a payload is a settlement.
pub(in crate::journal) fn is_settle(payload: &[u8]) -> bool {
    matches!(payload.first(), Some(&(SETTLE | SETTLE_2)))
}

/// `None` for a record of another version.
pub(in crate::journal) fn decode(payload: &[u8]) -> Option<Record> {
    let (kind, rest) = payload.split_first()?;
    let mut from = Reader(rest);
    match *kind {
        ADMIT => from.admit().map(Record::Admit),
        ADMIT_2 => from.admit_2().map(Record::Admit),
        SETTLE => from.receipt().map(|receipt| Record::Settle(Box::new(receipt))),
        SETTLE_2 => from.receipt_2().map(|receipt| Record::Settle(Box::new(receipt))),
        SHIPPED => from.number().map(Record::Shipped),
        _ => None,
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        self.byte().map(|byte| byte != 0)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let n = self.number()?;
        Some((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    fn nano(&mut self) -> Option<Nano> {
        self.signed().map(Nano)
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn maybe(&mut self) -> Option<Option<u64>> {
        Some(self.number()?.checked_sub(1))
    }

    fn coded<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(usize::from(self.byte()?)).copied()
    }

    fn admit(&mut self) -> Option<Admit> {
        Some(Admit {
            id: ReceiptId(u128::from_le_bytes(self.array()?)),
            trace_id: TraceId(self.array()?),
            at: UnixMicros(self.signed()?),
            key: KeyId(self.signed()?),
            user: UserId(self.signed()?),
            tenant: TenantId(self.signed()?),
            dialect: self.coded(&DIALECTS)?,
            operation: Operation::parse(self.text()?)?,
            model: self.text()?.into(),
            upstream_model: self.text()?.into(),
            channel: self.channel()?,
            reserved: self.nano()?,
            input: self.nano()?,
            price_version: self.number()?,
            bytes_in: self.number()?,
            legs: Vec::new(),
        })
    }

    fn admit_2(&mut self) -> Option<Admit> {
        let admit = self.admit()?;
        let leg = |from: &mut Self| Some((TenantId(from.signed()?), TenantId(from.signed()?), from.nano()?));
        Some(Admit { legs: self.list(leg)?, ..admit })
    }

    fn channel(&mut self) -> Option<Option<ChannelId>> {
        let (there, id) = (self.flag()?, self.signed()?);
        Some(there.then_some(ChannelId(id)))
    }

    fn receipt(&mut self) -> Option<Receipt> {
        Some(Receipt {
            id: ReceiptId(u128::from_le_bytes(self.array()?)),
            trace_id: TraceId(self.array()?),
            at: UnixMicros(self.signed()?),
            key: KeyId(self.signed()?),
            user: UserId(self.signed()?),
            tenant: TenantId(self.signed()?),
            dialect: self.coded(&DIALECTS)?,
            operation: Operation::parse(self.text()?)?,
            model: self.text()?.into(),
            upstream_model: self.text()?.into(),
            channel: self.channel()?,
            upstream_request_id: self.optional_text()?.map(Into::into),
            streamed: self.flag()?,
            status: self.small()?,
            end: End::parse(self.text()?)?,
            attempts: self.list(Reader::attempt)?,
            usage: self.usage()?,
            usage_source: self.coded(&SOURCES)?,
            price_version: self.number()?,
            lines: self.list(Reader::line)?,
            reserved: self.nano()?,
            charge: self.nano()?,
            shortfall: self.nano()?,
            legs: Vec::new(),
            abort: None,
            upstream_cost: self.nano()?,
            first_byte_us: self.maybe()?.map(u32::try_from).transpose().ok()?,
            took_us: self.number()?,
            bytes_in: self.number()?,
            bytes_out: self.number()?,
        })
    }

    fn receipt_2(&mut self) -> Option<Receipt> {
        let mut receipt = self.receipt()?;
        receipt.legs = self.list(|from| {
            let (tenant, parent) = (TenantId(from.signed()?), TenantId(from.signed()?));
            Some(Leg { tenant, parent, charge: from.nano()?, shortfall: from.nano()? })
        })?;
        receipt.abort = match self.byte()? {
            0 => None,
            n => Some(*ABORTS.get(usize::from(n - 1))?),
        };
        if self.flag()? {
            let usage = &mut receipt.usage;
            usage.video_ms = self.number()?;
            usage.web_searches = self.number()?;
            usage.file_searches = self.number()?;
            usage.code_sessions = self.number()?;
            let (width, height) = (self.small()?, self.small()?);
            usage.picture = Picture { width, height, quality: self.coded(&QUALITIES)? };
        }
        Some(receipt)
    }

    fn optional_text(&mut self) -> Option<Option<String>> {
        let there = self.flag()?;
        let text = self.text()?;
        Some(there.then(|| text.to_owned()))
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| one(self)).collect()
    }

    fn attempt(&mut self) -> Option<Attempt> {
        Some(Attempt {
            channel: ChannelId(self.signed()?),
            status: self.maybe()?.map(u16::try_from).transpose().ok()?,
            error: self.optional_text()?,
            took_us: self.small()?,
        })
    }

    fn line(&mut self) -> Option<Line> {
        Some(Line {
            kind: self.coded(&KINDS)?,
            units: self.number()?,
            price: self.nano()?,
            amount: self.nano()?,
        })
    }

    fn usage(&mut self) -> Option<Usage> {
        Some(Usage {
            input: self.number()?,
            cached_read: self.number()?,
            cache_write_5m: self.number()?,
            cache_write_1h: self.number()?,
            output: self.number()?,
            reasoning: self.number()?,
            audio_in: self.number()?,
            audio_out: self.number()?,
            image_in: self.number()?,
            image_out: self.number()?,
            pieces: self.number()?,
            audio_ms: self.number()?,
            tier: self.coded(&TIERS)?,
            ..Usage::default()
        })
    }
}
