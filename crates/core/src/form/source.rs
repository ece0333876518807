//! A template's text, to locate errors in it, and its unit, to convert its numbers to millimetres.

use std::ops::{Range, RangeInclusive};

use super::raw::{Placed, Quad, Spanned};
use formread_raster::{
    error::{Error, Format, Result},
    geometry::{Point, Rect, Segment},
};

/// How far past the page's edge a printed thing may lie: templates are measured on scans.
const OFF_PAGE_TOLERANCE_MM: f64 = 1.0;

/// The text, with which errors get their line.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What it is expected to be: `template`.
    pub what: Format,
    /// The template's text.
    pub text: &'a str,
}

impl Source<'_> {
    /// 1-based line of the byte at `offset`.
    pub fn line_of(self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|b| *b == b'\n').count()
    }

    /// An error at `span` of the text.
    pub fn error(self, span: Range<usize>, detail: impl std::fmt::Display, hint: &str) -> Error {
        Error::format(self.what, detail).at_line(self.line_of(span.start)).with_hint(hint)
    }

    pub(super) fn required<'t, T>(
        self,
        placed: &'t Placed<T>,
        span: Range<usize>,
        what: &str,
        hint: &str,
    ) -> Result<&'t Spanned<T>> {
        placed.as_ref().ok_or_else(|| self.error(span, format!("missing: {what}"), hint))
    }

    /// A name for a column of the tables: a form's, or a document's.
    pub(super) fn table_name(self, placed: &Spanned<String>, what: &str) -> Result<String> {
        let name = form_name(placed.get_ref());
        // A spreadsheet takes a cell that begins with a hyphen for a formula.
        name.ok_or_else(|| {
            let hint = "letters, digits and hyphens, no hyphen first";
            self.error(placed.span(), format!("{what}: {:?}", placed.get_ref()), hint)
        })
    }

    /// Refuses more than `limit` of `what`.
    ///
    /// # Errors
    /// `Format` where there are more.
    pub fn at_most(self, limit: usize, actual: usize, what: &str) -> Result<()> {
        if actual > limit {
            return Err(self.error(0..0, format!("too many {what}: {actual}"), &format!("at most {limit}")));
        }
        Ok(())
    }

    pub(super) fn count(self, placed: &Spanned<i64>, range: RangeInclusive<usize>, what: &str) -> Result<usize> {
        usize::try_from(*placed.get_ref()).ok().filter(|n| range.contains(n)).ok_or_else(|| {
            let hint = format!("from {} to {}", range.start(), range.end());
            self.error(placed.span(), format!("{what}: {}", placed.get_ref()), &hint)
        })
    }

    /// The parser's error with line and field. Unknown and missing keys are reported in the words of templates.
    pub fn toml_error(self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let ours = message
            .strip_prefix("unknown field `")
            .and_then(|rest| rest.split_once('`'))
            .map(|(key, rest)| (format!("unknown key: {key}"), rest.trim_start_matches(", ")))
            .or_else(|| {
                message.strip_prefix("missing field ").map(|key| (format!("missing: {}", key.trim_matches('`')), ""))
            });
        let (detail, hint) = ours.unwrap_or_else(|| (message.to_owned(), ""));
        let located = Error::format(self.what, detail);
        let located = if hint.is_empty() { located } else { located.with_hint(hint) };
        let Some(span) = error.span() else { return located };
        let located = located.at_line(self.line_of(span.start));
        match self.field_around(span.start) {
            Some(field) => located.in_field(field),
            None => located,
        }
    }

    /// The name in the `[[field]]` table in which `offset` lies: a text that does not parse gives no table.
    fn field_around(self, offset: usize) -> Option<String> {
        const HEADER: &str = "[[field";
        let is_header = |line: &str| line.trim_start().starts_with("[[");
        let line_idx = self.line_of(offset) - 1;
        let lines: Vec<&str> = self.text.lines().collect();
        let header = (0..=line_idx.min(lines.len().checked_sub(1)?)).rev().find(|i| is_header(lines[*i]))?;
        if !lines[header].trim_start().starts_with(HEADER) {
            return None;
        }
        let table = lines[header + 1..].iter().take_while(|line| !is_header(line));
        let name = table.filter_map(|line| line.trim_start().strip_prefix("name")).find_map(|rest| {
            let quoted = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
            quoted.split_once('"').map(|(name, _)| name)
        })?;
        is_field_name(name).then(|| name.to_owned())
    }
}

/// Converts a template's numbers to millimetres and checks that they are on the page.
pub(super) struct UnitConverter {
    pub mm_per_unit: f64,
    pub page: Rect,
}

impl UnitConverter {
    pub fn rect(&self, source: Source<'_>, quad: &Quad, what: &str) -> Result<Rect> {
        self.checked_rect(source, quad.span(), *quad.get_ref(), what)
    }

    pub fn checked_rect(&self, source: Source<'_>, span: Range<usize>, quad: [f64; 4], what: &str) -> Result<Rect> {
        let [x, y, w, h] = quad.map(|number| number * self.mm_per_unit);
        if !quad.iter().all(|number| number.is_finite()) {
            return Err(source.error(span, format!("{what} that is not finite: {quad:?}"), "give plain numbers"));
        }
        if w <= 0.0 || h <= 0.0 {
            let detail = format!("{what} without area: {quad:?}");
            return Err(source.error(span, detail, "[left, top, width, height], the last two above 0"));
        }
        let rect = Rect::from_xywh(x, y, w, h);
        self.on_page(source, span, rect, &quad, what)?;
        Ok(rect)
    }

    /// A line from left to right, or from top to bottom.
    pub fn line(&self, source: Source<'_>, quad: &Quad) -> Result<Segment> {
        let [x0, y0, x1, y1] = quad.get_ref().map(|number| number * self.mm_per_unit);
        let line = Segment::new(Point::new(x0, y0), Point::new(x1, y1));
        if !(line.length().is_finite() && line.length() > 0.0) {
            let detail = format!("line without length: {:?}", quad.get_ref());
            return Err(source.error(quad.span(), detail, "[x0, y0, x1, y1]"));
        }
        let bounds = Rect::around([line.a, line.b]).expect("two points have bounds");
        self.on_page(source, quad.span(), bounds, quad.get_ref(), "line")?;
        let is_forward = if line.is_horizontal() { x0 <= x1 } else { y0 <= y1 };
        Ok(if is_forward { line } else { reversed(line) })
    }

    fn on_page(&self, source: Source<'_>, span: Range<usize>, r: Rect, quad: &[f64; 4], what: &str) -> Result<()> {
        let allowed = self.page.inflate(OFF_PAGE_TOLERANCE_MM);
        if r.corners().into_iter().all(|corner| allowed.contains(corner)) {
            return Ok(());
        }
        let (w, h) = (self.page.width(), self.page.height());
        let hint =
            format!("the page is {:.1} x {:.1}, in the template's unit", w / self.mm_per_unit, h / self.mm_per_unit);
        Err(source.error(span, format!("{what} off the page: {quad:?}"), &hint))
    }
}

pub(super) fn is_made_of(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// The name of a form as the tables have it: `Tax_Return` and `tax-return` are one. `None` if it can be none.
pub fn form_name(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    (is_form_name(&name) && !name.starts_with('-')).then_some(name)
}

/// Whether `name` is that of a template as the tables have it.
pub fn is_form_name(name: &str) -> bool {
    is_made_of(name, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Whether `name` can be the name of a column.
pub(super) fn is_field_name(name: &str) -> bool {
    is_made_of(name, |b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The same line with its ends exchanged.
pub(super) fn reversed(s: Segment) -> Segment {
    Segment::new(s.b, s.a)
}
