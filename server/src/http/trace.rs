//! W3C trace context: the id that ties a reply, its log lines and its metrics together.

use crate::random;
use http::{HeaderMap, HeaderValue};

/// Where this request stands in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub trace_id: u128,
    /// Our own span, new for every request.
    pub span_id: u64,
    pub sampled: bool,
}

pub const TRACEPARENT: &str = "traceparent";

impl Trace {
    /// Goes on with the caller's trace, or begins one.
    pub fn of(headers: &HeaderMap) -> Self {
        // Zero means "none" in both ids; the low bit keeps them away from it.
        let span_id = (random::bits() as u64) | 1;
        let given = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(parse);
        let (trace_id, sampled) = given.unwrap_or_else(|| (random::bits() | 1, false));
        Self { trace_id, span_id, sampled }
    }

    pub fn id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    pub fn header(&self) -> HeaderValue {
        let text =
            format!("00-{:032x}-{:016x}-0{}", self.trace_id, self.span_id, u8::from(self.sampled));
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// `version-traceid-parentid-flags`; later versions may append, version ff is forbidden.
fn parse(text: &str) -> Option<(u128, bool)> {
    let mut parts = text.split('-');
    let version = lower_hex(parts.next()?, 2)?;
    let trace_id = lower_hex(parts.next()?, 32)?;
    let parent = lower_hex(parts.next()?, 16)?;
    let flags = lower_hex(parts.next()?, 2)?;
    let ends = parts.next().is_none();
    let valid = version != 0xff && (version != 0 || ends) && trace_id != 0 && parent != 0;
    valid.then_some((trace_id, flags & 1 == 1))
}

fn lower_hex(text: &str, digits: usize) -> Option<u128> {
    let fits = text.len() == digits
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Trace {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_str(text).unwrap());
        Trace::of(&headers)
    }

    #[test]
    fn a_callers_trace_goes_on_under_a_new_span() {
        let trace = of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.sampled);
        assert_ne!(trace.span_id, 0x00f0_67aa_0ba9_02b7);
        assert!(trace.header().to_str().unwrap().ends_with("-01"));
    }

    #[test]
    fn a_malformed_trace_begins_a_new_one() {
        for text in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert_ne!(of(text).id(), "4bf92f3577b34da6a3ce929d0e0e4736", "{text}");
        }
    }
}
