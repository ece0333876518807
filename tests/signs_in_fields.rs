//! Fields with writing that is no number of their kind, on several forms, by several hands: what is on the paper beside the
//! expected digits is not dropped.

use std::collections::BTreeMap;

use formread_core::{
    assemble::{FieldState, PageReading},
    form::{FormTemplate, known_templates, parse_template},
    reader::Reader,
};
use formread_page::Page;
use formread_tools::synth::{Degradations, GlyphStock, HostileKind, HostileKinds, SynthOptions, SynthPage, synthesise};
use formread_torch::TorchBackend;
use rayon::prelude::*;

use crate::util::digits_of_fixtures;

/// What is written in a field or at its frame. What is written beside fields is in `outside`; what two people may read in two ways,
/// such as a number in a ring, is measured with the decks of docs/accuracy.md.
const KINDS: [HostileKind; 18] = [
    HostileKind::Minus,
    HostileKind::TrailingMinus,
    HostileKind::Point,
    HostileKind::LeadingPoint,
    HostileKind::Slash,
    HostileKind::DashBetween,
    HostileKind::Colon,
    HostileKind::Space,
    HostileKind::Relation,
    HostileKind::CrossBefore,
    HostileKind::Roman,
    HostileKind::Parentheses,
    HostileKind::CurrencyPercent,
    HostileKind::Letters,
    HostileKind::Ditto,
    HostileKind::SlashForNil,
    HostileKind::Overflow,
    HostileKind::Scribble,
];

/// What became of the fields of one kind; `None`: ordinary fields.
#[derive(Debug, Default)]
struct Outcome {
    n: usize,
    right: usize,
    /// Accepted, or blank, and not what is on the paper.
    wrong: Vec<String>,
}

/// A form with combs and boxes, one of boxes with signed numbers and written points, and one of boxes alone.
fn forms() -> Vec<FormTemplate> {
    let shipped = known_templates().expect("the templates parse").into_iter();
    let mut forms: Vec<FormTemplate> =
        shipped.filter(|form| ["tax-return", "nist-hsf"].contains(&form.name.as_str())).collect();
    let cash_book = std::fs::read_to_string("fixtures/signs/cash-book.toml").expect("it is a fixture");
    forms.push(parse_template(&cash_book).expect("it parses"));
    // sums that hostile writing breaks would hide what the fields by themselves become
    forms.iter_mut().for_each(|form| form.rules.clear());
    forms
}

/// Draws pages of every kind until there are `n_each` fields of it, reads them, and counts what became of them.
fn outcomes(n_each: usize) -> BTreeMap<Option<HostileKind>, Outcome> {
    let digits: Vec<_> = digits_of_fixtures().into_iter().map(|(ink, digit)| (ink, digit, None)).collect();
    let stock = GlyphStock::new(digits).expect("the stock has every digit");
    let forms = forms();
    let readers: Vec<Reader> = forms
        .iter()
        .map(|form| {
            let backend = TorchBackend::shipped().expect("the weights fit");
            Reader::builder().templates([form.clone()]).backend(backend).build().expect("a template is given")
        })
        .collect();
    let of_kind = |kind: HostileKind| {
        let mut outcomes: BTreeMap<Option<HostileKind>, Outcome> = BTreeMap::new();
        for page_idx in 0..20 * n_each as u64 {
            if outcomes.get(&Some(kind)).is_some_and(|outcome| outcome.n >= n_each) {
                break;
            }
            let which = page_idx as usize % forms.len();
            let degradations = [Degradations::NONE, Degradations::MODERATE][page_idx as usize / forms.len() % 2];
            let options = SynthOptions {
                seed: 7,
                dpi: 200.0,
                touching: 0.05,
                hostile: 0.5,
                hostile_kinds: HostileKinds::from_iter([kind]),
                degradations,
                ..SynthOptions::default()
            };
            let page = synthesise(&forms[which], &stock, &options, page_idx).expect("the options are in range");
            count(&readers[which], kind, page, &mut outcomes);
        }
        outcomes
    };
    let mut all: BTreeMap<Option<HostileKind>, Outcome> = BTreeMap::new();
    for outcomes in KINDS.into_par_iter().map(of_kind).collect::<Vec<_>>() {
        for (kind, outcome) in outcomes {
            let sum = all.entry(kind).or_default();
            sum.n += outcome.n;
            sum.right += outcome.right;
            sum.wrong.extend(outcome.wrong);
        }
    }
    all
}

fn count(reader: &Reader, kind: HostileKind, page: SynthPage, outcomes: &mut BTreeMap<Option<HostileKind>, Outcome>) {
    let SynthPage { image, truth, hostile, .. } = page;
    let record =
        reader.stages().read_page(1, &Page::upright(image, Some(200.0))).expect("the net does not fail").record;
    let PageReading::Read { fields, .. } = record.reading else { return };
    for (value, truth) in fields.iter().zip(&truth) {
        let is_hostile = hostile.iter().any(|mark| mark.field.as_deref() == Some(truth.name.as_str()));
        if truth.value == "?" || !is_hostile && truth.value.is_empty() {
            continue;
        }
        let outcome = outcomes.entry(is_hostile.then_some(kind)).or_default();
        outcome.n += 1;
        let booked = match value.state {
            FieldState::Accepted => value.guess.as_str(),
            FieldState::Blank => "",
            FieldState::Review(_) => continue,
        };
        if booked == truth.value {
            outcome.right += 1;
        } else {
            outcome.wrong.push(format!("{} {:?} for {}", truth.name, booked, truth.value));
        }
    }
}

fn assert_within_bounds(n_each: usize) {
    let outcomes = outcomes(n_each);
    let table: String = outcomes
        .iter()
        .map(|(kind, Outcome { n, right, wrong })| {
            let kind = kind.map_or("ordinary", HostileKind::as_str);
            format!("{kind}: {n} fields, {right} right, {} wrong {wrong:?}\n", wrong.len())
        })
        .collect();
    println!("{table}");
    for kind in KINDS {
        let outcome = outcomes.get(&Some(kind)).unwrap_or_else(|| panic!("no field with {}\n{table}", kind.as_str()));
        assert!(outcome.n >= n_each, "{}\n{table}", kind.as_str());
        // one of sixty; a known weakness: a tilde before a signed number may be taken for a minus
        let allowed = if kind == HostileKind::Relation { 2 } else { 1 };
        assert!(60 * outcome.wrong.len() <= allowed * outcome.n.max(60), "{}\n{table}", kind.as_str());
    }
    let ordinary = outcomes.get(&None).expect("there are ordinary fields");
    assert!(100 * ordinary.right >= 78 * ordinary.n, "{table}");
    assert!(200 * ordinary.wrong.len() <= ordinary.n, "{table}");
}

#[test]
fn writing_that_is_no_number_is_not_booked() {
    assert_within_bounds(8);
}

#[test]
#[ignore = "takes minutes"]
fn torture_writing_that_is_no_number_is_not_booked() {
    assert_within_bounds(60);
}
