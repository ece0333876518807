//! Drafts of real forms, compared with the templates that were measured by hand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use formread_core::{
    form::{Field, FieldKind, FieldLayout, FormTemplate, known_templates, parse_template},
    register::{RegisterParams, identify},
};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster::geometry::Point;
use formread_tools::draft::{Draft, Words, draft, draft_fillable};

/// Pixels per millimetre at 300 dpi.
const PX_PER_MM: f64 = 300.0 / 25.4;

fn repository_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The first page of a scan.
fn scan(path: &Path) -> Page {
    let bytes = fs::read(path).expect("the scan exists");
    let mut pages = page::open(&bytes, &Limits::default()).expect("it is a picture");
    pages.next().expect("it has a page").expect("it can be read")
}

fn is_comb(layout: &FieldLayout) -> bool {
    matches!(layout, FieldLayout::Comb { .. })
}

/// The largest distance between corners of the cells of `field`, shifted by `shift`, and of `drafted`, millimetres.
fn max_offset_mm(field: &Field, drafted: &FieldLayout, shift: Point) -> f64 {
    let corners = |layout: &FieldLayout| layout.cells().iter().flat_map(|c| c.corners()).collect::<Vec<Point>>();
    let pairs = corners(&field.layout).into_iter().zip(corners(drafted));
    pairs.map(|(p, q)| (p + shift - q).norm()).fold(0.0, f64::max)
}

/// For each field of `form`, the nearest drafted field of the same layout and number of cells: its offset in millimetres, and
/// its index.
fn compare(form: &FormTemplate, draft: &Draft) -> (Vec<f64>, Vec<usize>) {
    let nearest = |field: &Field| {
        let is_same_kind = |layout: &FieldLayout| {
            is_comb(layout) == is_comb(&field.layout) && layout.cells().len() == field.layout.cells().len()
        };
        let drafted = draft.fields.iter().enumerate().filter(|(_, drafted)| is_same_kind(&drafted.layout));
        let offsets = drafted.map(|(i, drafted)| (max_offset_mm(field, &drafted.layout, Point::default()), i));
        offsets.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::MAX, 0))
    };
    form.fields.iter().map(nearest).unzip()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn draft_of_a_scanned_blank_has_the_boxes_measured_by_hand() {
    let blank = repository_path("../shared/data/mtc/blank.jpg");
    let text = fs::read_to_string(repository_path("pipelines/mtc-antenatal.toml")).expect("the file exists");
    let marks = fs::read_to_string(repository_path("tests/mtc_marks.toml")).expect("the file exists");
    let form = parse_template(&format!("{text}\n{marks}")).expect("the template is well formed");
    let draft = draft(&[scan(&blank)], Words::Unknown, "draft").expect("it has fields");
    let (offsets, matched) = compare(&form, &draft);
    for (field, offset) in form.fields.iter().zip(offsets) {
        assert!(offset * PX_PER_MM <= 2.0, "{} is off by {:.2} px", field.name, offset * PX_PER_MM);
    }
    // The lower half of the page has a table. The template measured by hand has no field there.
    let others = draft.fields.iter().enumerate().filter(|(i, _)| !matched.contains(i));
    let is_upper = |layout: &FieldLayout| layout.bounds().y0 < draft.landmarks.page.height() / 2.0;
    let others: Vec<_> = others.filter(|(_, field)| is_upper(&field.layout)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(draft.template().is_ok() && draft.holds(), "{:?}", draft.flaws);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn draft_of_filled_pages_has_the_combs_measured_by_hand() {
    let scans = repository_path("../shared/data/c1/scans");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&scans).expect("it is a folder").map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    let pages: Vec<Page> = paths.iter().map(|path| scan(path)).collect();
    let text = fs::read_to_string(repository_path("pipelines/c1-2019.toml")).expect("the file exists");
    let form = parse_template(&text).expect("the template is well formed");
    let draft = draft(&pages, Words::Unknown, "draft").expect("it has fields");
    assert_eq!(draft.fields.len(), form.fields.len(), "{:?}", draft.fields);
    // The template was measured on another page, whose print is at another place on the paper.
    for (field, drafted) in form.fields.iter().zip(&draft.fields) {
        assert_eq!(field.layout.cells().len(), drafted.layout.cells().len(), "{}", field.name);
        let offset = max_offset_mm(field, &drafted.layout, Point::default());
        assert!(offset <= 1.0, "{} is off by {offset:.2} mm", field.name);
    }
}

/// The blank tax return: its fields have names without words, so the names come from the captions.
#[test]
fn draft_of_a_tax_return_names_fields_by_their_captions() {
    let bytes = fs::read(repository_path("fixtures/forms/us-1040-2019.pdf")).expect("the form exists");
    let drafts = [0, 1].map(|page_idx| {
        let draft = draft_fillable(&bytes, page_idx, "us", &Limits::default()).expect("it can be drafted");
        draft.expect("it is fillable")
    });
    let kind = |page: usize, name: &str| {
        let field = drafts[page].fields.iter().find(|field| field.name == name);
        let names: Vec<&str> = drafts[page].fields.iter().map(|field| field.name.as_str()).collect();
        field.unwrap_or_else(|| panic!("{name} is not among {names:?}")).kind.as_str()
    };
    for (page, name, expected) in [
        (0, "married_filing_jointly", "mark"),
        (0, "you_as_a_dependent", "mark"),
        (0, "social_security_number_3", "code"),
        (0, "line_2a_tax_exempt_interest", "amount"),
        (0, "line_4a_ira_distributions", "amount"),
        (0, "line_7b_total_income", "amount"),
        (0, "line_11b_taxable_income", "amount"),
        (1, "line_16_total_tax", "amount"),
        (1, "line_18a_earned_income_credit", "amount"),
        (1, "line_23_amount_you_owe", "amount"),
        (1, "routing_number", "code"),
        (1, "firms_ein", "code"),
    ] {
        assert_eq!(kind(page, name), expected, "{name}");
    }
    for draft in &drafts {
        assert!(draft.holds());
        let left = draft.fields.iter().filter(|field| field.name.contains("f1_") || field.name.contains("f2_")).count();
        assert!(left <= 1, "{left} fields have names without words");
        let is_for_words = |name: &str| draft.left_out.iter().any(|(field, _)| field.name == name);
        assert!(is_for_words("home_address_if_you_have") || is_for_words("email_address"), "{:?}", draft.left_out);
    }
}

/// The templates of the return lie on its pages: every field is found there.
#[test]
fn templates_of_a_tax_return_lie_on_their_blank() {
    let bytes = fs::read(repository_path("fixtures/forms/us-1040-2019.pdf")).expect("the form exists");
    let mut known = known_templates().expect("the templates parse");
    known.extend(["us-1040-1", "us-1040-2"].map(|name| {
        let path = repository_path(&format!("fixtures/forms/{name}.toml"));
        parse_template(&fs::read_to_string(path).expect("it is there")).expect("it is well formed")
    }));
    let pages = page::open(&bytes, &Limits::default()).expect("it is a PDF");
    for (page, name) in pages.zip(["us-1040-1", "us-1040-2"]) {
        let page = page.expect("it can be drawn");
        let (idx, registration) = identify(&page, &known, &RegisterParams::default()).expect("it is known");
        let form = &known[idx];
        assert_eq!(form.name, name);
        let px_per_mm = f64::from(page.pixels.width()) / form.bounds().width();
        for (field, placed) in form.fields.iter().zip(&registration.fields) {
            let corner = field.layout.bounds().corners()[0];
            let off_mm = (placed.locate(corner) - corner * px_per_mm).norm() / px_per_mm;
            assert!(off_mm < 0.3, "{name}, {}: {off_mm} mm", field.name);
            assert!(!placed.is_loose, "{name}, {}", field.name);
        }
        let n_amounts = form.fields.iter().filter(|field| matches!(field.kind, FieldKind::Amount { .. })).count();
        assert_eq!(n_amounts, if name == "us-1040-1" { 20 } else { 19 });
    }
}
