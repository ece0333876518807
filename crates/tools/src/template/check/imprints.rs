//! Findings about barcodes and printed numbers: whether they can be read, and whether they tell forms apart that look alike.

use crate::template::{
    file::TemplateFile,
    finding::{Finding, FindingKind, Severity},
    params::CheckParams,
};
use formread_core::{
    form::{Barcode, FormTemplate, Number},
    register::Families,
};
use formread_raster::geometry::MM_PER_INCH;

/// Width of a module, pixels of the scan, below which it is not read, and below which it is read worse. Empirically chosen: of
/// drawn pages, moderately degraded, all were read from 2 pixels on, and with 1.5 all bars, but 3 of 20 QR codes and Data
/// Matrix symbols.
const MIN_MODULE_PX: f64 = 1.5;
const GOOD_MODULE_PX: f64 = 2.0;

/// Height of a printed number, pixels of the scan, below which reading was not measured: type of 9 point at 150 dpi.
const GOOD_NUMBER_PX: f64 = 13.0;

/// Imprints that are too small for a scan of the stated resolution.
pub(super) fn too_small(candidate: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    [barcodes_too_small(candidate, params), numbers_too_small(candidate, params)].concat()
}

fn numbers_too_small(candidate: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    let finding = |(idx, number): (usize, &Number)| {
        let height_px = number.bounds.height() * params.dpi / MM_PER_INCH;
        if height_px >= GOOD_NUMBER_PX {
            return None;
        }
        let detail = format!(
            "a printed number {height_px:.1} pixels high at {} dpi, where {GOOD_NUMBER_PX} are needed",
            params.dpi
        );
        let dpi = (params.dpi * GOOD_NUMBER_PX / height_px).ceil();
        let remedy = format!("scan at {dpi:.0} dpi, or print it larger; what cannot be read tells nothing apart");
        Some(candidate.of_number(idx, Severity::Risk, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    candidate.template.numbers.iter().enumerate().filter_map(finding).collect()
}

fn barcodes_too_small(candidate: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    let finding = |(idx, barcode): (usize, &Barcode)| {
        let (_, modules) = barcode.example(|| 0)?;
        let (width, height) = (barcode.bounds.width(), barcode.bounds.height());
        let side_mm = if barcode.symbology.is_square() { width.min(height) } else { width.max(height) };
        let module_px = side_mm / f64::from(modules.width()) * params.dpi / MM_PER_INCH;
        let severity = match module_px {
            px if px < MIN_MODULE_PX => Severity::Fault,
            px if px < GOOD_MODULE_PX => Severity::Risk,
            _ => return None,
        };
        let detail = format!(
            "a barcode with modules of {module_px:.1} pixels at {} dpi, where {GOOD_MODULE_PX} are needed",
            params.dpi
        );
        let dpi = (params.dpi * GOOD_MODULE_PX / module_px).ceil();
        let remedy = format!("scan at {dpi:.0} dpi, or print it larger; what cannot be read tells nothing apart");
        Some(candidate.of_barcode(idx, severity, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    candidate.template.barcodes.iter().enumerate().filter_map(finding).collect()
}

/// Of forms that look alike, `all` of which are known: those whose imprints do not tell them from this one. One kind of
/// imprint that does is enough.
pub(super) fn alike(candidate: &TemplateFile, all: &[FormTemplate], families: &Families) -> Vec<Finding> {
    let own = &candidate.template;
    let Some(own_idx) = all.iter().position(|template| template.name == own.name) else { return Vec::new() };
    let kin = families.siblings(own_idx).iter().map(|&idx| &all[idx]).filter(|other| other.name != own.name);
    let finding = |other: &FormTemplate| {
        let by_barcode = told([&own.barcodes, &other.barcodes].map(Vec::len), || !is_named_by(other, own));
        let by_number = told([&own.numbers, &other.numbers].map(Vec::len), || !has_number_of(other, own));
        if by_barcode == Told::Apart || by_number == Told::Apart {
            return None;
        }
        by_barcode_finding(candidate, other, by_barcode).or_else(|| by_number_finding(candidate, other, by_number))
    };
    kin.filter_map(finding).collect()
}

/// What imprints of one kind say of a form and another one that looks like it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// They differ.
    Apart,
    /// They are the same.
    Same,
    /// The other form alone has any.
    ByOther,
    /// Nothing.
    Nothing,
}

fn told([n_own, n_other]: [usize; 2], differ: impl Fn() -> bool) -> Told {
    match (n_own > 0, n_other > 0) {
        (true, true) if differ() => Told::Apart,
        (true, true) => Told::Same,
        (false, true) => Told::ByOther,
        (_, false) => Told::Nothing,
    }
}

fn by_barcode_finding(candidate: &TemplateFile, other: &FormTemplate, told: Told) -> Option<Finding> {
    match told {
        Told::ByOther => {
            let detail = format!("{} looks like it and has a barcode, and this one none", other.name);
            let remedy =
                "declare the [[barcode]] of this one, too: a page of either whose barcode is read is told for sure";
            let finding = candidate.finding(Severity::Risk, FindingKind::NoBarcode, detail);
            Some(finding.with_remedy(remedy))
        }
        Told::Same => {
            let detail = format!("its pages say what the barcodes of {} say, which looks like it", other.name);
            let remedy = "let says have what only one of them has: the number of the form, and what follows it";
            Some(candidate.of_barcode(0, Severity::Risk, FindingKind::SameBarcode, detail).with_remedy(remedy))
        }
        Told::Apart | Told::Nothing => None,
    }
}

fn by_number_finding(candidate: &TemplateFile, other: &FormTemplate, told: Told) -> Option<Finding> {
    match told {
        Told::ByOther => {
            let detail = format!("{} looks like it and has a printed number, and this one none", other.name);
            let finding = candidate.finding(Severity::Risk, FindingKind::NoNumber, detail);
            Some(finding.with_remedy("declare the [[number]] of this one, too"))
        }
        Told::Same => {
            let detail = format!("it has the printed number of {}, which looks like it", other.name);
            let remedy = "declare a number that only one of them has";
            Some(candidate.of_number(0, Severity::Risk, FindingKind::SameNumber, detail).with_remedy(remedy))
        }
        Told::Apart | Told::Nothing => None,
    }
}

/// Whether a page of `own` has the numbers that `template` declares, wherever both have one.
fn has_number_of(template: &FormTemplate, own: &FormTemplate) -> bool {
    let same = |there: &Number| {
        let here = own.numbers.iter().find(|here| here.bounds.intersection(there.bounds).is_some());
        here.map(|here| here.digits() == there.digits())
    };
    some_and_all(template.numbers.iter().filter_map(same))
}

/// Whether a page of `own` says what `template` declares, wherever both have a barcode.
fn is_named_by(template: &FormTemplate, own: &FormTemplate) -> bool {
    let said = |there: &Barcode| {
        let here = own
            .barcodes
            .iter()
            .find(|here| here.symbology == there.symbology && here.bounds.intersection(there.bounds).is_some());
        here.and_then(|here| here.example(|| 0)).map(|(text, _)| there.matches(&text))
    };
    some_and_all(template.barcodes.iter().filter_map(said))
}

/// Whether there are some, and all hold: imprints that stand in other places are told apart by where they stand.
fn some_and_all(holds: impl Iterator<Item = bool>) -> bool {
    let mut holds = holds.peekable();
    holds.peek().is_some() && holds.all(|holds| holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::check::{check, tests::candidate};

    fn barcode(symbology: &str, at: [f64; 4], says: &str) -> String {
        format!("[[barcode]]\nat = {at:?}\nsymbology = {symbology:?}\nsays = {says:?}\n")
    }

    fn kinds(candidates: &[TemplateFile], dpi: f64) -> Vec<(Severity, FindingKind, String)> {
        let found = check(candidates, &[], &CheckParams { dpi }).expect("they can be drawn");
        found.into_iter().map(|finding| (finding.severity, finding.kind, finding.file)).collect()
    }

    #[test]
    fn forms_that_look_alike_need_barcodes_that_differ() {
        let at = [150.0, 20.0, 14.0, 14.0];
        let form = |name: &str, says: &str| candidate(name, name, &barcode("qr", at, says));
        assert_eq!(kinds(&[form("a", "A-*"), form("b", "B-*")], 300.0), []);

        let same = kinds(&[form("a", "A-*"), form("b", "A-0*")], 300.0);
        let of = |file: &str| same.iter().any(|(_, kind, of)| *kind == FindingKind::SameBarcode && of == file);
        assert!(of("a") && of("b"), "{same:?}");

        let one = kinds(&[form("a", "A-*"), candidate("b", "b", "")], 300.0);
        assert!(one.contains(&(Severity::Risk, FindingKind::NoBarcode, "b".to_owned())), "{one:?}");
    }

    fn number(says: &str, height: f64) -> String {
        format!("[[number]]\nat = [150.0, 40.0, 14.0, {height}]\nsays = {says:?}\n")
    }

    #[test]
    fn forms_that_look_alike_need_numbers_that_differ() {
        let form = |name: &str, says: &str| candidate(name, name, &number(says, 4.0));
        assert_eq!(kinds(&[form("a", "730-1"), form("b", "730-2")], 300.0), []);

        let same = kinds(&[form("a", "730-1"), form("b", "7301")], 300.0);
        let of = |file: &str| same.iter().any(|(_, kind, of)| *kind == FindingKind::SameNumber && of == file);
        assert!(of("a") && of("b"), "{same:?}");

        let one = kinds(&[form("a", "730-1"), candidate("b", "b", "")], 300.0);
        assert!(one.contains(&(Severity::Risk, FindingKind::NoNumber, "b".to_owned())), "{one:?}");

        // a page of either has nothing where the other one has its number: with both given it is told for sure
        let elsewhere = number("730-1", 4.0).replace("[150.0, 40.0", "[20.0, 40.0");
        let found = kinds(&[form("a", "730-1"), candidate("b", "b", &elsewhere)], 300.0);
        assert!(
            found.iter().all(|(severity, kind, _)| (*severity, *kind) == (Severity::Risk, FindingKind::Alike)),
            "{found:?}"
        );

        // the same barcode on both does no harm where the numbers differ
        let both = |name: &str, says: &str| {
            candidate(name, name, &(barcode("qr", [150.0, 20.0, 14.0, 14.0], "A") + &number(says, 4.0)))
        };
        assert_eq!(kinds(&[both("a", "11"), both("b", "12")], 300.0), []);
    }

    #[test]
    fn a_number_needs_pixels() {
        let form = [candidate("a", "a", &number("1040", 1.5))];
        for (dpi, want) in [(300.0, None), (200.0, Some(Severity::Risk))] {
            let found = kinds(&form, dpi);
            let found = found.iter().find(|(_, kind, _)| *kind == FindingKind::TooSmall);
            assert_eq!(found.map(|found| found.0), want, "at {dpi} dpi");
        }
    }

    #[test]
    fn modules_need_pixels() {
        // 145 modules in 30 mm: 0.21 mm each
        let form = [candidate("a", "a", &barcode("code-128", [150.0, 20.0, 30.0, 8.0], "TAX-2026/1"))];
        for (dpi, want) in [(300.0, None), (200.0, Some(Severity::Risk)), (100.0, Some(Severity::Fault))] {
            let found = kinds(&form, dpi);
            let found = found.iter().find(|(_, kind, _)| *kind == FindingKind::TooSmall);
            assert_eq!(found.map(|found| found.0), want, "at {dpi} dpi");
        }
    }
}
