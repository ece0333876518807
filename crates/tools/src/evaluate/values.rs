//! Field by field against ground truth: how much is read right when every guess counts, and how much of what was
//! accepted is wrong; as a whole and by field, by kind and by form.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::Serialize;

use super::{
    CurvePoint, DigitScore, Reliability, SCORE_CERTAINTY, Tally, TruthField, error_reject_curve,
    tally::{each_rated, rated},
};
use formread_core::form::FormTemplate;

/// The whole score, and its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ValueScore {
    /// All fields.
    #[serde(flatten, serialize_with = "rated")]
    pub total: Tally,
    /// By form; pages that were not recognised stand under the empty name.
    #[serde(serialize_with = "each_rated")]
    pub by_form: BTreeMap<String, Tally>,
    /// By kind, as templates call it; fields of forms that are not known stand under the empty name.
    #[serde(serialize_with = "each_rated")]
    pub by_kind: BTreeMap<String, Tally>,
    /// By field name.
    #[serde(serialize_with = "each_rated")]
    pub by_field: BTreeMap<String, Tally>,
    /// Scored or illegible fields that were not read right, in the order of the truth.
    pub wrong: Vec<WrongField>,
    /// Digit by digit.
    pub digits: DigitScore,
    /// Whether confidence means what it says, over all scored fields with a number for a guess.
    pub reliability: Reliability,
    /// What would be wrong of them if the surest were accepted, from few to all. Those that await review for another
    /// reason than low confidence count as well, by their confidence.
    pub error_reject: Vec<CurvePoint>,
}

/// A field that was not read as the truth has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongField {
    /// The file.
    pub scan: String,
    /// The page.
    pub page: String,
    /// The field.
    pub field: String,
    /// What is written, as the truth has it.
    pub truth: String,
    /// What was read; empty for blank or not read.
    pub guess: String,
    /// `accepted`, `blank`, `review` or `missing`.
    pub state: String,
}

/// Scores what the tables of a run say of `fields`. `templates` tell the fields' kinds.
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
        let of_kind = |kind: &str| if kind.is_empty() { "(kind not known)".to_owned() } else { format!("({kind})") };
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
        let certainty = 100.0 * SCORE_CERTAINTY;
        writeln!(f, "lost: numbers taken for blank; at most: upper bound of wrong among accepted, {certainty} % sure")?;
        write!(f, "\n{}\n{}", self.digits, self.reliability)?;
        writeln!(f, "\n{:>8}  {:>10}  {:>14}  {:>8}  {:>8}", "accepted", "confidence", "wrong", "error", "at most")?;
        for CurvePoint { share, min_confidence, accepted, wrong, error, bound } in &self.error_reject {
            let (share, of, error, bound) =
                (100.0 * share, format!("{wrong}/{accepted}"), 100.0 * error, 100.0 * bound);
            writeln!(f, "{share:>6.1} %  {min_confidence:>10.4}  {of:>14}  {error:>6.2} %  {bound:>6.2} %")?;
        }
        let Tally { number_lost, illegible_fields, illegible_accepted, missing, .. } = self.total;
        writeln!(f, "\nnumbers taken for blank: {number_lost}")?;
        writeln!(f, "illegible, accepted all the same: {illegible_accepted} of {illegible_fields}")?;
        writeln!(f, "not in the table: {missing}")?;
        if !self.wrong.is_empty() {
            writeln!(f, "\nnot right:")?;
        }
        for WrongField { scan, page, field, truth, guess, state } in &self.wrong {
            writeln!(f, "  {scan} page {page} {field}: truth {truth:?}, read {guess:?} ({state})")?;
        }
        Ok(())
    }
}

/// `97.5 %`, or nothing where there is no whole.
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
    fn each_sort_of_field_is_counted_once() {
        struct Case {
            truth: &'static str,
            state: &'static str,
            guess: &'static str,
            want: Tally,
        }
        let number = Tally { fields: 1, number_fields: 1, ..Tally::default() };
        let blank = Tally { fields: 1, blank_fields: 1, ..Tally::default() };
        let illegible = Tally { illegible_fields: 1, ..Tally::default() };
        let cases = [
            Case {
                truth: "12",
                state: "accepted",
                guess: "12",
                want: Tally { forced_correct: 1, number_correct: 1, accepted: 1, ..number },
            },
            Case {
                truth: "12",
                state: "review",
                guess: "12",
                want: Tally { forced_correct: 1, number_correct: 1, ..number },
            },
            Case { truth: "012", state: "review", guess: "12", want: number },
            Case {
                truth: "12",
                state: "accepted",
                guess: "17",
                want: Tally { accepted: 1, accepted_wrong: 1, ..number },
            },
            Case { truth: "12", state: "blank", guess: "", want: Tally { number_lost: 1, ..number } },
            Case { truth: "", state: "blank", guess: "", want: Tally { forced_correct: 1, blank_correct: 1, ..blank } },
            Case { truth: "", state: "review", guess: "", want: Tally { forced_correct: 1, ..blank } },
            Case { truth: "", state: "accepted", guess: "0", want: Tally { accepted: 1, accepted_wrong: 1, ..blank } },
            Case { truth: "!", state: "review", guess: "3", want: illegible },
            Case {
                truth: "!",
                state: "accepted",
                guess: "3",
                want: Tally { accepted: 1, accepted_wrong: 1, illegible_accepted: 1, ..illegible },
            },
            Case { truth: "?", state: "accepted", guess: "3", want: Tally::default() },
        ];
        for Case { truth, state, guess, want } in cases {
            let score = score(&[("a", state, guess)], &format!("scan,page,a\nx.png,1,{truth}\n"));
            assert_eq!(score.total, want, "truth {truth:?}, {state} {guess:?}");
        }
    }

    #[test]
    fn what_the_table_does_not_have_counts_as_not_read() {
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
    fn kinds_are_those_of_the_known_forms() {
        let out = "scan,page,form\nx.png,1,tax-return\ny.png,1,other\n";
        let fields = "scan,page,field,state,guess,confidence\nx.png,1,zip,accepted,06164,1\n";
        let truth = "scan,page,zip,line11_tax\nx.png,1,06164,58.36\ny.png,1,12345,?\n";
        let fields = join_tables(out.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect("the tables are sound");
        let score = score_values(&fields, &known_templates().expect("they parse"));
        let kinds: Vec<(&str, u64)> = score.by_kind.iter().map(|(kind, t)| (kind.as_str(), t.fields)).collect();
        assert_eq!(kinds, [("", 1), ("amount", 1), ("code", 1)]);
    }

    #[test]
    fn rates_stand_beside_the_counts_that_other_programs_read() {
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
