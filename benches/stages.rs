//! Benchmarks of each stage, on drawn pages: `cargo bench`, or `make bench`.
//!
//! Throughput is in pixels for decoding and registration, in fields for the stages after them, and in glyphs and strips for the
//! nets.

use std::{
    hint::black_box,
    slice,
    time::{Duration, Instant},
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use formread_core::{
    assemble::{
        AcceptTable, Alternative, FieldState, FieldValue, PageReading, PageRecord, RuleParams, UnconstrainedReading,
        reconcile,
    },
    form::{Field, FormTemplate, known_templates},
    normalise::GlyphBatch,
    reader::Reader,
    recognise::{FnBackend, GlyphClassifier, GlyphsOnly},
    register::{RegisterParams, identify},
    scores::GlyphScores,
};
use formread_page as page;
use formread_page::{Limits, Page};
use formread_raster::{error::Result, geometry::Rect};
use formread_tools::synth::{
    Degradations, Entry, GlyphStock, ScanFormat, SynthOptions, draw_values, encode_scan, synthesise,
};
use image::{GrayImage, Luma};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Reads every glyph as 1, so that the other stages are measured without the nets.
struct FakeClassifier;

impl GlyphClassifier for FakeClassifier {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let mut digits = [0.0; 10];
        digits[1] = 1.0;
        Ok(vec![GlyphScores::of_digit(digits); batch.n_glyphs])
    }
}

/// Upright strokes of ten widths, in place of handwritten digits.
fn strokes() -> GlyphStock {
    let stroke = |digit: u8| {
        let ink = GrayImage::from_fn(20, 28, |x, y| {
            let is_ink = (4..24).contains(&y) && (6..8 + u32::from(digit) / 2).contains(&x);
            Luma([if is_ink { 255 } else { 0 }])
        });
        (ink, digit, None)
    };
    GlyphStock::new((0..10).map(stroke)).expect("the stock has every digit")
}

fn tax_return() -> FormTemplate {
    let templates = known_templates().expect("the templates parse");
    templates.into_iter().find(|template| template.name == "tax-return").expect("the template exists")
}

fn stages(criterion: &mut Criterion) {
    let template = tax_return();
    let options = SynthOptions { degradations: Degradations::MODERATE, ..SynthOptions::default() };
    let page = synthesise(&template, &strokes(), &options, 0).expect("the options are in their range").image;
    let templates = known_templates().expect("the templates parse");

    let n_pixels = Throughput::Elements(u64::from(page.width()) * u64::from(page.height()));
    let n_fields = Throughput::Elements(template.fields.len() as u64);

    let mut group = criterion.benchmark_group("pixels of a page");
    group.throughput(n_pixels).sample_size(20);
    for (name, format) in [("png", ScanFormat::Png), ("jpeg", ScanFormat::Jpeg), ("g4", ScanFormat::TiffBilevel)] {
        let bytes = encode_scan(std::slice::from_ref(&page), format, options.dpi).expect("it can be encoded");
        group.bench_function(format!("decode {name}"), |b| {
            b.iter(|| page::open(black_box(&bytes), &Limits::default()).expect("it was encoded").next());
        });
    }
    let page = Page::upright(page, Some(options.dpi));
    let params = RegisterParams::default();
    group.bench_function("register, all templates", |b| b.iter(|| identify(black_box(&page), &templates, &params)));
    let one = std::slice::from_ref(&template);
    group.bench_function("register, its own template", |b| b.iter(|| identify(black_box(&page), one, &params)));
    group.finish();

    let make = || Ok(GlyphsOnly(FakeClassifier));
    let reader = Reader::builder()
        .templates(templates)
        .backend(FnBackend::new("fake", make))
        .build()
        .expect("there are templates");
    let register = || reader.stages().register(&page).expect("the page is of a known form");
    let mut group = criterion.benchmark_group("fields of a page");
    group.throughput(n_fields).sample_size(20);
    group.bench_function("segment", |b| {
        b.iter_batched(register, |(idx, at)| reader.stages().cut(black_box(&page), idx, at), BatchSize::LargeInput);
    });
    let cut = || {
        let (idx, at) = register();
        reader.stages().cut(&page, idx, at)
    };
    group.bench_function("normalise", |b| {
        b.iter_batched(cut, |cut| reader.stages().normalise(1, black_box(&page), cut), BatchSize::LargeInput);
    });
    let score = || {
        let mut prepared = vec![reader.stages().prepare(1, &page)];
        reader.stages().recognise(&mut prepared).expect("the fake does not fail").swap_remove(0)
    };
    group.bench_function("assemble", |b| {
        b.iter_batched(score, |scored| reader.stages().finish(scored), BatchSize::LargeInput);
    });
    group.bench_function("decoded page to record, without the net", |b| {
        b.iter(|| reader.stages().read_page(1, black_box(&page)));
    });
    group.finish();

    rules(criterion, &template);

    #[cfg(feature = "torch")]
    nets(criterion, &reader.stages().explain_page(1, &page).expect("the fake does not fail").fields);
}

/// Number of tax returns on which the rules are timed.
const N_RETURNS: u64 = 1_000;
/// The page at this share of the pages, sorted by time, is also timed alone.
const PERCENTILE: f64 = 0.99;

/// The rules of a tax return: all pages, and the page at the 99th percentile.
///
/// A tenth of the readings are doubtful. The sums hold except for those.
fn rules(criterion: &mut Criterion, template: &FormTemplate) {
    let params = AcceptTable::default();
    let returns: Vec<PageRecord> = (0..N_RETURNS).map(|seed| read_return(template, seed)).collect();
    let reconcile_page = |page: &PageRecord| {
        let mut page = page.clone();
        reconcile(slice::from_ref(template), slice::from_mut(&mut page), &params, &RuleParams::default());
        page
    };
    let mut times: Vec<(Duration, &PageRecord)> = returns
        .iter()
        .map(|page| {
            let start = Instant::now();
            black_box(reconcile_page(page));
            (start.elapsed(), page)
        })
        .collect();
    times.sort_by_key(|(time, _)| *time);
    let slow = times[(PERCENTILE * N_RETURNS as f64) as usize].1;
    let mut group = criterion.benchmark_group("rules of a tax return");
    group.throughput(Throughput::Elements(N_RETURNS)).sample_size(20);
    group.bench_function("1,000 pages", |b| {
        b.iter(|| returns.iter().map(reconcile_page).for_each(|f| drop(black_box(f))))
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("the page at the 99th percentile", |b| b.iter(|| reconcile_page(black_box(slow))));
    group.finish();
}

/// The reading of a random tax return.
fn read_return(template: &FormTemplate, seed: u64) -> PageRecord {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let entries = draw_values(template, 0.1, &mut rng).expect("its rules can be kept");
    let read_field = |(field, entry): (&Field, Entry)| {
        let mut other = entry.value.clone().into_bytes();
        let last_digit = other.iter().rposition(u8::is_ascii_digit).unwrap_or(0);
        if let Some(digit) = other.get_mut(last_digit) {
            *digit = b'0' + rng.random_range(0..10);
        }
        let other = String::from_utf8(other).expect("they are digits");
        let confidence = if rng.random_bool(0.1) { rng.random_range(0.3..0.97) } else { 0.998 };
        let mut readings = vec![(entry.value.clone(), confidence), (other, (1.0 - confidence) / 2.0)];
        for _ in 0..4 {
            readings.push((format!("{}", rng.random_range(0..100_000)), (1.0 - confidence) / 10.0));
        }
        let is_blank = entry.value.is_empty();
        let alternatives = readings.into_iter().map(|(text, probability)| Alternative { text, probability });
        let unconstrained = UnconstrainedReading {
            state: if is_blank { FieldState::Blank } else { FieldState::Accepted },
            guess: entry.value,
            confidence: if is_blank { 1.0 } else { confidence },
            is_settled: false,
        };
        FieldValue {
            name: field.name.clone(),
            state: unconstrained.state.clone(),
            guess: unconstrained.guess.clone(),
            alternatives: if is_blank { Vec::new() } else { alternatives.collect() },
            correction: None,
            confidence: unconstrained.confidence,
            unconstrained,
            bounds: Rect::default(),
            quarter_turns: 0,
            residual_px: None,
        }
    };
    let fields = template.fields.iter().zip(entries).map(read_field).collect();
    PageRecord {
        page: 1,
        reading: PageReading::Read {
            form: template.name.clone(),
            fields,
            residual_px: 0.0,
            has_writing_outside: false,
        },
    }
}

/// Number of workers that use the nets at the same time.
#[cfg(feature = "torch")]
const WORKERS: usize = 2;

#[cfg(feature = "torch")]
fn nets(criterion: &mut Criterion, fields: &[formread_core::reader::ScoredField]) {
    use formread_torch::{ConvNet, Weights, set_threads};

    set_threads(1);
    let weights = Weights::shipped().expect("the shipped weights are valid");
    // With the precision that a run chooses.
    let net = || ConvNet::new(&weights, formread_torch::fastest_compute()).expect("they fit");
    let mut nets: Vec<ConvNet> = (0..WORKERS).map(|_| net()).collect();
    let mut on_all_workers = |work: &(dyn Fn(&mut ConvNet) + Sync)| {
        std::thread::scope(|scope| {
            for net in &mut nets {
                scope.spawn(move || work(net));
            }
        });
    };
    let glyphs = formread_core::normalise::collate(fields.iter().flat_map(|field| field.glyphs.iter().flatten()));
    let strips: Vec<_> = fields.iter().filter_map(|field| field.strip.as_ref()).collect();
    let mut group = criterion.benchmark_group("net, two workers");
    group.throughput(Throughput::Elements((WORKERS * glyphs.n_glyphs) as u64));
    group.bench_function("glyphs, one view", |b| {
        b.iter(|| on_all_workers(&|net| drop(net.classify(black_box(&glyphs)).expect("LibTorch works"))));
    });
    group.bench_function("glyphs, test-time augmentation where doubtful", |b| {
        b.iter(|| {
            on_all_workers(&|net| {
                let mut scores = net.classify(black_box(&glyphs)).expect("LibTorch works");
                net.refine_glyphs(&glyphs, &mut scores).expect("LibTorch works");
            });
        });
    });
    group.throughput(Throughput::Elements((WORKERS * strips.len()) as u64));
    for (name, is_refined) in [("strips, one view", false), ("strips, test-time augmentation where doubtful", true)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                on_all_workers(&|net| {
                    let mut scores = net.read_strips(black_box(&strips)).expect("LibTorch works");
                    if is_refined {
                        net.refine_strips(&mut strips.iter().copied().zip(&mut scores).collect::<Vec<_>>())
                            .expect("LibTorch works");
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
