//! Where the digits of a field are, as its table has it: a box, a comb, or cells.

use toml_edit::{Array, InlineTable, Item, Table, Value};

use super::document::{float_of, set_numbers, set_value, write_numbers};
use formread_raster::error::{Error, Result};

/// Digits after the point of a length in millimetres; of one in pixels, one less.
const DECIMALS_MM: i32 = 2;
/// Two lengths that differ by less are the same, in the last digit that is written.
const SAME: f64 = 2.0;

/// How lengths are rounded.
#[derive(Debug, Clone, Copy)]
pub struct Rounding(f64);

impl Rounding {
    /// That of a template whose unit is millimetres, or pixels.
    pub fn of(root: &Table) -> Self {
        let is_pixels = root.get("unit").is_some_and(|unit| unit.as_str().is_none());
        Self(10f64.powi(if is_pixels { DECIMALS_MM - 1 } else { DECIMALS_MM }))
    }

    fn round(self, length: f64) -> f64 {
        (length * self.0).round() / self.0
    }

    /// With a digit more, for lengths that are repeated: the last cell of a comb must not drift.
    fn round_finely(self, length: f64) -> f64 {
        (length * self.0 * 10.0).round() / (self.0 * 10.0)
    }

    fn is_same(self, a: f64, b: f64) -> bool {
        (a - b).abs() <= SAME / self.0
    }
}

/// A field's place, in the template's unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Layout {
    /// Left, top, width, height.
    Box([f64; 4]),
    /// Cells of one size in a row.
    Comb(Comb),
    /// Each cell.
    Cells(Vec<[f64; 4]>),
}

/// Cells of one size in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Comb {
    /// Left top corner of the first cell.
    pub at: [f64; 2],
    /// Width and height of a cell.
    pub cell: [f64; 2],
    /// Cells in each group.
    pub groups: Vec<usize>,
    /// From one left side to the next.
    pub pitch: f64,
    /// Added between groups.
    pub gap: f64,
}

impl Comb {
    fn cells(&self) -> Vec<[f64; 4]> {
        let ([mut x, y], [width, height]) = (self.at, self.cell);
        let mut cells = Vec::new();
        for n in &self.groups {
            for _ in 0..*n {
                cells.push([x, y, width, height]);
                x += self.pitch;
            }
            x += self.gap;
        }
        cells
    }

    /// The comb up to a cell, and the comb from it on.
    fn split(&self, at: usize) -> (Self, Self) {
        let (mut left, mut right, mut n) = (Vec::new(), Vec::new(), 0);
        for group in &self.groups {
            let first = at.saturating_sub(n).min(*group);
            left.extend((first > 0).then_some(first));
            right.extend((first < *group).then_some(group - first));
            n += group;
        }
        let start = self.cells()[at];
        (Self { groups: left, ..self.clone() }, Self { groups: right, at: [start[0], start[1]], ..self.clone() })
    }

    /// This comb with one to its right as its last group; `None` where no comb has these cells.
    fn join(&self, right: &Self, rounding: Rounding) -> Option<Self> {
        let same = |a: f64, b: f64| rounding.is_same(a, b);
        let last = *self.cells().last()?;
        let gap = right.at[0] - last[0] - self.pitch;
        let fits = same(self.at[1], right.at[1])
            && same(self.cell[0], right.cell[0])
            && same(self.cell[1], right.cell[1])
            && same(self.pitch, right.pitch);
        let gaps = [(self, self.gap), (right, right.gap)].into_iter().filter(|(comb, _)| comb.groups.len() > 1);
        let gaps: Vec<f64> = gaps.map(|(_, gap)| gap).collect();
        let groups = [self.groups.clone(), right.groups.clone()].concat();
        if !fits || groups.is_empty() {
            None
        } else if same(gap, 0.0) && gaps.is_empty() {
            Some(Self { groups: vec![groups.iter().sum()], ..self.clone() })
        } else if gap > 0.0 && gaps.iter().all(|own| same(*own, gap)) {
            Some(Self { groups, gap: gaps.first().copied().unwrap_or(gap), ..self.clone() })
        } else {
            None
        }
    }
}

impl Layout {
    /// Reads the place of a field.
    ///
    /// # Errors
    /// `Usage` where it has none.
    pub fn read(field: &Table) -> Result<Self> {
        let read = || {
            if let Some(frame) = field.get("box") {
                return Some(Self::Box(numbers(frame.as_value()?)?));
            }
            if let Some(cells) = field.get("cells") {
                return Some(Self::Cells(cells.as_array()?.iter().map(numbers).collect::<Option<_>>()?));
            }
            let comb = field.get("comb")?.as_table_like()?;
            let of = |key: &str| comb.get(key).and_then(Item::as_value);
            let cell: [f64; 2] = numbers(of("cell")?)?;
            let groups = of("groups")?.as_array()?.iter().map(|n| usize::try_from(n.as_integer()?).ok());
            Some(Self::Comb(Comb {
                at: numbers(of("at")?)?,
                cell,
                groups: groups.collect::<Option<_>>()?,
                pitch: of("pitch").and_then(float_of).unwrap_or(cell[0]),
                gap: of("gap").and_then(float_of).unwrap_or(0.0),
            }))
        };
        let is_whole = |layout: &Self| !layout.cells().is_empty();
        read().filter(is_whole).ok_or_else(|| Error::usage("the field has no place").with_hint("give it in the text"))
    }

    /// The cells; a box is one.
    pub fn cells(&self) -> Vec<[f64; 4]> {
        match self {
            Self::Box(frame) => vec![*frame],
            Self::Comb(comb) => comb.cells(),
            Self::Cells(cells) => cells.clone(),
        }
    }

    /// Left, top, width and height of all cells together.
    pub fn bounds(&self) -> [f64; 4] {
        let cells = self.cells();
        let low = |side: usize| cells.iter().map(|cell| cell[side]).fold(f64::INFINITY, f64::min);
        let high = |side: usize| cells.iter().map(|cell| cell[side] + cell[side + 2]).fold(f64::NEG_INFINITY, f64::max);
        let (x, y) = (low(0), low(1));
        [x, y, high(0) - x, high(1) - y]
    }

    /// The same cells with other bounds.
    #[must_use]
    pub fn with_bounds(&self, [x, y, width, height]: [f64; 4]) -> Self {
        let [x0, y0, old_width, old_height] = self.bounds();
        let (sx, sy) = (width / old_width, height / old_height);
        let mapped = |cell: &[f64; 4]| [x + (cell[0] - x0) * sx, y + (cell[1] - y0) * sy, cell[2] * sx, cell[3] * sy];
        match self {
            Self::Box(_) => Self::Box([x, y, width, height]),
            Self::Cells(cells) => Self::Cells(cells.iter().map(mapped).collect()),
            Self::Comb(comb) => Self::Comb(Comb {
                at: [x, y],
                cell: [comb.cell[0] * sx, comb.cell[1] * sy],
                groups: comb.groups.clone(),
                pitch: comb.pitch * sx,
                gap: comb.gap * sx,
            }),
        }
    }

    /// Other cells: a comb keeps the size of its cells, anything else is divided. No groups make a box.
    #[must_use]
    pub fn with_groups(&self, groups: &[usize]) -> Self {
        let bounds = self.bounds();
        let n: usize = groups.iter().sum();
        match self {
            _ if n == 0 => Self::Box(bounds),
            Self::Comb(comb) => Self::Comb(Comb { groups: groups.to_vec(), ..comb.clone() }),
            Self::Box(_) | Self::Cells(_) => {
                let width = bounds[2] / n as f64;
                let (at, cell) = ([bounds[0], bounds[1]], [width, bounds[3]]);
                Self::Comb(Comb { at, cell, groups: groups.to_vec(), pitch: width, gap: 0.0 })
            }
        }
    }

    /// The two parts of it: after so many cells, or so far from the left side of a box.
    ///
    /// # Errors
    /// `Usage` where a part would be empty.
    pub fn split(&self, at: Option<f64>) -> Result<(Self, Self)> {
        if let Self::Box([x, y, width, height]) = *self {
            let at = at.unwrap_or(width / 2.0);
            if !(at > 0.0 && at < width) {
                return Err(Error::usage(format!("split at {at}")).with_hint(format!("between 0 and {width}")));
            }
            return Ok((Self::Box([x, y, at, height]), Self::Box([x + at, y, width - at, height])));
        }
        let n = self.cells().len();
        let usual = match self {
            Self::Comb(comb) if comb.groups.len() > 1 => comb.groups[0],
            _ => n / 2,
        };
        let at = at.map_or(usual, |at| at.max(0.0).round() as usize);
        if !(1..n).contains(&at) {
            return Err(Error::usage(format!("split after {at} of {n} cells")).with_hint("leave a cell on each side"));
        }
        Ok(match self {
            Self::Comb(comb) => {
                let (left, right) = comb.split(at);
                (Self::Comb(left), Self::Comb(right))
            }
            Self::Cells(cells) => (Self::Cells(cells[..at].to_vec()), Self::Cells(cells[at..].to_vec())),
            Self::Box(frame) => (Self::Box(*frame), Self::Box(*frame)),
        })
    }

    /// Both in one.
    ///
    /// # Errors
    /// `Usage` where one is a box and the other has cells.
    pub fn join(&self, other: &Self, rounding: Rounding) -> Result<Self> {
        let (a, b) = if self.bounds()[0] <= other.bounds()[0] { (self, other) } else { (other, self) };
        if let (Self::Comb(left), Self::Comb(right)) = (a, b)
            && let Some(comb) = left.join(right, rounding)
        {
            return Ok(Self::Comb(comb));
        }
        match (a, b) {
            (Self::Box(_), Self::Box(_)) => {
                let [a, b] = [a.bounds(), b.bounds()];
                let (x, y) = (a[0].min(b[0]), a[1].min(b[1]));
                let (right, bottom) = ((a[0] + a[2]).max(b[0] + b[2]), (a[1] + a[3]).max(b[1] + b[3]));
                Ok(Self::Box([x, y, right - x, bottom - y]))
            }
            (Self::Box(_), _) | (_, Self::Box(_)) => {
                let error = Error::usage("one is a box, and the other has cells");
                Err(error.with_hint("give both cells, or neither"))
            }
            _ => Ok(Self::Cells([a.cells(), b.cells()].concat())),
        }
    }

    /// Writes it into a field. What does not change stays as it is written.
    pub fn write(&self, field: &mut Table, rounding: Rounding) {
        let key = match self {
            Self::Box(_) => "box",
            Self::Comb(_) => "comb",
            Self::Cells(_) => "cells",
        };
        for other in ["box", "comb", "cells"].into_iter().filter(|other| *other != key) {
            field.remove(other);
        }
        match self {
            Self::Box(frame) => set_numbers(field, key, &frame.map(|length| rounding.round(length))),
            Self::Cells(cells) => {
                let cells: Vec<[f64; 4]> = cells.iter().map(|cell| cell.map(|length| rounding.round(length))).collect();
                write_cells(field, &cells);
            }
            Self::Comb(comb) => write_comb(field, comb, rounding),
        }
    }
}

fn numbers<const N: usize>(value: &Value) -> Option<[f64; N]> {
    let numbers: Vec<f64> = value.as_array()?.iter().map(float_of).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

fn write_cells(field: &mut Table, cells: &[[f64; 4]]) {
    let list = field.get_mut("cells").and_then(Item::as_array_mut).filter(|list| list.len() == cells.len());
    if let Some(list) = list {
        for (old, cell) in list.iter_mut().zip(cells) {
            if let Some(old) = old.as_array_mut() {
                write_numbers(old, cell);
            }
        }
        return;
    }
    let cell = |cell: &[f64; 4]| Value::Array(cell.iter().map(|n| super::document::number(*n)).collect());
    set_value(field, "cells", Value::Array(cells.iter().map(cell).collect()));
}

fn write_comb(field: &mut Table, comb: &Comb, rounding: Rounding) {
    if !field.contains_key("comb") {
        field.insert("comb", Item::Value(Value::InlineTable(InlineTable::new())));
    }
    let Some(table) = field.get_mut("comb").and_then(Item::as_table_like_mut) else { return };
    set_numbers(table, "at", &comb.at.map(|length| rounding.round(length)));
    set_numbers(table, "cell", &comb.cell.map(|length| rounding.round_finely(length)));
    let groups: Vec<i64> = comb.groups.iter().filter_map(|n| i64::try_from(*n).ok()).collect();
    let old = table.get("groups").and_then(Item::as_array);
    if old.is_none_or(|old| old.iter().map(Value::as_integer).ne(groups.iter().copied().map(Some))) {
        set_value(table, "groups", Value::Array(groups.into_iter().collect::<Array>()));
    }
    let (pitch, gap) = (rounding.round_finely(comb.pitch), rounding.round_finely(comb.gap));
    let usual = [("pitch", pitch, rounding.round_finely(comb.cell[0])), ("gap", gap, 0.0)];
    for (key, length, default) in usual {
        let old = table.get(key).and_then(Item::as_value).and_then(float_of);
        if old.is_some() && length == default && old != Some(length) {
            table.remove(key);
        } else if old.unwrap_or(default) != length {
            set_value(table, key, super::document::number(length));
        }
    }
}
