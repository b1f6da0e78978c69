//! What every measurement of a server stands on: its process, its processor, bytes on the wire.

pub(crate) mod cpu;
pub(crate) mod pin;
pub(crate) mod process;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod shelves;
pub(crate) mod sockets;

/// A quotient; `None` rather than an infinity.
pub(crate) fn quotient(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// A count as a number to calculate with, to 53 bits.
pub(crate) fn real(count: u64) -> f64 {
    let half = |bits: u64| f64::from(u32::try_from(bits & 0xFFFF_FFFF).unwrap_or(u32::MAX));
    half(count >> 32).mul_add(4_294_967_296.0, half(count))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the quotients are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_their_size() {
        assert_eq!(real(0), 0.0);
        assert_eq!(real(4_294_967_296), 4_294_967_296.0);
        assert_eq!(real(1_234_567_890_123), 1_234_567_890_123.0);
    }

    #[test]
    fn nothing_divided_by_nothing_is_not_a_number_that_anybody_reads() {
        assert_eq!((quotient(1.0, 2.0), quotient(1.0, 0.0)), (Some(0.5), None));
    }
}
