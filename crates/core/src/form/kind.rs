//! Parses a field's kind: integer, amount, code, date, mark or choice, with the keys that belong to each.

use std::{collections::HashSet, ops::Range};

use super::{
    DateOrder, DecimalPoint, FieldKind, Filler,
    raw::{RawField, Spanned},
    source::{Source, is_made_of},
};
use formread_raster::error::Result;

/// Two-digit years from this value up are 19xx, where a template declares no pivot.
pub const DEFAULT_PIVOT: u32 = 50;

/// Longest value of a choice, bytes.
const MAX_VALUE_BYTES: usize = 20;

/// The kind that a field declares.
pub(super) fn field_kind(source: Source<'_>, raw: &RawField, span: Range<usize>) -> Result<FieldKind> {
    const KINDS: &str = "one of \"integer\", \"amount\", \"code\", \"date\", \"mark\", \"choice\"";
    let kind = source.required(&raw.kind, span, "kind", KINDS)?;
    let only_for = |placed: Option<Range<usize>>, key: &str, owners: &[&str]| match placed {
        Some(span) if !owners.contains(&kind.get_ref().as_str()) => {
            let detail = format!("{key} in a field of kind: {}", kind.get_ref());
            let owners: Vec<String> = owners.iter().map(|owner| format!("{owner:?}")).collect();
            Err(source.error(span, detail, &format!("{key} belongs to kind = {}", owners.join(" or "))))
        }
        _ => Ok(()),
    };
    only_for(raw.decimals.as_ref().map(Spanned::span), "decimals", &["amount"])?;
    only_for(raw.point.as_ref().map(Spanned::span), "point", &["amount"])?;
    only_for(raw.order.as_ref().map(Spanned::span), "order", &["date"])?;
    only_for(raw.pivot.as_ref().map(Spanned::span), "pivot", &["date"])?;
    only_for(raw.filled.as_ref().map(Spanned::span), "filled", &["mark", "choice"])?;
    only_for(raw.values.as_ref().map(Spanned::span), "values", &["choice"])?;

    match kind.get_ref().as_str() {
        "integer" => Ok(FieldKind::Integer),
        "code" => Ok(FieldKind::Code),
        "amount" => {
            let decimals = raw.decimals.as_ref().map_or(Ok(2), |decimals| source.count(decimals, 0..=4, "decimals"))?;
            Ok(FieldKind::Amount { decimals, point: decimal_point(source, raw, decimals)? })
        }
        "date" => {
            let order = source.required(&raw.order, kind.span(), "order", "one of \"dmy\", \"mdy\", \"ymd\"")?;
            let pivot = match &raw.pivot {
                Some(pivot) => u32::try_from(source.count(pivot, 0..=100, "pivot")?).unwrap_or(DEFAULT_PIVOT),
                None => DEFAULT_PIVOT,
            };
            let order = match order.get_ref().as_str() {
                "dmy" => DateOrder::DayMonthYear,
                "mdy" => DateOrder::MonthDayYear,
                "ymd" => DateOrder::YearMonthDay,
                other => {
                    let detail = format!("unknown order: {other:?}");
                    return Err(source.error(order.span(), detail, "one of \"dmy\", \"mdy\", \"ymd\""));
                }
            };
            Ok(FieldKind::Date { order, pivot })
        }
        "mark" => mark_kind(source, raw, kind.span()),
        "choice" => choice_kind(source, raw, kind.span()),
        other => Err(source.error(kind.span(), format!("unknown kind: {other:?}"), KINDS)),
    }
}

fn decimal_point(source: Source<'_>, raw: &RawField, decimals: usize) -> Result<DecimalPoint> {
    let Some(point) = &raw.point else { return Ok(DecimalPoint::default()) };
    let is_comb = raw.comb.is_some() || raw.cells.is_some();
    let error = |detail: &str, hint: &str| Err(source.error(point.span(), detail, hint));
    match point.get_ref().as_str() {
        _ if decimals == 0 => error("point in an amount without decimals", "decimals = 2, or leave out point"),
        "implied" => Ok(DecimalPoint::Implied),
        "printed" if !is_comb => error("point printed in a box", "a printed point separates cells: comb or cells"),
        "printed" => Ok(DecimalPoint::Printed),
        "written" if is_comb => error("point written in cells", "one writes a point in a box: box = [..]"),
        "written" => Ok(DecimalPoint::Written),
        other => error(&format!("unknown point: {other:?}"), "one of \"implied\", \"printed\", \"written\""),
    }
}

/// Whether the field's number may be negative.
pub(super) fn is_signed(source: Source<'_>, raw: &RawField, kind: &FieldKind, fillers: &[Filler]) -> Result<bool> {
    let Some(signed) = raw.signed.as_ref().filter(|signed| *signed.get_ref()) else { return Ok(false) };
    if !matches!(kind, FieldKind::Integer | FieldKind::Amount { .. }) {
        let detail = format!("signed in a field of kind: {}", kind.as_str());
        return Err(source.error(signed.span(), detail, "integers and amounts have signs"));
    }
    if fillers.contains(&Filler::Dash) {
        let hint = "a dash is a minus or a filler, not both";
        return Err(source.error(signed.span(), "signed in a field that dashes fill", hint));
    }
    Ok(true)
}

fn mark_kind(source: Source<'_>, raw: &RawField, span: Range<usize>) -> Result<FieldKind> {
    if raw.frame.is_none() || raw.digits.is_some() || !raw.fillers.is_empty() {
        return Err(source.error(span, "a mark with cells, digits or fillers", "a mark is one box: box = [..]"));
    }
    Ok(FieldKind::Mark { filled_counts: filled_counts(source, raw)? })
}

/// Whether a box that is filled all over counts as marked.
fn filled_counts(source: Source<'_>, raw: &RawField) -> Result<bool> {
    match raw.filled.as_ref().map(|filled| (filled.get_ref().as_str(), filled.span())) {
        None | Some(("retracted", _)) => Ok(false),
        Some(("marked", _)) => Ok(true),
        Some((other, span)) => {
            Err(source.error(span, format!("filled: {other:?}"), "filled = \"retracted\" or \"marked\""))
        }
    }
}

/// Boxes of which one is to be marked: as many as it has values.
fn choice_kind(source: Source<'_>, raw: &RawField, span: Range<usize>) -> Result<FieldKind> {
    const VALUES: &str = "one a box, each another: values = [\"A\", \"B\", \"C\"]";
    if raw.frame.is_some() || raw.digits.is_some() || !raw.fillers.is_empty() || !raw.allowed.is_empty() {
        let hint = "a choice has cells or a comb, and a value for each cell: values = [\"A\", \"B\"]";
        return Err(source.error(span, "a choice with a box, digits, fillers or allowed values", hint));
    }
    let placed = source.required(&raw.values, span, "values", VALUES)?;
    let n_cells = match (&raw.comb, &raw.cells) {
        (Some(comb), _) => comb
            .get_ref()
            .groups
            .get_ref()
            .iter()
            .fold(0_usize, |n, cells| n.saturating_add(usize::try_from(*cells).unwrap_or(0))),
        (None, Some(cells)) => cells.get_ref().len(),
        (None, None) => return Err(source.error(placed.span(), "a choice without cells", "give it cells or a comb")),
    };
    let values = placed.get_ref();
    if values.len() != n_cells || values.len() < 2 {
        let detail = format!("values: {}, cells: {n_cells}", values.len());
        return Err(source.error(placed.span(), detail, "two cells or more, and a value for each"));
    }
    let mut names = HashSet::new();
    for value in values {
        let text = value.get_ref();
        if !is_made_of(text, |b| b.is_ascii_alphanumeric()) || text.len() > MAX_VALUE_BYTES {
            let hint = format!("letters and digits, 1 to {MAX_VALUE_BYTES} of them");
            return Err(source.error(value.span(), format!("value of a choice: {text:?}"), &hint));
        }
        if !names.insert(text.to_ascii_lowercase()) {
            return Err(source.error(value.span(), format!("value of a choice given twice: {text:?}"), VALUES));
        }
    }
    let values = values.iter().map(|value| value.get_ref().clone()).collect();
    Ok(FieldKind::Choice { values, filled_counts: filled_counts(source, raw)? })
}

#[cfg(test)]
mod tests {
    use super::FieldKind;
    use crate::form::parse_template;

    const CELLS: &str = "cells = [[10, 10, 4, 4], [10, 16, 4, 4], [10, 22, 4, 4]]";

    fn form(field: &str) -> String {
        let head = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n";
        format!("{head}[[field]]\nname = \"c\"\nkind = \"choice\"\n{field}\n")
    }

    #[test]
    fn choice_has_a_value_for_each_cell_also_below_each_other() {
        let text = form(&format!("{CELLS}\nvalues = [\"A\", \"10\", \"no\"]\nfilled = \"marked\""));
        let field = parse_template(&text).expect("it is well formed").fields.remove(0);
        let values = ["A", "10", "no"].map(str::to_owned).to_vec();
        assert_eq!(field.kind, FieldKind::Choice { values, filled_counts: true });
        assert_eq!((field.layout.cells().len(), field.digits.max), (3, 1));
    }

    #[test]
    fn choice_that_cannot_be_read_is_refused_with_its_reason() {
        for (field, part) in [
            (CELLS.to_owned(), "values"),
            (format!("{CELLS}\nvalues = [\"A\", \"B\"]"), "values: 2, cells: 3"),
            (format!("{CELLS}\nvalues = [\"A\", \"B\", \"a\"]"), "given twice: \"a\""),
            (format!("{CELLS}\nvalues = [\"A\", \"B\", \"=1\"]"), "value of a choice: \"=1\""),
            (format!("{CELLS}\nvalues = [\"A\", \"B\", \"\"]"), "value of a choice: \"\""),
            (format!("{CELLS}\nvalues = [\"A\", \"B\", \"C\"]\ndigits = 1"), "a choice with a box, digits"),
            ("box = [10, 10, 4, 4]\nvalues = [\"A\", \"B\"]".to_owned(), "a choice with a box"),
        ] {
            let error = parse_template(&form(&field)).expect_err(&field).to_string();
            assert!(error.contains(part), "{field}: {error}");
        }
        let text = form(&format!("{CELLS}\nvalues = [\"1\", \"2\", \"3\"]"));
        let error =
            parse_template(&text.replace("page =", "rules = [\"c <= 2\"]\npage =")).expect_err("it is no number");
        assert!(error.to_string().contains("a choice is no number: c"), "{error}");
        let mark = text.replace("\"choice\"", "\"mark\"");
        assert!(
            parse_template(&mark)
                .expect_err("a mark has no values")
                .to_string()
                .contains("values in a field of kind: mark")
        );
    }
}
