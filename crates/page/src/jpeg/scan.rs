//! The scans of a JPEG picture: whether each of their codes is valid and each of its blocks is there.
//!
//! ITU-T T.81 (09/1992), annexes F and G. No pixel is computed.

use super::huffman::{Bits, Table};

/// Largest value of a coefficient after dequantisation, with 8-bit samples: 8 times half their range. An inexact transform may
/// pass it by a little, and rounding by a step of quantisation.
const MAX_COEFFICIENT: i32 = 1024 + 16;
/// The largest size categories of a difference of first coefficients and of another coefficient (T.81, F.1.2.1 and F.1.2.2).
const MAX_CATEGORY: [u8; 2] = [11, 10];
/// Run of zeros without a coefficient (T.81, F.1.2.2.1).
const ZERO_RUN: u8 = 15;

/// More equal coefficients in a row than a block of a picture has: the codes of zeroed bytes.
const MAX_EQUAL: u32 = 24;

/// The steps of quantisation of a component, in zigzag order.
pub type Quantisation = [u16; 64];

/// A component of the picture.
#[derive(Debug)]
pub struct Component {
    /// Its number in the file.
    pub id: u8,
    /// Blocks in a unit of an interleaved scan, across and down.
    pub sampling: [u32; 2],
    /// Its quantisation; `None` where the file has none before the scan.
    pub quantisation: Option<Quantisation>,
    /// For each coefficient in zigzag order how many of its lowest bits are still missing; `None` where all are.
    pub missing_bits: [Option<u8>; 64],
    /// Which coefficients of each block are not zero. Empty where the picture is sequential.
    nonzero: Vec<u64>,
    /// Blocks that have pixels, across and down.
    n_blocks: [u32; 2],
    /// Blocks in a row of `nonzero`.
    stride: u32,
}

/// The frame of the picture.
#[derive(Debug)]
pub struct Frame {
    /// Whether the coefficients come in several scans.
    pub is_progressive: bool,
    /// The components in the order of the file.
    pub components: Vec<Component>,
    /// Units of an interleaved scan, across and down.
    n_units: [u32; 2],
}

impl Frame {
    /// A frame of `size` pixels, whose `components` have a number and factors of sampling of 1 to 4.
    pub fn new(size: [u32; 2], is_progressive: bool, components: &[(u8, [u32; 2])]) -> Self {
        let max = [0, 1].map(|axis| components.iter().map(|(_, sampling)| sampling[axis]).max().unwrap_or(1));
        let n_units = [0, 1].map(|axis| size[axis].div_ceil(8 * max[axis]));
        let component = |&(id, sampling): &(u8, [u32; 2])| {
            let n_blocks = [0, 1].map(|axis| (size[axis] * sampling[axis]).div_ceil(max[axis]).div_ceil(8));
            let [stride, n_rows] = [0, 1].map(|axis| n_units[axis] * sampling[axis]);
            let nonzero = if is_progressive { vec![0; stride as usize * n_rows as usize] } else { Vec::new() };
            Component { id, sampling, quantisation: None, missing_bits: [None; 64], nonzero, n_blocks, stride }
        };
        Self { is_progressive, components: components.iter().map(component).collect(), n_units }
    }

    /// Whether every bit of every coefficient was in a scan.
    pub fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing_bits.iter().all(|bits| *bits == Some(0)))
    }
}

/// A component in a scan, and the tables of its first and its other coefficients.
#[derive(Debug)]
pub struct ScanComponent<'a> {
    /// Its place among the components of the frame.
    pub idx: usize,
    /// Table of the first coefficient.
    pub dc: Option<&'a Table>,
    /// Table of the other coefficients.
    pub ac: Option<&'a Table>,
}

/// What a scan contains.
#[derive(Debug)]
pub struct Scan<'a> {
    /// Its components.
    pub components: Vec<ScanComponent<'a>>,
    /// First and last coefficient, in zigzag order.
    pub band: [usize; 2],
    /// Whether it adds a bit to coefficients that an earlier scan contains.
    pub is_refinement: bool,
    /// How many of the lowest bits of the coefficients are left to later scans.
    pub shift: u8,
    /// Units between restart markers; 0 where there are none.
    pub restart_interval: u32,
}

/// State that a restart marker resets.
#[derive(Debug, Default, Clone, Copy)]
struct Run {
    /// The first coefficient of the last block of each component.
    dc: [i32; 4],
    /// Blocks, from this one, whose band has no further coefficient.
    n_ended: i32,
}

impl Scan<'_> {
    /// Decodes every block of the scan whose data `bytes` begin with. Returns the length of the data; `None` where a code is not
    /// valid, a restart marker is missing or out of order, or there are more or fewer blocks than the picture has.
    pub fn walk(&self, bytes: &[u8], frame: &mut Frame) -> Option<usize> {
        let is_interleaved = self.components.len() > 1;
        let first = &frame.components[self.components.first()?.idx];
        let [n_across, n_down] = if is_interleaved { frame.n_units } else { first.n_blocks };
        let mut at = segment_len(bytes);
        let mut bits = Bits::new(&bytes[..at]);
        let mut run = Run::default();
        let (mut until_restart, mut n_restarts) = (self.restart_interval, 0u8);
        for y in 0..n_down {
            for x in 0..n_across {
                if self.restart_interval > 0 && until_restart == 0 {
                    if !(bits.ends_here() && run.n_ended == 0) || restart_marker(bytes, &mut at)? != n_restarts % 8 {
                        return None;
                    }
                    let start = at;
                    at += segment_len(&bytes[start..]);
                    bits = Bits::new(&bytes[start..at]);
                    run = Run::default();
                    (until_restart, n_restarts) = (self.restart_interval, n_restarts.wrapping_add(1));
                }
                until_restart = until_restart.saturating_sub(1);
                for (scan_idx, part) in self.components.iter().enumerate() {
                    let component = &mut frame.components[part.idx];
                    let [wide, high] = if is_interleaved { component.sampling } else { [1, 1] };
                    for block_y in y * high..(y + 1) * high {
                        for block_x in x * wide..(x + 1) * wide {
                            let block = block_y as usize * component.stride as usize + block_x as usize;
                            self.block(&mut bits, part, component, block, &mut run, scan_idx)?;
                        }
                    }
                }
            }
        }
        if !(bits.ends_here() && run.n_ended == 0) {
            return None;
        }
        // some encoders end the last interval with a marker, too
        let mut after = at;
        let is_extra = restart_marker(bytes, &mut after).is_some() && segment_len(&bytes[after..]) == 0;
        self.note_bits(frame);
        Some(if is_extra && self.restart_interval > 0 { after } else { at })
    }

    fn note_bits(&self, frame: &mut Frame) {
        for part in &self.components {
            for bits in &mut frame.components[part.idx].missing_bits[self.band[0]..=self.band[1]] {
                *bits = Some(self.shift);
            }
        }
    }

    fn block(
        &self,
        bits: &mut Bits,
        part: &ScanComponent,
        component: &mut Component,
        block: usize,
        run: &mut Run,
        scan_idx: usize,
    ) -> Option<()> {
        let step = |k: usize| component.quantisation.map_or(1, |steps| i32::from(steps[k]).max(1));
        let is_possible = |value: i32, k: usize| (value.abs() << self.shift) * step(k) <= MAX_COEFFICIENT + step(k);
        let [mut k, last] = self.band;
        if k == 0 {
            if self.is_refinement {
                bits.number(1)?;
            } else {
                let category = part.dc?.symbol(bits).filter(|category| *category <= MAX_CATEGORY[0])?;
                let dc = &mut run.dc[scan_idx];
                *dc += bits.signed(category.into())?;
                if !is_possible(*dc, 0) {
                    return None;
                }
            }
            k = 1;
        }
        if k > last {
            return Some(());
        }
        if self.is_refinement {
            let mut nonzero = *component.nonzero.get(block)?;
            self.refine(bits, part.ac?, k, &mut nonzero, run)?;
            component.nonzero[block] = nonzero;
            return Some(());
        }
        if run.n_ended > 0 {
            run.n_ended -= 1;
            return Some(());
        }
        let ac = part.ac?;
        let mut nonzero = 0;
        let (mut previous, mut n_equal) = ((0, 0), 0);
        while k <= last {
            let symbol = ac.symbol(bits)?;
            let (zeros, category) = (symbol >> 4, symbol & 15);
            match (zeros, category) {
                (ZERO_RUN, 0) => k += 16,
                (0, 0) => break,
                (exponent, 0) => {
                    if !component.nonzero.is_empty() {
                        run.n_ended = (1 << exponent) + bits.number(exponent.into())? - 1;
                        break;
                    }
                    return None;
                }
                _ => {
                    k += usize::from(zeros);
                    if k > last || category > MAX_CATEGORY[1] {
                        return None;
                    }
                    let value = bits.signed(category.into())?;
                    n_equal = if previous == (zeros, value) { n_equal + 1 } else { 0 };
                    previous = (zeros, value);
                    if !is_possible(value, k) || n_equal > MAX_EQUAL {
                        return None;
                    }
                    nonzero |= 1 << k;
                    k += 1;
                }
            }
        }
        if k > last + 1 {
            return None;
        }
        if let Some(mask) = component.nonzero.get_mut(block) {
            *mask |= nonzero;
        }
        Some(())
    }

    /// Adds a bit to the coefficients of a block from `k` (T.81, G.1.2.3).
    fn refine(&self, bits: &mut Bits, ac: &Table, mut k: usize, nonzero: &mut u64, run: &mut Run) -> Option<()> {
        let last = self.band[1];
        while run.n_ended == 0 && k <= last {
            let symbol = ac.symbol(bits)?;
            let (mut zeros, category) = (symbol >> 4, symbol & 15);
            match category {
                0 if zeros < ZERO_RUN => {
                    run.n_ended = (1 << zeros) + bits.number(zeros.into())?;
                    break;
                }
                0 => {}
                1 => drop(bits.number(1)?),
                _ => return None,
            }
            while k <= last {
                if *nonzero >> k & 1 == 1 {
                    bits.number(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if category == 1 {
                if k > last {
                    return None;
                }
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        if run.n_ended > 0 {
            for k in k..=last {
                if *nonzero >> k & 1 == 1 {
                    bits.number(1)?;
                }
            }
            run.n_ended -= 1;
        }
        Some(())
    }
}

/// Length of the data up to the next marker or the end.
fn segment_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(step) = bytes[at..].iter().position(|&byte| byte == 0xFF) {
        at += step;
        if bytes.get(at + 1) != Some(&0) {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// The number of the restart marker at `at`, which is moved behind it; `None` where there is none.
fn restart_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    while bytes.get(*at..*at + 2)? == [0xFF, 0xFF] {
        *at += 1;
    }
    match bytes.get(*at..*at + 2)? {
        [0xFF, marker @ 0xD0..=0xD7] => {
            *at += 2;
            Some(marker - 0xD0)
        }
        _ => None,
    }
}
