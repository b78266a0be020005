//! Codes of the second factor (RFC 6238): six digits of half a minute, by HMAC-SHA-1, as every authenticator makes them.

use burncloud_core::UnixMicros;
use burncloud_core::usecase::UseCaseResult;
use ring::hmac;

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const STEP: i64 = 30_000_000;

/// A new secret of 160 bits, in base 32.
pub(super) fn new_secret() -> UseCaseResult<String> {
    Ok(encode(&super::secrets::random::<20>()?))
}

fn encode(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| (byte >> (7 - at % 8)) & 1);
    let five = |at: usize| (0..5).fold(0, |letter, n| (letter << 1) | bit(at * 5 + n));
    (0..(bytes.len() * 8).div_ceil(5)).map(|at| char::from(LETTERS[usize::from(five(at))])).collect()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().map(|letter| letter.to_ascii_uppercase()) {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The code of a step; `None` for a secret that is none.
pub(super) fn code(secret: &str, step: i64) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &decode(secret)?);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag.last()? & 15);
    let four: [u8; 4] = tag.get(at..at + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

/// The step of that moment.
pub(super) fn step(now: UnixMicros) -> i64 {
    now.0.div_euclid(STEP)
}

/// The step whose code that is: this one, the one before or the next, so that a clock may be off by half a minute.
pub(super) fn step_of(secret: &str, typed: &str, now: UnixMicros) -> Option<i64> {
    let typed: String = typed.chars().filter(|letter| !letter.is_whitespace()).collect();
    let this = step(now);
    [this, this - 1, this + 1].into_iter().find(|step| code(secret, *step).is_some_and(|code| code == typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = encode(b"12345678901234567890");
        for (second, wanted) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let now = UnixMicros(second * 1_000_000);
            assert_eq!(code(&secret, step(now)).as_deref(), Some(wanted), "{second}");
        }
    }

    #[test]
    fn a_clock_may_be_off_by_one_step_and_no_more() {
        let secret = new_secret().unwrap();
        let now = UnixMicros(1_700_000_000_000_000);
        let this = step(now);
        for (off, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let typed = code(&secret, this + off).unwrap();
            assert_eq!(step_of(&secret, &typed, now), taken.then_some(this + off), "{off}");
        }
        let spaced = code(&secret, this).unwrap();
        assert_eq!(step_of(&secret, &format!(" {} {} ", &spaced[..3], &spaced[3..]), now), Some(this));
        assert_eq!(step_of(&secret, "", now), None);
    }

    #[test]
    fn base_32_is_there_and_back() {
        for length in 1..40 {
            let bytes: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(37)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(decode("no base 32!"), None);
    }
}
