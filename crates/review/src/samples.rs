//! Training data from what people settled: pictures of single digits, by page, and the truth of the files that are held out.
//!
//! A picture is `page-000001/7/0001.png` for a 7: a net is trained by the folder of a page as by that of a writer, so that no page is
//! on both sides of a split. `samples.csv` names the scan, page, field and value of each picture, `left-out.csv` the settled fields
//! without pictures and why.

use std::{collections::BTreeMap, fmt, fs, path::Path, sync::Arc};

use image::{GrayImage, Luma, imageops};
use serde::Serialize;

use crate::{answer::Answer, audit::is_held_out, review::Review, solve::Outcome, truth::TruthPage};
use formread_core::{
    assemble::cut_value,
    reader::{PageExplanation, Reader},
    rows::{PageRows, Verdict},
    segment::{FieldInk, InkCrop},
};
use formread_page::{
    Page,
    decoder_process::{DecoderCommand, DecoderPool},
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Result},
    hash::sha256,
};

/// Paper around the ink of a digit, pixels.
const MARGIN: u32 = 8;

/// What samples are cut from.
pub struct SampleSource<'a> {
    /// Cuts the fields, as in the run.
    pub reader: &'a Reader,
    /// The scans of the run.
    pub scans: &'a [Scan],
    /// Starts a decoding process. `None`: pages are decoded in this process.
    pub decoder: Option<&'a DecoderCommand>,
    /// Share of the files that are held out, 0 to 1.
    pub held_out: f64,
}

/// What was cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SampleReport {
    /// Pages with pictures.
    pub pages: u64,
    /// Fields with pictures.
    pub fields: u64,
    /// Pictures: a digit each.
    pub digits: u64,
    /// Settled fields without pictures, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Pages of the files that are held out.
    pub held_out_pages: u64,
    /// Their fields with a value or blank, by people or accepted by the run.
    pub held_out_fields: u64,
}

/// A settled field of a page that is not held out.
struct Settled<'a> {
    idx: usize,
    field: &'a str,
    answer: &'a Answer,
}

/// Writes pictures of the digits that people settled into `folder`, which is there and empty. Calls `hold_out` with each page of the
/// files that are held out: what is written in its fields, as people settled it or, where nobody has read a field, as the run accepted
/// it.
///
/// # Errors
/// What is wrong with the files of the run, or `hold_out` returns; `Io` where the folder cannot be written to. What is wrong with a
/// scan is a reason to leave its fields out.
pub fn samples(
    review: &Review,
    source: &SampleSource<'_>,
    folder: &Path,
    mut hold_out: impl FnMut(&TruthPage) -> Result<()>,
) -> Result<SampleReport> {
    let mut writer = Writer::new(folder)?;
    let pool = DecoderPool::new(source.reader.limits(), source.decoder);
    let paths: BTreeMap<&str, &Scan> = source.scans.iter().map(|scan| (scan.name.as_str(), scan)).collect();
    for document in 0..review.run().n_documents() {
        let ((scan, first), content) = (review.run().scan(document), review.run().sha256(document));
        // a copy has the answers of the first file
        let (Some(content), true) = (content, document == first) else { continue };
        let is_held_out = is_held_out(content, source.held_out);
        if !is_held_out && review.readings(document).is_none() {
            continue;
        }
        let pages = review.pages(document)?;
        let outcomes = match review.readings(document) {
            Some(_) => review.solution(document)?.outcomes,
            None => BTreeMap::new(),
        };
        let mut bytes: Option<Result<Arc<[u8]>, &'static str>> = None;
        for (page_idx, page) in (0..).zip(&pages) {
            let of_page = outcomes.iter().filter(|(place, _)| place.page == page_idx);
            let settled: BTreeMap<usize, &Answer> = of_page
                .filter_map(|(place, outcome)| match outcome {
                    Outcome::Settled { answer, .. } => Some((place.field as usize, answer)),
                    Outcome::Contested | Outcome::Undecided => None,
                })
                .collect();
            if is_held_out {
                if page.verdict != Verdict::Rejected {
                    let truth = truth_of(page, &settled);
                    writer.report.held_out_pages += 1;
                    writer.report.held_out_fields += truth.fields.len() as u64;
                    hold_out(&truth)?;
                }
                continue;
            }
            let named = settled
                .into_iter()
                .filter_map(|(idx, answer)| Some(Settled { idx, field: page.fields.get(idx)?.field.as_str(), answer }));
            let named: Vec<Settled<'_>> = named.collect();
            if named.is_empty() {
                continue;
            }
            let bytes = bytes.get_or_insert_with(|| {
                let path = &paths.get(scan).ok_or("scan-not-found")?.path;
                let bytes = read_file(path, source.reader.limits()).map_err(|_| "scan-not-readable")?;
                if sha256(&bytes) == content { Ok(bytes) } else { Err("scan-changed") }
            });
            let explained = match bytes {
                Ok(bytes) => explain(source.reader, &pool, bytes, page.page)?.map(|(_, explained)| explained),
                Err(reason) => Err(*reason),
            };
            writer.page(page, &named, source.reader, explained.as_ref().map_err(|reason| *reason))?;
        }
    }
    writer.finish()
}

/// What is written on a page of a file that is held out. Fields that are still open are left out.
fn truth_of(page: &PageRows, settled: &BTreeMap<usize, &Answer>) -> TruthPage {
    let field = |(idx, row): (usize, &formread_core::rows::FieldRow)| {
        let text = match settled.get(&idx) {
            Some(Answer::Illegible) => "!",
            Some(answer) => answer.text(),
            None if row.state == "review" => return None,
            None => &row.value,
        };
        Some((row.field.clone(), text.to_owned()))
    };
    let fields = page.fields.iter().enumerate().filter_map(field).collect();
    TruthPage { scan: page.scan.clone(), page: page.page, fields }
}

/// Reads a page again, to know how its fields are cut.
pub(crate) fn explain(
    reader: &Reader,
    pool: &DecoderPool<'_>,
    bytes: &Arc<[u8]>,
    number: u32,
) -> Result<Result<(Page, PageExplanation), &'static str>> {
    match pool.page(bytes, number.saturating_sub(1) as usize, &reader.limits().page_deadline()) {
        Ok(page) => reader.stages().explain_page(number, &page).map(|explained| Ok((page, explained))),
        Err(_) => Ok(Err("page-not-readable")),
    }
}

/// The digits of a field that was settled, and their ink; or why there are none.
fn cut<'a>(
    explained: &'a PageExplanation,
    reader: &Reader,
    form: &str,
    settled: &Settled<'_>,
) -> Result<Vec<(u8, &'a InkCrop)>, &'static str> {
    match settled.answer {
        Answer::Value(value) => cut_digits(explained, reader, form, settled.idx, value),
        Answer::Blank => Err("blank"),
        Answer::Illegible => Err("cannot-be-read"),
    }
}

/// The digits of `value` as they are written in a field, and their ink; or why there are none.
pub(crate) fn cut_digits<'a>(
    explained: &'a PageExplanation,
    reader: &Reader,
    form: &str,
    field_idx: usize,
    value: &str,
) -> Result<Vec<(u8, &'a InkCrop)>, &'static str> {
    let cut = explained.report.cut.as_ref().ok_or("read-as-another-form")?;
    let template = reader.templates().get(cut.template_idx).filter(|template| template.name == form);
    let template = template.ok_or("read-as-another-form")?;
    let of = (template.fields.get(field_idx), cut.cuts.get(field_idx), explained.fields.get(field_idx));
    let (Some(field), Some(ink), Some(scored)) = of else { return Err("read-as-another-form") };
    if field.kind.is_marked() {
        return Err("tick-box");
    }
    let FieldInk::Written(lattice) = &ink.ink else { return Err("no-ink-found") };
    let digits = cut_value(field, lattice, &scored.scores, value, reader.assemble_params()).ok_or("not-cut-apart")?;
    let inked = digits.iter().map(|cut| Some((cut.digit, lattice.edges.get(cut.edge_idx)?.crop.as_ref()?)));
    inked.collect::<Option<_>>().ok_or("not-cut-apart")
}

/// The ink of a digit as a picture, dark on white.
fn picture(crop: &InkCrop) -> GrayImage {
    let (width, height) = crop.ink.dimensions();
    let mut picture = GrayImage::from_pixel(width + 2 * MARGIN, height + 2 * MARGIN, Luma([255]));
    let mut ink = crop.ink.clone();
    imageops::invert(&mut ink);
    imageops::replace(&mut picture, &ink, MARGIN.into(), MARGIN.into());
    picture
}

/// Writes the folder.
struct Writer<'a> {
    folder: &'a Path,
    samples: csv::Writer<fs::File>,
    left_out: csv::Writer<fs::File>,
    report: SampleReport,
}

impl<'a> Writer<'a> {
    fn new(folder: &'a Path) -> Result<Self> {
        let create = |name: &str, first: &str| -> Result<_> {
            let mut table = csv::Writer::from_writer(fs::File::create(folder.join(name))?);
            write_row(&mut table, first, ["scan", "page", "field", "value"])?;
            Ok(table)
        };
        let samples = create("samples.csv", "picture")?;
        let left_out = create("left-out.csv", "reason")?;
        Ok(Self { folder, samples, left_out, report: SampleReport::default() })
    }

    /// Writes what people settled on a page.
    fn page(
        &mut self,
        page: &PageRows,
        settled: &[Settled<'_>],
        reader: &Reader,
        explained: Result<&PageExplanation, &'static str>,
    ) -> Result<()> {
        let (number, mut n_of_page) = (page.page.to_string(), 0);
        for settled in settled {
            let of = [page.scan.as_str(), &number, settled.field, settled.answer.text()];
            let digits = match explained.and_then(|explained| cut(explained, reader, &page.form, settled)) {
                Ok(digits) => digits,
                Err(reason) => {
                    *self.report.left_out.entry(reason).or_default() += 1;
                    write_row(&mut self.left_out, reason, of)?;
                    continue;
                }
            };
            self.report.pages += u64::from(n_of_page == 0);
            self.report.fields += 1;
            for (digit, crop) in digits {
                n_of_page += 1;
                let class = format!("page-{:06}/{digit}", self.report.pages);
                let name = format!("{class}/{n_of_page:04}.png");
                fs::create_dir_all(self.folder.join(class))?;
                let saved = picture(crop).save(self.folder.join(&name));
                saved.map_err(|error| Error::from(std::io::Error::other(error)).in_file(&name))?;
                write_row(&mut self.samples, &name, of)?;
                self.report.digits += 1;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<SampleReport> {
        self.samples.flush()?;
        self.left_out.flush()?;
        Ok(self.report)
    }
}

fn write_row(table: &mut csv::Writer<fs::File>, first: &str, of: [&str; 4]) -> Result<()> {
    table.write_record([first].into_iter().chain(of)).map_err(|error| Error::from(std::io::Error::other(error)))
}

/// For people.
impl fmt::Display for SampleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pictures: {} digits of {} fields on {} pages", self.digits, self.fields, self.pages)?;
        writeln!(f, "held out: {} fields on {} pages", self.held_out_fields, self.held_out_pages)?;
        writeln!(f, "settled fields without pictures: {}", self.left_out.values().sum::<u64>())?;
        self.left_out.iter().try_for_each(|(reason, n)| writeln!(f, "  {reason:42}{n:>8}"))
    }
}
