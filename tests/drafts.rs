//! Real forms drafted again, compared with the templates that were measured by hand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use formread_core::form::{Field, FieldLayout, FormTemplate, parse_template};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster::geometry::Point;
use formread_tools::draft::{Draft, draft};

/// Pixels a millimetre at 300 dpi.
const PX_PER_MM: f64 = 300.0 / 25.4;

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The first page of a scan.
fn scan(path: &Path) -> Page {
    let bytes = fs::read(path).expect("it was found there");
    let mut pages = page::open(&bytes, &Limits::default()).expect("it is a picture");
    pages.next().expect("it has a page").expect("it can be read")
}

fn is_comb(layout: &FieldLayout) -> bool {
    matches!(layout, FieldLayout::Comb { .. })
}

/// The largest distance of a corner of `field`'s cells from where `found` has it, after a shift, millimetres.
fn off_mm(field: &Field, found: &FieldLayout, shift: Point) -> f64 {
    let corners = |layout: &FieldLayout| layout.cells().iter().flat_map(|c| c.corners()).collect::<Vec<Point>>();
    let pairs = corners(&field.layout).into_iter().zip(corners(found));
    pairs.map(|(p, q)| (p + shift - q).norm()).fold(0.0, f64::max)
}

/// How far each field of `form` lies from the field of its sort and number of cells that is drafted nearest; which of those
/// these are.
fn compare(form: &FormTemplate, draft: &Draft) -> (Vec<f64>, Vec<usize>) {
    let nearest = |field: &Field| {
        let alike = |layout: &FieldLayout| {
            is_comb(layout) == is_comb(&field.layout) && layout.cells().len() == field.layout.cells().len()
        };
        let found = draft.fields.iter().enumerate().filter(|(_, found)| alike(&found.layout));
        let off = found.map(|(i, found)| (off_mm(field, &found.layout, Point::default()), i));
        off.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::MAX, 0))
    };
    form.fields.iter().map(nearest).unzip()
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn a_scanned_blank_gives_the_boxes_that_were_measured_by_hand() {
    let blank = at("../shared/data/mtc/blank.jpg");
    let text = fs::read_to_string(at("pipelines/mtc-antenatal.toml")).expect("it is there");
    let marks = fs::read_to_string(at("tests/mtc_marks.toml")).expect("it is there");
    let form = parse_template(&format!("{text}\n{marks}")).expect("it is well formed");
    let draft = draft(&[scan(&blank)], "again").expect("it has fields");
    let (off, which) = compare(&form, &draft);
    for (field, off) in form.fields.iter().zip(off) {
        assert!(off * PX_PER_MM <= 2.0, "{} lies {:.2} px off", field.name, off * PX_PER_MM);
    }
    // below the middle of the page there is a table, of which the template by hand reads nothing
    let others = draft.fields.iter().enumerate().filter(|(i, _)| !which.contains(i));
    let is_upper = |layout: &FieldLayout| layout.bounds().y0 < draft.landmarks.page.height() / 2.0;
    let others: Vec<_> = others.filter(|(_, field)| is_upper(&field.layout)).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(draft.template().is_ok());
}

#[test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data")]
fn filled_pages_give_the_combs_that_were_measured_by_hand() {
    let scans = at("../shared/data/c1/scans");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&scans).expect("it is a folder").map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    let pages: Vec<Page> = paths.iter().map(|path| scan(path)).collect();
    let text = fs::read_to_string(at("pipelines/c1-2019.toml")).expect("it is there");
    let form = parse_template(&text).expect("it is well formed");
    let draft = draft(&pages, "again").expect("it has fields");
    assert_eq!(draft.fields.len(), form.fields.len(), "{:?}", draft.fields);
    // the template was measured on another page, whose print lies elsewhere on the paper
    for (field, found) in form.fields.iter().zip(&draft.fields) {
        assert_eq!(field.layout.cells().len(), found.layout.cells().len(), "{}", field.name);
        let off = off_mm(field, &found.layout, Point::default());
        assert!(off <= 1.0, "{} lies {off:.2} mm off", field.name);
    }
}
