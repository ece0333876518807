//! Scores values field by field against ground truth: the share that is right when every guess counts, and the share of
//! errors among accepted values; in total, by field, by kind and by form.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::Serialize;

use super::{
    CurvePoint, DigitScore, MarkTally, Reliability, SCORE_CERTAINTY, Tally, TruthField, error_reject_curve,
    marks::write_marks,
    tally::{serialise_map_with_rates, serialise_with_rates},
};
use formread_core::form::FormTemplate;

/// The score of a run, in total and by parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ValueScore {
    /// All fields.
    #[serde(flatten, serialize_with = "serialise_with_rates")]
    pub total: Tally,
    /// By form; pages whose form is not known have the empty name.
    #[serde(serialize_with = "serialise_map_with_rates")]
    pub by_form: BTreeMap<String, Tally>,
    /// By kind, as in templates; fields of unknown forms have the empty name.
    #[serde(serialize_with = "serialise_map_with_rates")]
    pub by_kind: BTreeMap<String, Tally>,
    /// By field name.
    #[serde(serialize_with = "serialise_map_with_rates")]
    pub by_field: BTreeMap<String, Tally>,
    /// By the kind of writing in the field, from [`super::score_marks`]; empty if no kinds are given.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_mark: BTreeMap<String, MarkTally>,
    /// Scored and illegible fields that were not read right, in the order of the truth.
    pub wrong: Vec<WrongField>,
    /// Score of the digits.
    pub digits: DigitScore,
    /// Calibration of the confidence, over all fields that count and whose guess is a number.
    pub reliability: Reliability,
    /// Error-reject curve of the same fields. Fields in review for another reason than low confidence are in it by their
    /// confidence.
    pub error_reject: Vec<CurvePoint>,
}

/// A field whose reading differs from the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongField {
    /// The file.
    pub scan: String,
    /// The page.
    pub page: String,
    /// The field.
    pub field: String,
    /// What is written, from the truth.
    pub truth: String,
    /// The best reading; empty for blank or not read.
    pub guess: String,
    /// `accepted`, `blank`, `review` or `missing`.
    pub state: String,
}

/// Scores `fields`, the tables of a run joined with the truth. `templates` define the kinds of the fields.
pub fn score_values(fields: &[TruthField], templates: &[FormTemplate]) -> ValueScore {
    let mut kinds = HashMap::new();
    for template in templates {
        let of_fields = template.fields.iter().map(|field| (field.name.as_str(), field.kind.as_str()));
        kinds.extend(of_fields.map(|(field, kind)| ((template.name.as_str(), field), kind)));
    }
    let mut score = ValueScore::default();
    let mut judged = Vec::new();
    for of in fields {
        let Some((tally, is_right)) = Tally::of(of) else { continue };
        let kind = kinds.get(&(of.form.as_str(), of.field.as_str())).copied().unwrap_or_default();
        score.total.add(&tally);
        score.by_form.entry(of.form.clone()).or_default().add(&tally);
        score.by_kind.entry(kind.to_owned()).or_default().add(&tally);
        score.by_field.entry(of.field.clone()).or_default().add(&tally);
        judged.extend(of.number().map(|answer| (answer.confidence, is_right && of.truth != "!")));
        if !is_right {
            score.wrong.push(WrongField::new(of));
        }
    }
    score.digits = DigitScore::of(fields);
    score.reliability = Reliability::of(&judged);
    score.error_reject = error_reject_curve(&judged);
    score
}

impl WrongField {
    fn new(of: &TruthField) -> Self {
        let (state, guess) = of.answer.as_ref().map_or(("missing", ""), |a| (&a.state, &a.guess));
        let TruthField { scan, page, field, truth, .. } = of.clone();
        Self { scan, page, field, truth, guess: guess.to_owned(), state: state.to_owned() }
    }
}

/// A table for people.
impl fmt::Display for ValueScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.by_field.keys().chain(self.by_form.keys()).map(|name| name.chars().count());
        let width = names.max().unwrap_or(0).max("all fields".len());
        let row = |f: &mut fmt::Formatter<'_>, name: &str, t: &Tally| {
            let share = |part: u64, whole: u64| format!("{part}/{whole} {}", percent(part, whole));
            let forced = share(t.forced_correct, t.fields);
            let numbers = share(t.number_correct, t.number_fields);
            let blanks = format!("{}/{}", t.blank_correct, t.blank_fields);
            let (lost, wrong) = (t.number_lost, format!("{}/{}", t.accepted_wrong, t.accepted));
            let bound = 100.0 * t.accepted_wrong_bound();
            writeln!(
                f,
                "{name:width$}  {forced:>18}  {numbers:>18}  {blanks:>9}  {lost:>4}  {wrong:>14}  {bound:>6.2} %"
            )
        };
        let of_kind = |kind: &str| if kind.is_empty() { "(unknown kind)".to_owned() } else { format!("({kind})") };
        write!(f, "{:width$}  {:>18}  {:>18}  ", "", "forced right", "numbers right")?;
        writeln!(f, "{:>9}  {:>4}  {:>14}  {:>8}", "blanks", "lost", "accepted wrong", "at most")?;
        for (name, tally) in &self.by_field {
            row(f, name, tally)?;
        }
        writeln!(f)?;
        for (kind, tally) in &self.by_kind {
            row(f, &of_kind(kind), tally)?;
        }
        writeln!(f)?;
        for (name, tally) in &self.by_form {
            row(f, if name.is_empty() { "(no form)" } else { name }, tally)?;
        }
        writeln!(f)?;
        row(f, "all fields", &self.total)?;
        if !self.by_mark.is_empty() {
            write_marks(f, &self.by_mark)?;
        }
        let certainty = 100.0 * SCORE_CERTAINTY;
        writeln!(f, "forced right: the best reading is right, accepted or not; lost: numbers read as blank")?;
        writeln!(f, "at most: upper bound on the share of errors among accepted, {certainty} % certain")?;
        write!(f, "\n{}\n{}", self.digits, self.reliability)?;
        writeln!(f, "\n{:>8}  {:>10}  {:>14}  {:>8}  {:>8}", "accepted", "confidence", "wrong", "error", "at most")?;
        for CurvePoint { share, min_confidence, accepted, wrong, error, bound } in &self.error_reject {
            let (share, of, error, bound) =
                (100.0 * share, format!("{wrong}/{accepted}"), 100.0 * error, 100.0 * bound);
            writeln!(f, "{share:>6.1} %  {min_confidence:>10.4}  {of:>14}  {error:>6.2} %  {bound:>6.2} %")?;
        }
        let Tally { number_lost, illegible_fields, illegible_accepted, missing, .. } = self.total;
        writeln!(f, "\nnumbers read as blank: {number_lost}")?;
        writeln!(f, "illegible but accepted: {illegible_accepted} of {illegible_fields}")?;
        writeln!(f, "not in the table: {missing}")?;
        if !self.wrong.is_empty() {
            writeln!(f, "\nread wrong:")?;
        }
        for WrongField { scan, page, field, truth, guess, state } in &self.wrong {
            writeln!(f, "  {scan} page {page} {field}: truth {truth:?}, read {guess:?} ({state})")?;
        }
        Ok(())
    }
}

/// A percentage such as `97.5 %`; empty if `whole` is 0.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { String::new() } else { format!("{:5.1} %", 100.0 * part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::join_tables;
    use formread_core::form::known_templates;

    const OUT: &str =
        "scan,page,form,verdict,attention,a,b\nx.png,1,f,review,b,12,\ny.png,1,,rejected,unknown-form,,\n";

    fn score(fields: &[(&str, &str, &str)], truth: &str) -> ValueScore {
        let mut table = "scan,page,form,field,state,value,guess,confidence,reason,x0,y0,x1,y1\n".to_owned();
        for (field, state, guess) in fields {
            table.push_str(&format!("x.png,1,f,{field},{state},,{guess},0.5,,0,0,1,1\n"));
        }
        let fields = join_tables(OUT.as_bytes(), table.as_bytes(), truth.as_bytes()).expect("the tables are sound");
        score_values(&fields, &[])
    }

    #[test]
    fn every_combination_of_truth_and_state_is_counted_once() {
        struct Case {
            truth: &'static str,
            state: &'static str,
            guess: &'static str,
            expected: Tally,
        }
        let number = Tally { fields: 1, number_fields: 1, ..Tally::default() };
        let blank = Tally { fields: 1, blank_fields: 1, ..Tally::default() };
        let illegible = Tally { illegible_fields: 1, ..Tally::default() };
        let cases = [
            Case {
                truth: "12",
                state: "accepted",
                guess: "12",
                expected: Tally { forced_correct: 1, number_correct: 1, accepted: 1, ..number },
            },
            Case {
                truth: "12",
                state: "review",
                guess: "12",
                expected: Tally { forced_correct: 1, number_correct: 1, ..number },
            },
            Case { truth: "012", state: "review", guess: "12", expected: number },
            Case {
                truth: "12",
                state: "accepted",
                guess: "17",
                expected: Tally { accepted: 1, accepted_wrong: 1, ..number },
            },
            Case { truth: "12", state: "blank", guess: "", expected: Tally { number_lost: 1, ..number } },
            Case {
                truth: "",
                state: "blank",
                guess: "",
                expected: Tally { forced_correct: 1, blank_correct: 1, ..blank },
            },
            Case { truth: "", state: "review", guess: "", expected: Tally { forced_correct: 1, ..blank } },
            Case {
                truth: "",
                state: "accepted",
                guess: "0",
                expected: Tally { accepted: 1, accepted_wrong: 1, ..blank },
            },
            Case { truth: "!", state: "review", guess: "3", expected: illegible },
            Case {
                truth: "!",
                state: "accepted",
                guess: "3",
                expected: Tally { accepted: 1, accepted_wrong: 1, illegible_accepted: 1, ..illegible },
            },
            Case { truth: "?", state: "accepted", guess: "3", expected: Tally::default() },
        ];
        for Case { truth, state, guess, expected } in cases {
            let score = score(&[("a", state, guess)], &format!("scan,page,a\nx.png,1,{truth}\n"));
            assert_eq!(score.total, expected, "truth {truth:?}, {state} {guess:?}");
        }
    }

    #[test]
    fn field_missing_from_the_table_counts_as_not_read() {
        let score = score(&[("a", "accepted", "12")], "scan,page,a,b\nx.png,1,12,5\ny.png,1,3,\nz.png,2,4,!\n");
        let want = Tally {
            fields: 5,
            forced_correct: 1,
            accepted: 1,
            number_fields: 4,
            number_correct: 1,
            blank_fields: 1,
            illegible_fields: 1,
            missing: 4,
            ..Tally::default()
        };
        assert_eq!(score.total, want);
        assert_eq!(score.by_form["f"].fields + score.by_form[""].fields, 5);
        assert_eq!(score.wrong.len(), 4);
        assert!(score.to_string().contains("z.png page 2 a: truth \"4\", read \"\" (missing)"));
    }

    #[test]
    fn score_by_kind_uses_the_kinds_of_known_forms() {
        let out = "scan,page,form\nx.png,1,tax-return\ny.png,1,other\n";
        let fields = "scan,page,field,state,guess,confidence\nx.png,1,zip,accepted,06164,1\n";
        let truth = "scan,page,zip,line11_tax\nx.png,1,06164,58.36\ny.png,1,12345,?\n";
        let fields = join_tables(out.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect("the tables are sound");
        let score = score_values(&fields, &known_templates().expect("they parse"));
        let kinds: Vec<(&str, u64)> = score.by_kind.iter().map(|(kind, t)| (kind.as_str(), t.fields)).collect();
        assert_eq!(kinds, [("", 1), ("amount", 1), ("code", 1)]);
    }

    #[test]
    fn score_json_has_rates_and_the_contracted_counts() {
        let score = score(&[("a", "accepted", "12"), ("b", "accepted", "5")], "scan,page,a,b\nx.png,1,12,6\n");
        let json = serde_json::to_value(&score).expect("it is plain data");
        let total = ["fields", "forced_correct", "accepted", "accepted_wrong", "blank_correct"].map(|key| &json[key]);
        assert_eq!(total, [2, 1, 2, 1, 0]);
        assert_eq!(json["forced_accuracy"], 0.5);
        assert_eq!(json["by_field"]["a"]["accepted_wrong"], 0);
        let bound = json["by_field"]["a"]["accepted_wrong_bound"].as_f64().expect("it is a number");
        assert!((bound - 0.95).abs() < 1e-9, "one sample, none wrong: {bound}");
        assert_eq!(json["digits"]["confusion"][6][5], 1);
        assert_eq!(json["error_reject"][0]["accepted"], 2);
    }
}
