//! Helpers of the tests: forms, pages and answers made of a few words.

use formread_core::{
    assemble::{
        AcceptTable, Alternative, FieldState, FieldValue, PageReading, PageRecord, ReviewReason, RuleParams,
        UnconstrainedReading,
    },
    form::parse_template,
};
use formread_raster::geometry::Rect;

use crate::{
    answer::{Answer, Reading},
    solve::Rules,
};

/// The rules of a form `t` with integers of these names; `keys` are further lines of its template.
pub fn rules_of(keys: &str, fields: &[&str]) -> Rules {
    let field = |(i, name): (usize, &&str)| {
        format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [10, {}, 50, 8]\n", 10 * i + 10)
    };
    let height = 10 * fields.len() + 20;
    let head = format!("name = \"t\"\ntitle = \"t\"\npage = [100, {height}]\n{keys}\n");
    let text = head + &fields.iter().enumerate().map(field).collect::<String>();
    let template = parse_template(&text).unwrap_or_else(|error| panic!("{error}"));
    Rules { templates: vec![template], accept: AcceptTable::default(), params: RuleParams::default() }
}

/// A page of the form `t`: each field with its readings, the best first, and their probabilities.
pub fn record(page: u32, fields: &[(&str, &[(&str, f64)])]) -> PageRecord {
    let fields = fields.iter().map(|(name, readings)| value(name, readings)).collect();
    let reading = PageReading::Read { form: "t".to_owned(), fields, residual_px: 0.0, has_writing_outside: false };
    PageRecord { page, reading }
}

fn value(name: &str, readings: &[(&str, f64)]) -> FieldValue {
    let (guess, confidence) = readings.first().map_or(("", 1.0), |&(text, share)| (text, share));
    let alternative = |&(text, probability): &(&str, f64)| Alternative { text: text.to_owned(), probability };
    let state = match (guess.is_empty(), confidence >= 0.97) {
        (true, _) => FieldState::Blank,
        (_, true) => FieldState::Accepted,
        _ => FieldState::Review(ReviewReason::LowConfidence),
    };
    FieldValue {
        name: name.to_owned(),
        state: state.clone(),
        guess: guess.to_owned(),
        alternatives: readings.iter().map(alternative).collect(),
        unconstrained: UnconstrainedReading { state, guess: guess.to_owned(), confidence, is_settled: false },
        correction: None,
        confidence,
        bounds: Rect::from_xywh(10.0, 20.0, 60.0, 20.0),
        quarter_turns: 0,
        residual_px: None,
    }
}

/// An answer of `who`: a value, nothing for blank, `?` for illegible.
pub fn person(who: &str, text: &str) -> Reading {
    let answer = match text {
        "" => Answer::Blank,
        "?" => Answer::Illegible,
        text => Answer::Value(text.to_owned()),
    };
    Reading::keyed(&format!("{who}-{text}"), who, answer)
}
