//! The bits of JPEG data between two markers, and Huffman codes (ITU-T T.81, annexes C and F.2.2).

/// The longest Huffman code, bits.
const MAX_CODE_BITS: u32 = 16;
/// Zero bytes that some encoders add before a marker.
const MAX_FILL_BYTES: u32 = 3;

/// Reads the bits between two markers. A byte FF is followed by a stuffed 0, which is skipped.
#[derive(Debug)]
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// Bits that were taken from `data` and not yet read, from the most significant one.
    buffer: u64,
    n_bits: u32,
}

impl<'a> Bits<'a> {
    /// Reads `data`, which contains no marker.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0, buffer: 0, n_bits: 0 }
    }

    fn fill(&mut self) {
        while self.n_bits <= 56 {
            let Some(&byte) = self.data.get(self.at) else { return };
            self.at += if byte == 0xFF { 2 } else { 1 };
            self.buffer |= u64::from(byte) << (56 - self.n_bits);
            self.n_bits += 8;
        }
    }

    /// The next 16 bits; zeros after the end.
    fn peek(&mut self) -> u16 {
        if self.n_bits < MAX_CODE_BITS {
            self.fill();
        }
        let [a, b, ..] = self.buffer.to_be_bytes();
        u16::from_be_bytes([a, b])
    }

    fn skip(&mut self, n_bits: u32) -> Option<()> {
        self.n_bits = self.n_bits.checked_sub(n_bits)?;
        self.buffer <<= n_bits;
        Some(())
    }

    /// Reads a number of at most 16 bits; `None` where the data ends before.
    pub fn number(&mut self, n_bits: u32) -> Option<i32> {
        if n_bits == 0 {
            return Some(0);
        }
        let value = self.peek() >> MAX_CODE_BITS.checked_sub(n_bits)?;
        self.skip(n_bits)?;
        Some(value.into())
    }

    /// Reads a signed number of a size category (T.81, F.2.2.1).
    pub fn signed(&mut self, category: u32) -> Option<i32> {
        let value = self.number(category)?;
        let is_negative = category > 0 && value < 1 << (category - 1);
        Some(if is_negative { value - (1 << category) + 1 } else { value })
    }

    /// Whether only padding is left: equal bits up to the end of a byte, then at most a few zero bytes.
    pub fn ends_here(mut self) -> bool {
        self.fill();
        let n_padding = self.n_bits % 8;
        let padding = self.number(n_padding);
        let is_padding = padding == Some(0) || padding == Some((1 << n_padding) - 1);
        is_padding && self.at >= self.data.len() && self.n_bits <= 8 * MAX_FILL_BYTES && self.buffer == 0
    }
}

/// A table of Huffman codes.
#[derive(Debug)]
pub struct Table {
    /// For each 16 bits: the length of the code that they begin with, and its symbol. Length 0 where there is none.
    codes: Vec<[u8; 2]>,
}

impl Table {
    /// Builds the table from the number of codes of each length and their symbols; `None` where these are not valid.
    pub fn build(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut codes = vec![[0; 2]; 1 << MAX_CODE_BITS];
        let mut symbols = symbols.iter();
        let mut at = 0;
        for (length, &count) in (1u8..).zip(counts) {
            let n_entries = 1usize << (MAX_CODE_BITS - u32::from(length));
            for _ in 0..count {
                codes.get_mut(at..at + n_entries)?.fill([length, *symbols.next()?]);
                at += n_entries;
            }
        }
        Some(Self { codes })
    }

    /// Reads a code; `None` where there is no such code or the data ends before.
    pub fn symbol(&self, bits: &mut Bits) -> Option<u8> {
        let [length, symbol] = self.codes[usize::from(bits.peek())];
        if length == 0 {
            return None;
        }
        bits.skip(length.into())?;
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_and_missing_ones_are_not() {
        // 0: 7, 10: 8, 110: 9
        let mut counts = [0; 16];
        counts[..3].fill(1);
        let table = Table::build(&counts, &[7, 8, 9]).expect("the codes fit");
        let mut bits = Bits::new(&[0b0101_1001, 0b1111_1111, 0]);
        let symbols: Vec<_> = (0..5).map(|_| table.symbol(&mut bits)).collect();
        assert_eq!(symbols, [Some(7), Some(8), Some(9), Some(7), None]);
        assert!(Table::build(&[3; 16], &[0; 48]).is_none(), "three codes of one bit");
        assert!(Table::build(&counts, &[7]).is_none(), "fewer symbols than codes");
    }

    #[test]
    fn padding_is_the_end_and_data_is_not() {
        let after = |data: &[u8], n_bits| {
            let mut bits = Bits::new(data);
            bits.number(n_bits).expect("the data is longer");
            bits.ends_here()
        };
        assert!(after(&[0xFF, 0], 3) && after(&[0xA0], 3) && after(&[0xA0, 0, 0], 3) && after(&[0xAB], 8));
        assert!(
            !after(&[0xAB], 3) && !after(&[0xA0, 1], 3) && !after(&[0xA0, 0, 0, 0, 0], 3) && !after(&[0xA0; 20], 3)
        );
    }

    #[test]
    fn signed_numbers_have_the_sign_of_their_first_bit() {
        let mut bits = Bits::new(&[0b0011_1010]);
        let values: Vec<_> = [2, 2, 1, 1, 0].into_iter().map(|category| bits.signed(category)).collect();
        assert_eq!(values, [Some(-3), Some(3), Some(1), Some(-1), Some(0)]);
        assert_eq!(bits.signed(3), None);
    }
}
