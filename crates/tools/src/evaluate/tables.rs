//! Joins the tables of a finished run with the truth, field by field.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use formread_raster::error::{Error, Format, Result};

/// Columns of the truth that are not fields.
const TRUTH_KEYS: [&str; 2] = ["scan", "page"];

/// A field of the truth, with the answer of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthField {
    /// The file.
    pub scan: String,
    /// The page, as written in the table.
    pub page: String,
    /// The template's name; empty if none fits or the page is not in the table.
    pub form: String,
    /// The field's name.
    pub field: String,
    /// What is written: a value in canonical form; empty: blank; `?`: not scored; `!`: illegible.
    pub truth: String,
    /// The answer in the tables; `None` if the field is not there.
    pub answer: Option<Answer>,
}

/// The answer for one field in `OUT.fields.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// `accepted`, `blank` or `review`.
    pub state: String,
    /// The best reading, accepted or not; empty for blank.
    pub guess: String,
    /// Probability that the guess is right, 0 to 1.
    pub confidence: f64,
    /// Why the field is in review; empty otherwise.
    pub reason: String,
    /// Left, top, right and bottom edge on the scan as stored, pixels.
    pub bounds: [i64; 4],
}

impl TruthField {
    /// Whether the field counts in a score.
    pub fn is_scored(&self) -> bool {
        self.truth != "?"
    }

    /// The answer if it is a number, accepted or not.
    pub fn number(&self) -> Option<&Answer> {
        self.answer.as_ref().filter(|answer| answer.state != "blank" && !answer.guess.is_empty())
    }
}

/// Joins the tables of a run, `out` (OUT.csv) and `fields` (OUT.fields.csv), with `truth`, a CSV with the columns `scan`,
/// `page` and fields by name. The result is in the order of the truth.
///
/// # Errors
/// `Format` if one of them is not such a table, a confidence is not from 0 to 1, or the truth lists a page or a column twice.
pub fn join_tables(out: impl Read, fields: impl Read, truth: impl Read) -> Result<Vec<TruthField>> {
    let forms = read_forms(out)?;
    let mut answers = read_answers(fields)?;
    let malformed = |error: csv::Error| Error::format(Format::Truth, error);
    let mut reader = csv::Reader::from_reader(truth);
    let headers = reader.headers().map_err(malformed)?.clone();
    let column = |name: &str| {
        headers.iter().position(|h| h == name).ok_or_else(|| Error::format(Format::Truth, format!("no column {name}")))
    };
    let mut names = HashSet::new();
    if let Some(twice) = headers.iter().find(|name| !names.insert(*name)) {
        return Err(Error::format(Format::Truth, format!("column listed twice: {twice}")).at_line(1));
    }
    let (scan_idx, page_idx) = (column("scan")?, column("page")?);
    let mut pages = HashSet::new();
    let mut joined = Vec::new();
    for row in reader.records() {
        let row = row.map_err(malformed)?;
        let (scan, page) = (row[scan_idx].to_owned(), row[page_idx].to_owned());
        if !pages.insert((scan.clone(), page.clone())) {
            let error = Error::format(Format::Truth, format!("page listed twice: {scan} page {page}"));
            return Err(match row.position().and_then(|at| usize::try_from(at.line()).ok()) {
                Some(line) => error.at_line(line),
                None => error,
            });
        }
        let form = forms.get(&(scan.clone(), page.clone())).cloned().unwrap_or_default();
        for (name, truth) in headers.iter().zip(row.iter()).filter(|(name, _)| !TRUTH_KEYS.contains(name)) {
            let key = (scan.clone(), page.clone(), name.to_owned());
            let answer = answers.remove(&key);
            let (scan, page, field) = key;
            joined.push(TruthField { scan, page, form: form.clone(), field, truth: truth.trim().to_owned(), answer });
        }
    }
    Ok(joined)
}

/// The form of each page, by scan and page.
fn read_forms(out: impl Read) -> Result<HashMap<(String, String), String>> {
    #[derive(serde::Deserialize)]
    struct Row {
        scan: String,
        page: String,
        form: String,
    }
    let rows = csv::Reader::from_reader(out).into_deserialize();
    rows.map(|row| row.map(|Row { scan, page, form }| ((scan, page), form)))
        .collect::<Result<_, _>>()
        .map_err(|error| Error::format(Format::PageTable, error))
}

/// The answer for each field, by scan, page and field.
fn read_answers(fields: impl Read) -> Result<HashMap<(String, String, String), Answer>> {
    #[derive(serde::Deserialize)]
    struct Row {
        scan: String,
        page: String,
        field: String,
        state: String,
        guess: String,
        confidence: f64,
        #[serde(default)]
        reason: String,
        #[serde(default)]
        x0: i64,
        #[serde(default)]
        y0: i64,
        #[serde(default)]
        x1: i64,
        #[serde(default)]
        y1: i64,
    }
    let mut answers = HashMap::new();
    for row in csv::Reader::from_reader(fields).into_deserialize() {
        let row: Row = row.map_err(|error| Error::format(Format::FieldTable, error))?;
        let Row { scan, page, field, state, guess, confidence, reason, x0, y0, x1, y1 } = row;
        if !(0.0..=1.0).contains(&confidence) {
            let detail = format!("{scan} page {page}: confidence is not from 0 to 1: {confidence}");
            return Err(Error::format(Format::FieldTable, detail).in_field(field));
        }
        let answer = Answer { state, guess, confidence, reason, bounds: [x0, y0, x1, y1] };
        answers.insert((scan, page, field), answer);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: &str = "scan,page,form\nx.png,1,f\n";
    const HEAD: &str = "scan,page,form,field,state,value,guess,confidence,reason,x0,y0,x1,y1\n";

    #[test]
    fn join_tables_gives_each_field_of_the_truth_its_answer_or_none() {
        let fields = format!("{HEAD}x.png,1,f,a,review,,12,0.5,overflow,3,-4,50,60\n");
        let truth = "scan,page,a,b\nx.png,1, 12 ,?\ny.png,1,,\n";
        let joined = join_tables(OUT.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect("they are sound");
        let answer = joined[0].answer.as_ref().expect("the table has it");
        assert_eq!((answer.bounds, answer.reason.as_str()), ([3, -4, 50, 60], "overflow"));
        assert_eq!((joined[0].truth.as_str(), joined[0].form.as_str()), ("12", "f"));
        assert_eq!(joined.iter().filter(|field| field.answer.is_none()).count(), 3);
        assert_eq!(joined.iter().filter(|field| field.is_scored()).count(), 3);
        assert_eq!(joined[2].form, "");
    }

    #[test]
    fn malformed_table_is_rejected() {
        struct Case {
            fields: &'static str,
            truth: &'static str,
            message: &'static str,
        }
        let cases = [
            Case {
                fields: "",
                truth: "scan,page,a\nx.png,1,5\nx.png,1,5\n",
                message: "line 3: malformed truth: page listed twice",
            },
            Case {
                fields: "x.png,1,f,a,review,,12,1.5,,0,0,1,1\n",
                truth: "scan,page,a\n",
                message: "from 0 to 1: 1.5",
            },
            Case {
                fields: "x.png,1,f,a,review,,12,NaN,,0,0,1,1\n",
                truth: "scan,page,a\n",
                message: "from 0 to 1: NaN",
            },
            Case { fields: "", truth: "scan,a\n", message: "no column page" },
            Case {
                fields: "",
                truth: "scan,page,a,page\n",
                message: "line 1: malformed truth: column listed twice: page",
            },
        ];
        for Case { fields, truth, message } in cases {
            let fields = format!("{HEAD}{fields}");
            let error =
                join_tables(OUT.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
