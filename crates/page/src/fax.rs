//! CCITT fax codes: T.4 one- and two-dimensional (Group 3), T.6 (Group 4), and TIFF's modified Huffman.
//!
//! ITU-T T.4 (07/2003) section 4, T.6 (11/1988) section 2, TIFF 6.0 sections 10 and 11. The code tables are the fax
//! crate's; its readers are not used: they read neither two-dimensional Group 3 nor rows without end-of-line codes, and
//! accept rows of a wrong length.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader, Color};

/// Zero bytes that are appended to the data: the length of the longest code.
const PADDING_BYTES: usize = 2;
/// No code of a run begins with this many zeros: an end-of-line code or the fill before it follows.
const EOL_PREFIX_BITS: u8 = 9;

/// T.4's end-of-line code of 12 bits, two of which end a Group 4 page.
const END_CODE: u16 = 1;

/// A fax coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// TIFF compression 2: rows of runs, each from a byte boundary, no end-of-line codes.
    ModifiedHuffman,
    /// TIFF compression 3 with rows of runs only.
    Group3,
    /// TIFF compression 3 where a bit after each end-of-line code selects the coding of the row: 1 for runs, 0 for changes from the row above.
    Group3TwoDimensional,
    /// TIFF compression 4.
    Group4,
    /// Group 4 with each row from a byte boundary, as PDF allows.
    Group4Aligned,
}

/// Decodes `rows` rows of `width` pixels and calls `row_cb` with each row's index and the columns where the colour
/// changes: ascending, under `width`, from white to black first.
///
/// Returns what follows the last row, or the row at which the data could not be read: a code that does not exist, a row of a wrong
/// length, the code that ends the page, or the end of the data.
pub fn decode_rows(
    data: impl Iterator<Item = u8>,
    coding: Coding,
    width: u32,
    rows: u32,
    mut row_cb: impl FnMut(u32, &[u32]),
) -> Result<Rest, u32> {
    let padded = data.chain([0; PADDING_BYTES]).map(Ok::<u8, Infallible>);
    let Ok(mut reader) = ByteReader::new(padded);
    let (mut above, mut row) = (Vec::new(), Vec::new());
    for row_idx in 0..rows {
        row.clear();
        let read = match coding {
            Coding::ModifiedHuffman => read_runs(&mut reader, width, &mut row).and_then(|()| align(&mut reader)),
            Coding::Group3 => match skip_eols(&mut reader, false) {
                Eols { count: 0 | 1, .. } => read_runs(&mut reader, width, &mut row),
                _ => None,
            },
            Coding::Group3TwoDimensional => match skip_eols(&mut reader, true) {
                Eols { count: 1, refers_above: false } => read_runs(&mut reader, width, &mut row),
                Eols { count: 1, refers_above: true } => read_modes(&mut reader, &above, width, &mut row),
                Eols { count: 0, .. } => None,
                _ => None,
            },
            Coding::Group4 => read_modes(&mut reader, &above, width, &mut row),
            Coding::Group4Aligned => align(&mut reader).and_then(|()| read_modes(&mut reader, &above, width, &mut row)),
        };
        // where the page ends early, rows were lost
        read.ok_or(row_idx)?;
        row_cb(row_idx, &row);
        std::mem::swap(&mut above, &mut row);
    }
    Ok(rest(&mut reader))
}

/// What follows the last row: nothing but padding or the code that ends the page, or more data.
fn rest(reader: &mut impl BitReader) -> Rest {
    while reader.peek(1) == Some(0) && reader.peek(12) != Some(END_CODE) && reader.consume(1).is_ok() {}
    match reader.peek(12) {
        None | Some(0 | END_CODE) => Rest::End,
        Some(_) => Rest::Data,
    }
}

/// Writes one row of grey: `white` up to the first change, then `255 - white`, and so on.
pub fn paint(changes: &[u32], white: u8, row: &mut [u8]) {
    row.fill(white);
    for run in changes.chunks(2) {
        let start = run[0] as usize;
        let end = run.get(1).map_or(row.len(), |&end| end as usize);
        if start < end.min(row.len()) {
            let end = end.min(row.len());
            row[start..end].fill(255 - white);
        }
    }
}

/// What follows the last row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The end of the data, or the code that ends the page.
    End,
    /// More data.
    Data,
}

/// End-of-line codes that were skipped.
struct Eols {
    count: u32,
    /// Whether the row refers to the row above, by the bit after the last code.
    refers_above: bool,
}

/// A row of runs, white first (T.4, 4.1).
fn read_runs(reader: &mut impl BitReader, width: u32, row: &mut Vec<u32>) -> Option<()> {
    let (mut at, mut colour) = (0, Color::White);
    while at < width {
        at = read_run(reader, colour, width - at)? + at;
        if at < width {
            row.push(at);
        }
        colour = !colour;
    }
    Some(())
}

/// A row of modes, each relative to the row above (T.4, 4.2; T.6, 2.2).
fn read_modes(reader: &mut impl BitReader, above: &[u32], width: u32, row: &mut Vec<u32>) -> Option<()> {
    let mut a0 = 0;
    let mut colour = Color::White;
    // the change before the first one that lies to the right of a0
    let mut above_idx = 0;
    let mut at_start = true;
    while a0 < width {
        // b1: the first change above to the right of a0 that turns to the other colour. The row begins with an imaginary
        // pixel left of the first one, so that a change in column 0 lies to its right.
        let is_right = |change: u32| change > a0 || at_start;
        while above_idx > 0 && is_right(above[above_idx - 1]) {
            above_idx -= 1;
        }
        while above.get(above_idx).is_some_and(|&change| !is_right(change)) {
            above_idx += 1;
        }
        let parity = usize::from(colour == Color::Black);
        let b1_idx = above_idx + usize::from(above_idx % 2 != parity);
        let b1 = above.get(b1_idx).copied().unwrap_or(width);

        match mode::decode(reader)? {
            Mode::Pass => a0 = above.get(b1_idx + 1).copied().unwrap_or(width),
            Mode::Vertical(delta) => {
                let a1 = b1.checked_add_signed(delta.into())?;
                if a1 < a0 || a1 > width {
                    return None;
                }
                if a1 < width {
                    row.push(a1);
                }
                a0 = a1;
                colour = !colour;
            }
            Mode::Horizontal => {
                for run_colour in [colour, !colour] {
                    a0 += read_run(reader, run_colour, width - a0)?;
                    if a0 < width {
                        row.push(a0);
                    }
                }
            }
            Mode::EOF | Mode::Extension => return None,
        }
        at_start = false;
    }
    Some(())
}

/// Length of a run: codes for multiples of 64, then one for the rest. `None` where it is longer than `room`.
fn read_run(reader: &mut impl BitReader, colour: Color, room: u32) -> Option<u32> {
    let mut run = 0;
    loop {
        let part = match colour {
            Color::White => white::decode(reader)?,
            Color::Black => black::decode(reader)?,
        };
        run += u32::from(part);
        if run > room {
            return None;
        }
        if part < 64 {
            return Some(run);
        }
    }
}

/// Skips end-of-line codes, with the fill before them and, in two-dimensional data, the bit behind them.
fn skip_eols(reader: &mut impl BitReader, two_dimensional: bool) -> Eols {
    let mut eols = Eols { count: 0, refers_above: false };
    while reader.peek(EOL_PREFIX_BITS) == Some(0) {
        while reader.peek(1) == Some(0) && reader.consume(1).is_ok() {}
        if reader.peek(1) != Some(1) || reader.consume(1).is_err() {
            break; // the data ended in zeros
        }
        eols.count += 1;
        if two_dimensional {
            eols.refers_above = reader.peek(1) == Some(0);
            if reader.consume(1).is_err() {
                break;
            }
        }
    }
    eols
}

/// Skips to the next byte boundary.
fn align(reader: &mut impl BitReader) -> Option<()> {
    reader.consume(reader.bits_to_byte_boundary()).ok()
}

#[cfg(test)]
mod tests {
    use fax::{BitWriter, Bits, VecWriter, encoder::Encoder};

    use super::*;

    const WIDTH: u32 = 70;

    /// Rows with runs at both edges, with long runs, equal and different rows, an empty one and a full one.
    fn rows() -> Vec<Vec<bool>> {
        let stripes = |period: u32, phase: u32| (0..WIDTH).map(|x| (x + phase) / period % 2 == 1).collect();
        let mut rows: Vec<Vec<bool>> = vec![vec![false; WIDTH as usize], vec![true; WIDTH as usize]];
        rows.extend((0..24).map(|i| stripes(1 + i % 9, i)));
        rows.push(vec![false; WIDTH as usize]);
        rows.push((0..WIDTH).map(|x| x == 0 || x == WIDTH - 1).collect());
        rows
    }

    fn decoded(data: &[u8], coding: Coding, n_rows: u32) -> Result<Vec<Vec<bool>>, u32> {
        let mut rows = Vec::new();
        decode_rows(data.iter().copied(), coding, WIDTH, n_rows, |idx, changes| {
            assert_eq!(idx as usize, rows.len());
            let mut row = vec![0; WIDTH as usize];
            paint(changes, 255, &mut row);
            rows.push(row.iter().map(|&v| v == 0).collect());
        })?;
        Ok(rows)
    }

    fn pels(row: &[bool]) -> impl Iterator<Item = Color> {
        row.iter().map(|&black| if black { Color::Black } else { Color::White })
    }

    fn put_runs(writer: &mut VecWriter, row: &[bool]) {
        let mut black = false;
        let mut x = 0;
        while x < row.len() {
            let run = row[x..].iter().take_while(|&&v| v == black).count();
            let table = if black { &black::ENTRIES } else { &white::ENTRIES };
            if run >= 64 {
                let Ok(()) = writer.write(table[63 + run / 64].1);
            }
            let Ok(()) = writer.write(table[run % 64].1);
            x += run;
            black = !black;
        }
    }

    const EOL: Bits = Bits { data: 1, len: 12 };

    fn group3(rows: &[Vec<bool>], fill: bool, rtc: bool) -> Vec<u8> {
        let mut writer = VecWriter::new();
        for row in rows {
            if fill {
                let Ok(()) = writer.write(Bits { data: 0, len: 5 });
            }
            let Ok(()) = writer.write(EOL);
            put_runs(&mut writer, row);
        }
        if rtc {
            (0..6).for_each(|_| {
                let Ok(()) = writer.write(EOL);
            });
        }
        writer.finish()
    }

    fn group4(rows: &[Vec<bool>]) -> Vec<u8> {
        let mut encoder = Encoder::new(VecWriter::new());
        for row in rows {
            let Ok(()) = encoder.encode_line(pels(row), WIDTH);
        }
        let Ok(writer) = encoder.finish();
        writer.finish()
    }

    #[test]
    fn rows_in_every_coding_are_decoded() {
        let rows = rows();
        let n_rows = rows.len() as u32;
        assert_eq!(decoded(&group4(&rows), Coding::Group4, n_rows), Ok(rows.clone()));
        for (fill, rtc) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(decoded(&group3(&rows, fill, rtc), Coding::Group3, n_rows), Ok(rows.clone()));
        }
        let mut huffman = Vec::new();
        for row in &rows {
            let mut writer = VecWriter::new();
            put_runs(&mut writer, row);
            huffman.extend(writer.finish());
        }
        assert_eq!(decoded(&huffman, Coding::ModifiedHuffman, n_rows), Ok(rows));
    }

    #[test]
    fn page_that_ends_early_is_an_error_and_one_that_goes_on_is_seen() {
        let rows = rows();
        let n_rows = rows.len() as u32;
        for (data, coding) in [(group4(&rows), Coding::Group4), (group3(&rows, true, true), Coding::Group3)] {
            assert_eq!(decoded(&data, coding, n_rows + 3), Err(n_rows), "rows were lost");
            let rest = |n_rows| decode_rows(data.iter().copied(), coding, WIDTH, n_rows, |_, _| {});
            assert_eq!(rest(n_rows), Ok(Rest::End));
            // in Group 3 any row begins with the code that ends the page
            assert_eq!(rest(n_rows - 3), Ok(if coding == Coding::Group4 { Rest::Data } else { Rest::End }));
        }
    }

    #[test]
    fn data_truncated_is_an_error_at_a_row() {
        let rows = rows();
        let n_rows = rows.len() as u32;
        for (data, coding) in [(group4(&rows), Coding::Group4), (group3(&rows, false, false), Coding::Group3)] {
            for len in 0..data.len() - 4 {
                let row = decoded(&data[..len], coding, n_rows).map(|_| len).expect_err("it is cut off");
                assert!(row < n_rows);
            }
        }
    }

    #[test]
    fn noise_does_not_panic_and_is_nearly_always_refused() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut n_passed = 0;
        for _ in 0..2_000 {
            let data: Vec<u8> = (0..60).map(|_| rng.random()).collect();
            for coding in [Coding::ModifiedHuffman, Coding::Group3, Coding::Group3TwoDimensional, Coding::Group4] {
                n_passed += u32::from(decoded(&data, coding, 40).is_ok());
            }
        }
        assert!(n_passed < 80, "{n_passed} of 8,000 passed");
    }
}
