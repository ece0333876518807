//! Drawn fields in every state, read with the shipped weights: each state gets its own reason, and a mark that is not a
//! number is not accepted as one.

use std::collections::BTreeMap;

use formread_core::{
    assemble::{FieldState, PageReading},
    form::FieldLayout,
};
use formread_page::Page;
use formread_torch::{TorchBackend, Weights};

use crate::{
    drawn_states::{PX_PER_MM, State, form, page},
    util::digits_of_fixtures,
};

/// Number of drawn pages.
const N_PAGES: usize = 6;

/// Results for the fields of one state.
#[derive(Debug, Default)]
struct Outcomes {
    n: usize,
    /// Accepted with the number that was written last.
    right: usize,
    /// Accepted with another number.
    wrong: usize,
    /// Not accepted: counts by the word of the reason, or `blank`.
    others: BTreeMap<String, usize>,
}

impl Outcomes {
    fn share(&self, count: usize) -> f64 {
        count as f64 / self.n.max(1) as f64
    }

    fn share_of(&self, word: &str) -> f64 {
        self.share(self.others.get(word).copied().unwrap_or(0))
    }
}

/// Draws and reads all pages. Returns the results by state, apart for combs (`true`) and boxes.
fn read_all() -> BTreeMap<(bool, State), Outcomes> {
    let (form, stock) = (form(), digits_of_fixtures());
    let weights = Weights::shipped().expect("the shipped weights are valid");
    let reader = formread::Reader::builder()
        .templates(vec![form.clone()])
        .backend(TorchBackend::new(weights, formread_core::scores::Compute::default()))
        .build()
        .expect("there is a template");
    let mut outcomes: BTreeMap<(bool, State), Outcomes> = BTreeMap::new();
    for i in 0..N_PAGES {
        let drawn = page(&form, &stock, 1, i);
        let scan = Page::upright(drawn.image, Some(25.4 * PX_PER_MM));
        let record = reader.stages().read_page(1, &scan).expect("the net does not fail").record;
        let PageReading::Read { fields, .. } = record.reading else { panic!("{:?}", record.reading) };
        for ((field, value), (state, number)) in form.fields.iter().zip(fields).zip(drawn.fields) {
            let is_comb = matches!(field.layout, FieldLayout::Comb { .. });
            let outcome = outcomes.entry((is_comb, state)).or_default();
            outcome.n += 1;
            let word = match value.state {
                FieldState::Accepted if value.guess == number => {
                    outcome.right += 1;
                    continue;
                }
                FieldState::Accepted => {
                    outcome.wrong += 1;
                    continue;
                }
                FieldState::Blank => "blank".to_owned(),
                FieldState::Review(reason) => reason.word().into_owned(),
            };
            *outcome.others.entry(word).or_default() += 1;
        }
    }
    outcomes
}

#[test]
fn field_in_every_state_is_recognised() {
    let outcomes = read_all();
    let table = || outcomes.iter().map(|((comb, state), of)| format!("{comb} {state:?} {of:?}\n")).collect::<String>();
    println!("{}", table());
    for (&(is_comb, state), of) in &outcomes {
        let is_within_bounds = match state {
            State::Blank => of.share_of("blank") == 1.0,
            State::OffPage => of.share_of("off-page") == 1.0,
            State::Number => of.share(of.right) >= 0.65 && of.share(of.wrong) <= 0.04,
            State::Zero => of.share(of.right) >= 0.85 && of.wrong == 0,
            // Fillers of a comb whose template declares their meaning. In a box they are not a number.
            State::Crosses | State::Dash if is_comb => of.share(of.right) >= 0.8 && of.wrong == 0,
            State::Overflow => of.share_of("overflow") >= 0.8 && of.right + of.wrong == 0,
            // What a scribble hides has several names, and no value.
            State::ScribbledOver | State::Crosses | State::Dash | State::Scribble => {
                of.right + of.wrong == 0 && of.share_of("blank") == 0.0
            }
            // A known weakness: a line or a second digit can look like one digit of an unusual hand, or hide the first one.
            State::StruckOut => {
                of.share_of("struck-out") + of.share_of("overwritten") > 0.5
                    && of.share(of.right) <= 0.25
                    && of.wrong <= 1
            }
            State::Overwritten => of.share_of("overwritten") >= 0.5 && of.share(of.right + of.wrong) <= 0.3,
        };
        assert!(is_within_bounds, "{state:?}, in a comb: {is_comb}: {of:?}\n{}", table());
    }
}
