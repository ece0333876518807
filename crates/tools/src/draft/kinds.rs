//! What is written in a field, from its cells, what is printed in and between them, and its caption.
//!
//! The first word of a caption that says something decides: `number of children` is a count, `account number` a code, and `name` is
//! for words. A caption never makes a date: the order of day and month must be printed.

use super::{
    captions::Caption,
    fields::{FieldCandidate, Shape},
    ink::{Ink, in_px},
    names::snake_case,
};
use formread_core::form::{DEFAULT_PIVOT, DateOrder, DecimalPoint, DigitCount, FieldKind, FieldLayout, MAX_BOX_DIGITS};
use formread_raster::geometry::Rect;

/// A row of more cells is for a code, such as a postcode, if nothing else is known: its zeros count.
const MAX_COUNT_CELLS: usize = 4;
/// Narrowest digit that people write in a box, millimetres.
const MIN_DIGIT_MM: f64 = 2.8;
/// Boxes whose sides differ by less are one column, millimetres.
const SAME_MM: f64 = 1.0;
/// Cells of a decimal part.
const N_DECIMALS: usize = 2;
/// Largest width and height of a decimal point or comma, as a share of a cell's height, and its lowest top.
const MAX_POINT: f64 = 0.3;
const MIN_POINT_TOP: f64 = 0.5;
/// Smallest ink of a point, square millimetres.
const MIN_POINT_MM2: f64 = 0.05;

/// Words of captions, in Latin letters and lower case. A word that ends with one of five letters or more counts, too:
/// `Geburtsdatum`.
const DATES: [&str; 8] = ["date", "datum", "fecha", "dated", "dob", "birthday", "birth", "geboren"];
const AMOUNTS: [&str; 46] = [
    "amount",
    "amounts",
    "price",
    "cost",
    "costs",
    "fee",
    "fees",
    "tax",
    "income",
    "balance",
    "salary",
    "salaries",
    "wages",
    "payment",
    "payments",
    "paid",
    "payable",
    "due",
    "refund",
    "interest",
    "dividends",
    "deduction",
    "deductions",
    "rent",
    "eur",
    "usd",
    "chf",
    "gbp",
    "euro",
    "dollars",
    "betrag",
    "summe",
    "preis",
    "kosten",
    "gebuhr",
    "steuer",
    "lohn",
    "montant",
    "somme",
    "prix",
    "importe",
    "precio",
    "monto",
    "prezzo",
    "importo",
    "valor",
];
const COUNTS: [&str; 43] = [
    "count",
    "quantity",
    "qty",
    "persons",
    "people",
    "children",
    "adults",
    "males",
    "females",
    "age",
    "years",
    "days",
    "hours",
    "members",
    "households",
    "pages",
    "votes",
    "ballots",
    "percent",
    "kg",
    "km",
    "cm",
    "mm",
    "weight",
    "height",
    "reading",
    "units",
    "copies",
    "anzahl",
    "menge",
    "stuck",
    "alter",
    "personen",
    "kinder",
    "stand",
    "nombre",
    "quantite",
    "cantidad",
    "edad",
    "personas",
    "quantita",
    "persone",
    "year",
];
const CODES: [&str; 42] = [
    "number",
    "no",
    "nr",
    "num",
    "nos",
    "numero",
    "nummer",
    "id",
    "code",
    "zip",
    "postcode",
    "postal",
    "plz",
    "phone",
    "tel",
    "telephone",
    "telefon",
    "telefono",
    "fax",
    "mobile",
    "account",
    "iban",
    "pin",
    "ssn",
    "ein",
    "ptin",
    "routing",
    "licence",
    "license",
    "passport",
    "reference",
    "ref",
    "policy",
    "serial",
    "register",
    "konto",
    "kontonummer",
    "cp",
    "identification",
    "barcode",
    "isbn",
    "key",
];
const WORDS: [&str; 46] = [
    "name",
    "names",
    "surname",
    "signature",
    "signed",
    "address",
    "street",
    "city",
    "town",
    "state",
    "country",
    "province",
    "county",
    "email",
    "mail",
    "occupation",
    "profession",
    "employer",
    "relationship",
    "remarks",
    "comments",
    "description",
    "notes",
    "nom",
    "prenom",
    "adresse",
    "unterschrift",
    "ort",
    "strasse",
    "vorname",
    "nachname",
    "beruf",
    "apellido",
    "apellidos",
    "firma",
    "direccion",
    "ciudad",
    "nome",
    "cognome",
    "indirizzo",
    "initial",
    "company",
    "title",
    "item",
    "article",
    "explain",
];

/// What a field is drafted as.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    pub kind: FieldKind,
    /// Number of digits, if it is not that of the cells.
    pub digits: Option<DigitCount>,
    /// What a person must decide.
    pub note: Option<&'static str>,
    /// Whether words are written there and no number.
    pub is_words: bool,
}

/// What a caption says of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Date,
    Amount,
    Count,
    Code,
    Words,
}

/// What each of `found` is drafted as. `captions` are theirs; `ink` is that of their sheet.
pub(super) fn meanings(found: &[FieldCandidate], captions: &[Option<Caption>], ink: &Ink) -> Vec<Meaning> {
    let class = |caption: &Option<Caption>| caption.as_ref().and_then(|caption| class(&caption.text));
    let own: Vec<Option<Class>> = captions.iter().map(class).collect();
    let in_column = |idx: usize| {
        let is_box = |field: &FieldCandidate| matches!(field.shape, Shape::Box | Shape::Line);
        let place = found[idx].layout.bounds();
        let is_same = |other: &FieldCandidate| {
            let r = other.layout.bounds();
            is_box(other) && (r.x0 - place.x0).abs() <= SAME_MM && (r.x1 - place.x1).abs() <= SAME_MM
        };
        let classes: Vec<Class> = (0..found.len()).filter(|i| is_same(&found[*i])).filter_map(|i| own[i]).collect();
        // a column of amounts has amounts in all its boxes
        let is_amount = is_box(&found[idx]) && !classes.is_empty() && classes.iter().all(|c| *c == Class::Amount);
        is_amount.then_some(Class::Amount)
    };
    let meaning = |idx: usize| {
        let order = captions[idx].as_ref().and_then(|caption| printed_order(&caption.text));
        meaning(&found[idx], own[idx].or_else(|| in_column(idx)), order, captions[idx].is_some(), ink)
    };
    (0..found.len()).map(meaning).collect()
}

fn meaning(
    field: &FieldCandidate,
    class: Option<Class>,
    order: Option<(DateOrder, usize)>,
    has_caption: bool,
    ink: &Ink,
) -> Meaning {
    let plain = |kind| Meaning { kind, digits: None, note: None, is_words: false };
    let (cells, is_comb) = (field.layout.cells(), matches!(field.layout, FieldLayout::Comb { .. }));
    if field.shape == Shape::Bubbles {
        return plain(FieldKind::Choice { values: field.values.clone(), filled_counts: true });
    }
    if field.shape.is_mark() {
        return plain(FieldKind::Mark { filled_counts: field.shape == Shape::Bubble });
    }
    let date = |order| plain(FieldKind::Date { order, pivot: DEFAULT_PIVOT });
    if let Some(order) = field.order {
        return date(order);
    }
    match order {
        Some((order, n_digits)) if !is_comb || cells.len() == n_digits => return date(order),
        _ => {}
    }
    let width = cells.iter().map(|cell| cell.width()).sum::<f64>();
    let in_box = DigitCount { min: 1, max: ((width / MIN_DIGIT_MM) as usize).clamp(1, MAX_BOX_DIGITS) };
    let with_digits = |kind| Meaning { digits: (!is_comb && has_caption).then_some(in_box), ..plain(kind) };
    if is_comb && has_decimals(field, ink) && !matches!(class, Some(Class::Code | Class::Words)) {
        return plain(FieldKind::Amount { decimals: N_DECIMALS, point: DecimalPoint::Printed });
    }
    match class {
        Some(Class::Words) => Meaning { is_words: true, ..with_digits(FieldKind::Code) },
        Some(Class::Code) => with_digits(FieldKind::Code),
        Some(Class::Date) => {
            let note = "a date? Its order is not printed: set kind = \"date\" and order to \"dmy\", \"mdy\" or \"ymd\"";
            Meaning { note: Some(note), ..plain(FieldKind::Code) }
        }
        Some(Class::Count) => with_digits(FieldKind::Integer),
        Some(Class::Amount) if is_comb => plain(FieldKind::Integer),
        Some(Class::Amount) => with_digits(FieldKind::Amount { decimals: N_DECIMALS, point: DecimalPoint::Written }),
        // a count; a longer row has a number of which each digit counts
        None if is_comb && field.groups.len() == 1 && (has_caption || cells.len() <= MAX_COUNT_CELLS) => {
            plain(FieldKind::Integer)
        }
        None => with_digits(FieldKind::Code),
    }
}

/// What the first word of a caption that says something says.
fn class(text: &str) -> Option<Class> {
    let outside = text.split('(').next().filter(|text| text.chars().any(char::is_alphabetic)).unwrap_or(text);
    let name = snake_case(outside);
    let words: Vec<&str> = name.split('_').collect();
    let is_in = |list: &[&str], word: &str| {
        list.iter().any(|known| word == *known || known.len() >= 5 && word.ends_with(known))
    };
    let class = |(idx, word): (usize, &&str)| {
        let is_number_of = words.get(idx + 1).is_some_and(|next| ["of", "de", "der"].contains(next));
        match *word {
            "number" | "no" | "nos" | "numero" if is_number_of => Some(Class::Count),
            "how" if words.get(idx + 1) == Some(&"many") => Some(Class::Count),
            word if is_in(&WORDS, word) => Some(Class::Words),
            word if is_in(&CODES, word) => Some(Class::Code),
            word if is_in(&DATES, word) => Some(Class::Date),
            word if is_in(&COUNTS, word) => Some(Class::Count),
            word if is_in(&AMOUNTS, word) => Some(Class::Amount),
            _ => None,
        }
    };
    let sign = outside.chars().find_map(|c| match c {
        '$' | '\u{20ac}' | '\u{a3}' => Some(Class::Amount),
        '%' => Some(Class::Count),
        _ => None,
    });
    let found: Vec<Class> = words.iter().enumerate().filter_map(class).collect();
    // "name of account" is for words, but "names and numbers" may be either
    let is_qualified = found.first() == Some(&Class::Amount) && found.contains(&Class::Code);
    if is_qualified { Some(Class::Code) } else { found.first().copied().or(sign) }
}

/// The order of a date that a caption spells, and its number of digits: `DD/MM/YYYY`, `day month year`, `TT.MM.JJ`.
fn printed_order(text: &str) -> Option<(DateOrder, usize)> {
    #[derive(PartialEq, Clone, Copy)]
    enum Part {
        Day,
        Month,
        Year(usize),
    }
    let part = |word: &str| match word {
        "d" | "dd" | "t" | "tt" | "j" | "jj" | "g" | "gg" | "day" | "tag" | "jour" | "dia" | "giorno" => {
            Some(Part::Day)
        }
        "m" | "mm" | "month" | "monat" | "mois" | "mes" | "mese" => Some(Part::Month),
        "yy" | "aa" => Some(Part::Year(2)),
        "yyyy" | "jjjj" | "aaaa" | "year" | "jahr" | "annee" | "ano" | "anno" => Some(Part::Year(4)),
        _ => None,
    };
    let name = snake_case(text);
    let parts: Vec<Part> = name.split('_').filter_map(part).collect();
    // "JJ" is the year in German, the day in French
    let is_german = name.split('_').any(|word| word == "tt");
    let year = |part: Part| match part {
        Part::Year(n) => Some(n),
        Part::Day if is_german => Some(2),
        _ => None,
    };
    parts.windows(3).find_map(|window| match *window {
        [Part::Day, Part::Month, last] => year(last).map(|n| (DateOrder::DayMonthYear, 4 + n)),
        [Part::Month, Part::Day, Part::Year(n)] => Some((DateOrder::MonthDayYear, 4 + n)),
        [Part::Year(n), Part::Month, Part::Day] => Some((DateOrder::YearMonthDay, 4 + n)),
        _ => None,
    })
}

/// Whether a point or comma is printed before the last two cells.
fn has_decimals(field: &FieldCandidate, ink: &Ink) -> bool {
    let cells = field.layout.cells();
    let [.., N_DECIMALS] = field.groups[..] else { return false };
    if cells.len() <= N_DECIMALS {
        return false;
    }
    let (before, after) = (cells[cells.len() - N_DECIMALS - 1], cells[cells.len() - N_DECIMALS]);
    let (height, top) = (before.height(), before.y0);
    const MARGIN_MM: f64 = 0.3;
    let gap = Rect::from_edges(before.x1 + MARGIN_MM, top, after.x0 - MARGIN_MM, before.y1 + MAX_POINT * height);
    if gap.x0 >= gap.x1 {
        return false;
    }
    let inked = |r: Rect| ink.mm2_within(in_px(r, ink.px_per_mm));
    let upper = Rect { y1: top + MIN_POINT_TOP * height, ..gap };
    let lower = Rect { y0: top + MIN_POINT_TOP * height, ..gap };
    if inked(upper) > 0.0 || inked(lower) < MIN_POINT_MM2 {
        return false;
    }
    // a dash is wider than a point
    const STEP_MM: f64 = 0.1;
    let n_steps = (lower.width() / STEP_MM) as usize;
    let column = |i: usize| Rect::from_xywh(lower.x0 + STEP_MM * i as f64, lower.y0, STEP_MM, lower.height());
    let n_inked = (0..n_steps).filter(|i| inked(column(*i)) > 0.0).count();
    STEP_MM * n_inked as f64 <= (MAX_POINT * height).min(1.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_say_what_is_written() {
        for (text, expected) in [
            ("Number of children", Some(Class::Count)),
            ("Account number", Some(Class::Code)),
            ("Your first name and middle initial", Some(Class::Words)),
            ("Home address (number and street)", Some(Class::Words)),
            ("Your social security number", Some(Class::Code)),
            ("Foreign postal code", Some(Class::Code)),
            ("Taxable interest. Attach Sch. B", Some(Class::Amount)),
            ("Wages, salaries, tips", Some(Class::Amount)),
            ("Geburtsdatum", Some(Class::Date)),
            ("Gesamtbetrag", Some(Class::Amount)),
            ("Tax no.", Some(Class::Code)),
            ("Price ($)", Some(Class::Amount)),
            ("No. of persons", Some(Class::Count)),
            ("Anzahl Kinder", Some(Class::Count)),
            ("Qualified", None),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
    }

    #[test]
    fn order_of_date_is_that_of_its_letters() {
        for (text, expected) in [
            ("Date (DD/MM/YYYY)", Some((DateOrder::DayMonthYear, 8))),
            ("mm-dd-yy", Some((DateOrder::MonthDayYear, 6))),
            ("Datum (TT.MM.JJJJ)", Some((DateOrder::DayMonthYear, 8))),
            ("Datum TT MM JJ", Some((DateOrder::DayMonthYear, 6))),
            ("Date JJ/MM/AAAA", Some((DateOrder::DayMonthYear, 8))),
            ("year month day", Some((DateOrder::YearMonthDay, 8))),
            ("Date: month day year", Some((DateOrder::MonthDayYear, 8))),
            ("Date", None),
            ("height in mm", None),
        ] {
            assert_eq!(printed_order(text), expected, "{text}");
        }
    }
}
