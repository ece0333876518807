//! Parses a field's kind: integer, amount, code, date or mark, with the keys that belong to each.

use std::ops::Range;

use super::{
    DateOrder, DecimalPoint, FieldKind, Filler,
    raw::{RawField, Spanned},
    source::Source,
};
use formread_raster::error::Result;

/// Two-digit years from this value up are 19xx, where a template declares no pivot.
pub const DEFAULT_PIVOT: u32 = 50;

/// The kind that a field declares.
pub(super) fn field_kind(source: Source<'_>, raw: &RawField, span: Range<usize>) -> Result<FieldKind> {
    const KINDS: &str = "one of \"integer\", \"amount\", \"code\", \"date\", \"mark\"";
    let kind = source.required(&raw.kind, span, "kind", KINDS)?;
    let only_for = |placed: Option<Range<usize>>, key: &str, owner: &str| match placed {
        Some(span) if kind.get_ref() != owner => {
            let detail = format!("{key} in a field of kind: {}", kind.get_ref());
            Err(source.error(span, detail, &format!("{key} belongs to kind = {owner:?}")))
        }
        _ => Ok(()),
    };
    only_for(raw.decimals.as_ref().map(Spanned::span), "decimals", "amount")?;
    only_for(raw.point.as_ref().map(Spanned::span), "point", "amount")?;
    only_for(raw.order.as_ref().map(Spanned::span), "order", "date")?;
    only_for(raw.pivot.as_ref().map(Spanned::span), "pivot", "date")?;
    only_for(raw.filled.as_ref().map(Spanned::span), "filled", "mark")?;

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
    const FILLED: &str = "filled = \"retracted\" or \"marked\"";
    if raw.frame.is_none() || raw.digits.is_some() || !raw.fillers.is_empty() {
        return Err(source.error(span, "a mark with cells, digits or fillers", "a mark is one box: box = [..]"));
    }
    match raw.filled.as_ref().map(|filled| (filled.get_ref().as_str(), filled.span())) {
        None | Some(("retracted", _)) => Ok(FieldKind::Mark { filled_counts: false }),
        Some(("marked", _)) => Ok(FieldKind::Mark { filled_counts: true }),
        Some((other, span)) => Err(source.error(span, format!("filled: {other:?}"), FILLED)),
    }
}
