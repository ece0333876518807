//! Each stage by itself, on pages that are drawn for it.
//!
//! `cargo bench`, or `make bench`. Throughput is in pages, but for the nets: in glyphs, and in strips.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use formread::{
    error::Result,
    form::{FormTemplate, known_templates},
    net::{GlyphScores, Recogniser},
    normalise::GlyphBatch,
    page::{self, Limits, Page},
    reader::Reader,
    register::{RegisterParams, identify},
    segment::segment,
    synth::{Degradations, GlyphStock, ScanFormat, SynthOptions, encode_scan, synthesise},
};
use image::{GrayImage, Luma};

/// Says "1" of everything: what the net costs is measured by itself.
struct Fake;

impl Recogniser for Fake {
    fn classify(&mut self, batch: &GlyphBatch) -> Result<Vec<GlyphScores>> {
        let mut digits = [0.0; 10];
        digits[1] = 1.0;
        Ok(vec![GlyphScores { digits, classes: [1.0, 0.0, 0.0, 0.0] }; batch.n_glyphs])
    }
}

/// Upright strokes of ten widths stand in for handwriting: no glyphs are carried for the benches.
fn strokes() -> GlyphStock {
    let stroke = |digit: u8| {
        let ink = GrayImage::from_fn(20, 28, |x, y| {
            let is_ink = (4..24).contains(&y) && (6..8 + u32::from(digit) / 2).contains(&x);
            Luma([if is_ink { 255 } else { 0 }])
        });
        (ink, digit, None)
    };
    GlyphStock::new((0..10).map(stroke)).expect("there is one of each")
}

fn tax_return() -> FormTemplate {
    let templates = known_templates().expect("the templates that are carried parse");
    templates.into_iter().find(|template| template.name == "tax-return").expect("it is carried")
}

fn stages(criterion: &mut Criterion) {
    let template = tax_return();
    let options = SynthOptions { degradations: Degradations::MODERATE, ..SynthOptions::default() };
    let page = synthesise(&template, &strokes(), &options, 0).expect("the options are in their range").image;
    let templates = known_templates().expect("the templates that are carried parse");

    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(1)).sample_size(20);
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
    let (_, registration) = identify(&page, one, &params).expect("it is that form");
    group.bench_function("segment", |b| b.iter(|| segment(black_box(&page), &registration, &template)));

    let make = || -> Result<Box<dyn Recogniser>> { Ok(Box::new(Fake)) };
    let reader = Reader::new(templates, "fake".to_owned(), Box::new(make)).expect("there are templates");
    group.bench_function("decoded page to record, without the net", |b| {
        b.iter(|| reader.read_page(1, black_box(&page)));
    });
    group.finish();

    #[cfg(feature = "torch")]
    nets(criterion, &reader.prepare(1, &page));
}

/// Workers that read side by side.
#[cfg(feature = "torch")]
const WORKERS: usize = 2;

#[cfg(feature = "torch")]
fn nets(criterion: &mut Criterion, page: &formread::reader::PreparedPage) {
    use formread::net::{ConvNet, Weights, set_threads};

    set_threads(1);
    let weights = Weights::shipped().expect("they are carried");
    let mut nets: Vec<ConvNet> = (0..WORKERS).map(|_| ConvNet::from_weights(&weights).expect("they fit")).collect();
    let mut side_by_side = |work: &(dyn Fn(&mut ConvNet) + Sync)| {
        std::thread::scope(|scope| {
            for net in &mut nets {
                scope.spawn(move || work(net));
            }
        });
    };
    let glyphs = formread::normalise::collate(page.glyphs());
    let strips: Vec<_> = page.strips().collect();
    let mut group = criterion.benchmark_group("net, two workers");
    group.throughput(Throughput::Elements((WORKERS * glyphs.n_glyphs) as u64));
    group.bench_function("glyphs", |b| {
        b.iter(|| side_by_side(&|net| drop(net.classify(black_box(&glyphs)).expect("LibTorch works"))));
    });
    group.throughput(Throughput::Elements((WORKERS * strips.len()) as u64));
    group.bench_function("strips", |b| {
        b.iter(|| {
            side_by_side(&|net| {
                for strip in &strips {
                    net.read_strip(black_box(strip)).expect("LibTorch works");
                }
            });
        });
    });
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
