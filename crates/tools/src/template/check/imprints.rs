//! Findings about barcodes and printed numbers: whether they can be read, and whether they distinguish similar forms.

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

/// Width of a module, pixels of the scan, below which it is not read, and below which it is read less well. Chosen on drawn,
/// moderately degraded pages: from 2 pixels on, all symbols were read; at 1.5, all bars, but 3 of 20 QR codes and Data Matrix
/// symbols.
const MIN_MODULE_PX: f64 = 1.5;
const GOOD_MODULE_PX: f64 = 2.0;

/// Height of a printed number, pixels of the scan, below which reading was not measured: 9 point type at 150 dpi.
const GOOD_NUMBER_PX: f64 = 13.0;

/// Imprints that are too small at the given resolution.
pub(super) fn too_small(file: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    [barcodes_too_small(file, params), numbers_too_small(file, params)].concat()
}

fn numbers_too_small(file: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
    let finding = |(idx, number): (usize, &Number)| {
        let height_px = number.bounds.height() * params.dpi / MM_PER_INCH;
        if height_px >= GOOD_NUMBER_PX {
            return None;
        }
        let detail =
            format!("printed number {height_px:.1} pixels high at {} dpi; {GOOD_NUMBER_PX} are needed", params.dpi);
        let dpi = (params.dpi * GOOD_NUMBER_PX / height_px).ceil();
        let remedy = format!("scan at {dpi:.0} dpi, or print it larger");
        Some(file.of_number(idx, Severity::Risk, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    file.template.numbers.iter().enumerate().filter_map(finding).collect()
}

fn barcodes_too_small(file: &TemplateFile, params: &CheckParams) -> Vec<Finding> {
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
        let detail =
            format!("barcode modules of {module_px:.1} pixels at {} dpi; {GOOD_MODULE_PX} are needed", params.dpi);
        let dpi = (params.dpi * GOOD_MODULE_PX / module_px).ceil();
        let remedy = format!("scan at {dpi:.0} dpi, or print it larger");
        Some(file.of_barcode(idx, severity, FindingKind::TooSmall, detail).with_remedy(remedy))
    };
    file.template.barcodes.iter().enumerate().filter_map(finding).collect()
}

/// Similar forms among `all` whose imprints do not distinguish them from this one. One kind of imprint that does is enough.
pub(super) fn alike(file: &TemplateFile, all: &[FormTemplate], families: &Families) -> Vec<Finding> {
    let own = &file.template;
    let Some(own_idx) = all.iter().position(|template| template.name == own.name) else { return Vec::new() };
    let similar = families.siblings(own_idx).iter().map(|&idx| &all[idx]).filter(|other| other.name != own.name);
    let finding = |other: &FormTemplate| {
        let by_barcode = compare([&own.barcodes, &other.barcodes].map(Vec::len), || !has_same_barcodes(other, own));
        let by_number = compare([&own.numbers, &other.numbers].map(Vec::len), || !has_same_numbers(other, own));
        if by_barcode == Comparison::Different || by_number == Comparison::Different {
            return None;
        }
        by_barcode_finding(file, other, by_barcode).or_else(|| by_number_finding(file, other, by_number))
    };
    similar.filter_map(finding).collect()
}

/// How the imprints of one kind compare on two similar forms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// They differ.
    Different,
    /// They are the same.
    Same,
    /// Only the other form has any.
    OnlyOther,
    /// The other form has none.
    NotOther,
}

fn compare([n_own, n_other]: [usize; 2], differ: impl Fn() -> bool) -> Comparison {
    match (n_own > 0, n_other > 0) {
        (true, true) if differ() => Comparison::Different,
        (true, true) => Comparison::Same,
        (false, true) => Comparison::OnlyOther,
        (_, false) => Comparison::NotOther,
    }
}

fn by_barcode_finding(file: &TemplateFile, other: &FormTemplate, comparison: Comparison) -> Option<Finding> {
    match comparison {
        Comparison::OnlyOther => {
            let detail = format!("{} looks like this form and has a barcode; this form has none", other.name);
            let remedy = "declare the [[barcode]] of this form too";
            let finding = file.finding(Severity::Risk, FindingKind::NoBarcode, detail);
            Some(finding.with_remedy(remedy))
        }
        Comparison::Same => {
            let detail = format!("same barcode as {}, which looks like this form", other.name);
            let remedy = "in says, give the part that only one of them has, such as the number of the form";
            Some(file.of_barcode(0, Severity::Risk, FindingKind::SameBarcode, detail).with_remedy(remedy))
        }
        Comparison::Different | Comparison::NotOther => None,
    }
}

fn by_number_finding(file: &TemplateFile, other: &FormTemplate, comparison: Comparison) -> Option<Finding> {
    match comparison {
        Comparison::OnlyOther => {
            let detail = format!("{} looks like this form and has a printed number; this form has none", other.name);
            let finding = file.finding(Severity::Risk, FindingKind::NoNumber, detail);
            Some(finding.with_remedy("declare the [[number]] of this form too"))
        }
        Comparison::Same => {
            let detail = format!("same printed number as {}, which looks like this form", other.name);
            let remedy = "declare a number that only one of the forms has";
            Some(file.of_number(0, Severity::Risk, FindingKind::SameNumber, detail).with_remedy(remedy))
        }
        Comparison::Different | Comparison::NotOther => None,
    }
}

/// Whether `own` has the numbers that `template` declares, at each place where both have one.
fn has_same_numbers(template: &FormTemplate, own: &FormTemplate) -> bool {
    let same = |there: &Number| {
        let here = own.numbers.iter().find(|here| here.bounds.intersection(there.bounds).is_some());
        here.map(|here| here.digits() == there.digits())
    };
    any_and_all(template.numbers.iter().filter_map(same))
}

/// Whether the barcodes of `own` match those that `template` declares, at each place where both have one.
fn has_same_barcodes(template: &FormTemplate, own: &FormTemplate) -> bool {
    let same = |there: &Barcode| {
        let here = own
            .barcodes
            .iter()
            .find(|here| here.symbology == there.symbology && here.bounds.intersection(there.bounds).is_some());
        here.and_then(|here| here.example(|| 0)).map(|(text, _)| there.matches(&text))
    };
    any_and_all(template.barcodes.iter().filter_map(same))
}

/// Whether there are any, and all are true. Imprints at different places distinguish two forms by their place.
fn any_and_all(matches: impl Iterator<Item = bool>) -> bool {
    let mut matches = matches.peekable();
    matches.peek().is_some() && matches.all(|is_match| is_match)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::check::{check, tests::template_file};

    fn barcode(symbology: &str, at: [f64; 4], says: &str) -> String {
        format!("[[barcode]]\nat = {at:?}\nsymbology = {symbology:?}\nsays = {says:?}\n")
    }

    fn kinds(files: &[TemplateFile], dpi: f64) -> Vec<(Severity, FindingKind, String)> {
        let found = check(files, &[], &CheckParams { dpi }).expect("they can be drawn");
        found.into_iter().map(|finding| (finding.severity, finding.kind, finding.file)).collect()
    }

    #[test]
    fn similar_forms_need_different_barcodes() {
        let at = [150.0, 20.0, 14.0, 14.0];
        let form = |name: &str, says: &str| template_file(name, name, &barcode("qr", at, says));
        assert_eq!(kinds(&[form("a", "A-*"), form("b", "B-*")], 300.0), []);

        let same = kinds(&[form("a", "A-*"), form("b", "A-0*")], 300.0);
        let of = |file: &str| same.iter().any(|(_, kind, of)| *kind == FindingKind::SameBarcode && of == file);
        assert!(of("a") && of("b"), "{same:?}");

        let one = kinds(&[form("a", "A-*"), template_file("b", "b", "")], 300.0);
        assert!(one.contains(&(Severity::Risk, FindingKind::NoBarcode, "b".to_owned())), "{one:?}");
    }

    fn number(says: &str, height: f64) -> String {
        format!("[[number]]\nat = [150.0, 40.0, 14.0, {height}]\nsays = {says:?}\n")
    }

    #[test]
    fn similar_forms_need_different_numbers() {
        let form = |name: &str, says: &str| template_file(name, name, &number(says, 4.0));
        assert_eq!(kinds(&[form("a", "730-1"), form("b", "730-2")], 300.0), []);

        let same = kinds(&[form("a", "730-1"), form("b", "7301")], 300.0);
        let of = |file: &str| same.iter().any(|(_, kind, of)| *kind == FindingKind::SameNumber && of == file);
        assert!(of("a") && of("b"), "{same:?}");

        let one = kinds(&[form("a", "730-1"), template_file("b", "b", "")], 300.0);
        assert!(one.contains(&(Severity::Risk, FindingKind::NoNumber, "b".to_owned())), "{one:?}");

        // at different places the numbers distinguish the forms
        let elsewhere = number("730-1", 4.0).replace("[150.0, 40.0", "[20.0, 40.0");
        let found = kinds(&[form("a", "730-1"), template_file("b", "b", &elsewhere)], 300.0);
        assert!(
            found.iter().all(|(severity, kind, _)| (*severity, *kind) == (Severity::Risk, FindingKind::Alike)),
            "{found:?}"
        );

        // different numbers are enough, whatever the barcodes
        let both = |name: &str, says: &str| {
            template_file(name, name, &(barcode("qr", [150.0, 20.0, 14.0, 14.0], "A") + &number(says, 4.0)))
        };
        assert_eq!(kinds(&[both("a", "11"), both("b", "12")], 300.0), []);
    }

    #[test]
    fn small_number_is_risk_at_low_resolution() {
        let form = [template_file("a", "a", &number("1040", 1.5))];
        for (dpi, want) in [(300.0, None), (200.0, Some(Severity::Risk))] {
            let found = kinds(&form, dpi);
            let found = found.iter().find(|(_, kind, _)| *kind == FindingKind::TooSmall);
            assert_eq!(found.map(|found| found.0), want, "at {dpi} dpi");
        }
    }

    #[test]
    fn small_modules_are_faults_at_low_resolution() {
        // 145 modules in 30 mm: 0.21 mm each
        let form = [template_file("a", "a", &barcode("code-128", [150.0, 20.0, 30.0, 8.0], "TAX-2026/1"))];
        for (dpi, want) in [(300.0, None), (200.0, Some(Severity::Risk)), (100.0, Some(Severity::Fault))] {
            let found = kinds(&form, dpi);
            let found = found.iter().find(|(_, kind, _)| *kind == FindingKind::TooSmall);
            assert_eq!(found.map(|found| found.0), want, "at {dpi} dpi");
        }
    }
}
