//! Positions of a stream's events as bytes: differences as variable-length numbers, seven bits a byte,
//! the lowest first. A busy stream needs two bytes an event.

/// The bytes of ascending positions.
pub(super) fn encode(positions: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(positions.len().saturating_mul(2).saturating_add(4));
    let mut before = 0_u64;
    for position in positions {
        let mut rest = position.wrapping_sub(before);
        before = *position;
        while 0x7f < rest {
            bytes.push(rest.to_le_bytes()[0] | 0x80);
            rest >>= 7;
        }
        bytes.push(rest.to_le_bytes()[0]);
    }
    bytes
}

/// The positions again; `None` for bytes that end in the middle of one or say too much.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u64>> {
    let mut positions = Vec::with_capacity(bytes.len());
    let (mut before, mut rest, mut shift) = (0_u64, 0_u64, 0_u32);
    for byte in bytes {
        rest |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift = shift.saturating_add(7);
        if byte & 0x80 == 0 {
            before = before.wrapping_add(rest);
            positions.push(before);
            (rest, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(positions)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_positions_come_back(mut positions in prop::collection::vec(any::<u64>(), 0..50)) {
            positions.sort_unstable();
            prop_assert_eq!(decode(&encode(&positions)), Some(positions));
        }
    }

    #[test]
    fn neighbours_take_a_byte_each() {
        assert_eq!(encode(&[300, 301, 305]), [0xac, 0x02, 1, 4]);
    }

    #[test]
    fn half_a_number_is_noticed() {
        assert_eq!(decode(&[0xac]), None);
        assert_eq!(decode(&[0xff; 12]), None);
    }
}
