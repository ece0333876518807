//! Barcodes that are printed on a form and distinguish it from others.

use image::GrayImage;
use serde::Serialize;

use super::{
    raw::{RawBarcode, Spanned},
    source::{Source, UnitConverter},
};
use crate::barcode::{Symbology, draw_barcode};
use formread_raster::{error::Result, geometry::Rect};

/// Longest pattern of a barcode: the name of a form is shorter.
const MAX_PATTERN_BYTES: usize = 80;
/// Number of digits with which a part that differs from page to page is drawn. The second one is for symbologies that take
/// only even numbers of digits.
const SERIAL_DIGITS: [usize; 2] = [6, 5];
/// Matches any characters, or none: the part that differs from page to page.
const WILDCARD: char = '*';

/// A barcode that every page of the form has at the same place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Barcode {
    /// Its ink, without the quiet zone around it, millimetres.
    pub bounds: Rect,
    /// Its symbology.
    pub symbology: Symbology,
    /// Its text, printable ASCII. A `*` matches any characters, or none: the part that differs from page to page.
    pub pattern: String,
}

impl Barcode {
    /// Whether `text` matches the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pattern.split_once(WILDCARD) else { return text == self.pattern };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let mut parts = rest.split(WILDCARD).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return text.ends_with(part);
            }
            match text.split_once(part) {
                Some((_, behind)) => text = behind,
                None => return false,
            }
        }
        false
    }

    /// A text that matches, and its picture: one pixel a module, 0 paper, 255 ink. `digit` gives each digit of the part that
    /// differs from page to page. `None` where the symbology cannot express the text.
    pub fn example(&self, mut digit: impl FnMut() -> u8) -> Option<(String, GrayImage)> {
        SERIAL_DIGITS.into_iter().find_map(|n_digits| {
            let mut text = String::new();
            for c in self.pattern.chars() {
                match c {
                    WILDCARD => text.extend((0..n_digits).map(|_| char::from(b'0' + digit() % 10))),
                    c => text.push(c),
                }
            }
            let drawn = draw_barcode(&text, self.symbology)?;
            Some((text, drawn))
        })
    }
}

pub(super) fn parse_barcode(source: Source<'_>, units: &UnitConverter, raw: &Spanned<RawBarcode>) -> Result<Barcode> {
    let (span, raw) = (raw.span(), raw.get_ref());
    let at = source.required(&raw.at, span.clone(), "at of a barcode", "at = [20.0, 10.0, 15.0, 15.0]")?;
    let bounds = units.rect(source, at, "barcode")?;
    let word = source.required(&raw.symbology, span.clone(), "symbology of a barcode", "symbology = \"qr\"")?;
    let symbology = Symbology::ALL.into_iter().find(|symbology| symbology.as_str() == word.get_ref());
    let symbology = symbology.ok_or_else(|| {
        let words = Symbology::ALL.map(|symbology| format!("{:?}", symbology.as_str())).join(", ");
        source.error(word.span(), format!("unknown symbology: {:?}", word.get_ref()), &format!("any of {words}"))
    })?;
    let pattern = source.required(&raw.says, span, "says of a barcode", "says = \"TAX-2026/1\"")?;
    let text = pattern.get_ref();
    let is_text = text.len() <= MAX_PATTERN_BYTES && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if !is_text || text.chars().all(|c| c == WILDCARD) {
        let hint = format!(
            "1 to {MAX_PATTERN_BYTES} printable ASCII characters; * for the part that differs from page to page"
        );
        return Err(source.error(pattern.span(), format!("says: {text:?}"), &hint));
    }
    let barcode = Barcode { bounds, symbology, pattern: text.clone() };
    if barcode.example(|| 0).is_none() {
        let detail = format!("says: {text:?}: it cannot be a barcode of symbology {}", symbology.as_str());
        let hint =
            "code-39: capitals, digits and - . $ / + % space; itf: an even number of digits; or use another symbology";
        return Err(source.error(pattern.span(), detail, hint));
    }
    Ok(barcode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{FormTemplate, parse_template};

    fn barcode(pattern: &str, symbology: Symbology) -> Barcode {
        Barcode { bounds: Rect::from_xywh(0.0, 0.0, 20.0, 20.0), symbology, pattern: pattern.to_owned() }
    }

    #[test]
    fn matches_with_a_star_accepts_any_text_in_its_place() {
        /// The pattern; texts that match; texts that do not.
        struct Case(&'static str, &'static [&'static str], &'static [&'static str]);
        for Case(pattern, matching, others) in [
            Case("A1", &["A1"], &["", "A", "A12", "a1", " A1"]),
            Case("A1-*", &["A1-", "A1-7", "A1-*"], &["A1", "A2-7", "xA1-7"]),
            Case("*-A1", &["-A1", "7-A1", "-A1-A1"], &["A1", "7-A1-"]),
            Case("F*P1", &["FP1", "F77P1", "FP1P1"], &["FP", "P1", "FP12"]),
            Case("F*-*Z", &["F-Z", "F1-2Z", "F--Z"], &["FZ", "F-", "F12Z"]),
            Case("*A*", &["A", "xAy"], &["", "xy"]),
            Case("A*A", &["AA", "ABA"], &["A"]),
            Case("A**B", &["AB", "A1B"], &["A", "B"]),
        ] {
            let barcode = barcode(pattern, Symbology::Qr);
            matching.iter().for_each(|text| assert!(barcode.matches(text), "{pattern}: {text}"));
            others.iter().for_each(|text| assert!(!barcode.matches(text), "{pattern}: {text}"));
        }
    }

    #[test]
    fn example_matches_the_pattern() {
        for (pattern, symbology, example) in [
            ("TAX-2026/1", Symbology::Qr, Some("TAX-2026/1")),
            ("TAX-*", Symbology::Code39, Some("TAX-777777")),
            ("40*", Symbology::Itf, Some("40777777")),
            ("401*", Symbology::Itf, Some("40177777")),
            ("401", Symbology::Itf, None),
            ("4A", Symbology::Itf, None),
            ("caf\u{e9}", Symbology::Code128, None),
        ] {
            let barcode = barcode(pattern, symbology);
            let drawn = barcode.example(|| 7).map(|drawn| drawn.0);
            assert_eq!(drawn.as_deref(), example, "{pattern}");
            assert!(drawn.is_none_or(|text| barcode.matches(&text)), "{pattern}");
        }
    }

    const FORM: &str = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\nkind = \"integer\"\n\
                        box = [5, 5, 40, 8]\n";
    const BARCODE: &str = "[[barcode]]\nat = [60, 5, 9, 9]\nsymbology = \"qr\"\nsays = \"F-*\"\n[[barcode]]\nat = [60, 25, 30, 9]\n\
         symbology = \"itf\"\nsays = \"1234\"\n";

    #[test]
    fn parse_template_with_barcodes_gives_millimetres_and_another_fingerprint() {
        let without = parse_template(FORM).expect("it is well formed");
        assert!(without.barcodes.is_empty());
        let with =
            parse_template(&format!("unit = {{ dpi = 254 }}\n{}", format!("{FORM}{BARCODE}").replace("100", "990")));
        let with = with.expect("it is well formed");
        let [qr, itf] = &with.barcodes[..] else { panic!("it has two") };
        assert!((qr.bounds.x0 - 6.0).abs() < 1e-9 && (qr.bounds.width() - 0.9).abs() < 1e-9, "{:?}", qr.bounds);
        assert_eq!((qr.symbology, itf.symbology, itf.pattern.as_str()), (Symbology::Qr, Symbology::Itf, "1234"));
        assert_ne!(with.fingerprint(), FormTemplate { barcodes: Vec::new(), ..with.clone() }.fingerprint());
    }

    #[test]
    fn parse_template_malformed_barcode_is_an_error_with_line_and_value() {
        for (from, to, line, part) in [
            ("at = [60, 5, 9, 9]\n", "", 8, "missing: at of a barcode"),
            ("[60, 5, 9, 9]", "[60, 5, 99, 9]", 9, "barcode off the page"),
            ("symbology = \"qr\"\n", "", 8, "missing: symbology"),
            ("\"qr\"", "\"ean\"", 10, "unknown symbology: \"ean\""),
            ("says = \"F-*\"\n", "", 8, "missing: says of a barcode"),
            ("\"F-*\"", "\"**\"", 11, "says: \"**\""),
            ("\"F-*\"", "\"\"", 11, "says: \"\""),
            ("\"F-*\"", "\"F\\n\"", 11, "says: \"F\\n\""),
            ("says = \"F-*\"", "say = \"F-*\"", 11, "unknown key: say"),
            ("\"1234\"", "\"123\"", 15, "it cannot be a barcode of symbology itf"),
            ("\"1234\"", "\"F1\"", 15, "it cannot be a barcode of symbology itf"),
        ] {
            let text = format!("{FORM}{}", BARCODE.replacen(from, to, 1));
            let error = parse_template(&text).expect_err(to);
            assert_eq!((error.location().line, error.location().field.as_deref()), (Some(line), None), "{to}: {error}");
            assert!(error.to_string().contains(part), "{to}: {error}");
        }
        let many = format!("{FORM}{}", BARCODE.repeat(5));
        assert!(parse_template(&many).expect_err("ten").to_string().contains("too many barcodes: 10"));
        let whole = "name = \"s\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"d\"\nkind = \"code\"\n";
        assert!(parse_template(&format!("{whole}{BARCODE}")).is_err());
    }
}
