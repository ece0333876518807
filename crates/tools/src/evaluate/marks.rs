//! Scores fields by the kind of writing in them, from a table of kinds such as the `hostile.csv` of `formread synth`.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    io::Read,
};

use serde::{Deserialize, Serialize};

use super::{Tally, TruthField};
use formread_raster::error::{Error, Format, Result};

/// The name of fields without a kind.
const ORDINARY: &str = "ordinary";

/// What became of the fields of one kind. Fields that are not scored (truth `?`) are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MarkTally {
    /// All fields, illegible ones included.
    pub fields: u64,
    /// Fields accepted as a number.
    pub accepted: u64,
    /// Accepted fields whose value is not the truth.
    pub accepted_wrong: u64,
    /// Fields with the state `blank` whose truth is a number or illegible.
    pub blank_wrong: u64,
    /// Blank fields with the state `blank`.
    pub blank_correct: u64,
    /// Fields for review.
    pub review: u64,
    /// Fields that are not in the table.
    pub missing: u64,
}

/// Scores `fields` by the kinds in `kinds`, a CSV with the columns `scan`, `page`, `field` and `kind`. A field with several
/// kinds counts for each of them; a row without a field is ignored. Fields without a kind are `ordinary`.
///
/// # Errors
/// `Format` if it is not such a table.
pub fn score_marks(fields: &[TruthField], kinds: impl Read) -> Result<BTreeMap<String, MarkTally>> {
    #[derive(Deserialize)]
    struct Row {
        scan: String,
        page: String,
        field: String,
        kind: String,
    }
    let mut known: HashMap<(String, String, String), Vec<String>> = HashMap::new();
    for row in csv::Reader::from_reader(kinds).into_deserialize() {
        let Row { scan, page, field, kind } = row.map_err(|error| Error::format(Format::Truth, error))?;
        let of_field = known.entry((scan, page, field)).or_default();
        if !of_field.contains(&kind) {
            of_field.push(kind);
        }
    }
    let mut score: BTreeMap<String, MarkTally> = BTreeMap::new();
    let ordinary = [ORDINARY.to_owned()];
    for field in fields {
        let Some((tally, _)) = Tally::of(field) else { continue };
        let key = (field.scan.clone(), field.page.clone(), field.field.clone());
        for kind in known.get(&key).map_or(&ordinary[..], Vec::as_slice) {
            score.entry(kind.clone()).or_default().add(field, &tally);
        }
    }
    Ok(score)
}

impl MarkTally {
    fn add(&mut self, field: &TruthField, tally: &Tally) {
        let is_state = |state: &str| field.answer.as_ref().is_some_and(|answer| answer.state == state);
        self.fields += 1;
        self.accepted += tally.accepted;
        self.accepted_wrong += tally.accepted_wrong;
        self.blank_wrong += u64::from(is_state("blank") && !field.truth.is_empty());
        self.blank_correct += tally.blank_correct;
        self.review += u64::from(is_state("review"));
        self.missing += u64::from(field.answer.is_none());
    }
}

/// Writes the table of kinds for people.
pub(super) fn write_marks(f: &mut fmt::Formatter<'_>, by_mark: &BTreeMap<String, MarkTally>) -> fmt::Result {
    let width = by_mark.keys().map(|kind| kind.chars().count()).max().unwrap_or(0);
    writeln!(
        f,
        "\n{:width$}  {:>7}  {:>8}  {:>7}  {:>7}  {:>10}  {:>7}  {:>7}",
        "", "fields", "accepted", "wrong", "blank", "blank lost", "review", "missing"
    )?;
    for (kind, tally) in by_mark {
        let MarkTally { fields, accepted, accepted_wrong, blank_wrong, blank_correct, review, missing } = tally;
        writeln!(
            f,
            "{kind:width$}  {fields:>7}  {accepted:>8}  {accepted_wrong:>7}  {blank_correct:>7}  {blank_wrong:>10}  \
             {review:>7}  {missing:>7}"
        )?;
    }
    writeln!(f, "blank: blank and read as blank; blank lost: read as blank where something is written\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{join_tables, score_values};

    #[test]
    fn fields_are_counted_for_each_of_their_kinds_and_the_others_as_ordinary() {
        let out = "scan,page,form\nx.png,1,f\n";
        let fields = "scan,page,field,state,guess,confidence\nx.png,1,a,accepted,12,1\nx.png,1,b,blank,,1\n\
                      x.png,1,c,review,3,0.4\nx.png,1,d,blank,,1\nx.png,1,e,accepted,5,1\n";
        let truth = "scan,page,a,b,c,d,e,g\nx.png,1,!,!,!,,?,7\n";
        let kinds = "scan,page,field,kind\nx.png,1,a,minus\nx.png,1,b,beside\nx.png,1,a,streak\nx.png,1,,streak\n\
                     x.png,1,d,streak\nx.png,1,d,streak\nx.png,1,e,word\n";
        let fields = join_tables(out.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect("the tables are sound");
        let score = score_marks(&fields, kinds.as_bytes()).expect("the table is sound");
        let one = MarkTally { fields: 1, ..MarkTally::default() };
        let expected = [
            ("beside", MarkTally { blank_wrong: 1, ..one }),
            ("minus", MarkTally { accepted: 1, accepted_wrong: 1, ..one }),
            ("ordinary", MarkTally { fields: 2, review: 1, missing: 1, ..one }),
            ("streak", MarkTally { fields: 2, accepted: 1, accepted_wrong: 1, blank_correct: 1, ..one }),
        ];
        assert_eq!(score, expected.map(|(kind, tally)| (kind.to_owned(), tally)).into());

        let whole = super::super::ValueScore { by_mark: score, ..score_values(&fields, &[]) };
        let text = whole.to_string();
        assert!(text.contains("blank lost") && text.contains("\nbeside"), "{text}");
        assert_eq!(serde_json::to_value(&whole).expect("it is plain data")["by_mark"]["beside"]["blank_wrong"], 1);
        let plain = serde_json::to_value(score_values(&fields, &[])).expect("it is plain data");
        assert_eq!(plain.get("by_mark"), None);
        assert!(score_marks(&fields, "scan,page,kind\nx.png,1,minus\n".as_bytes()).is_err());
    }
}
