//! The score as one HTML file for people: tables, curves, and pictures of the fields that are wrong or in review. It needs
//! no other file, no network and no script. All text from tables is escaped.

use std::{cmp::Ordering, collections::BTreeMap};

use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    SCORE_CERTAINTY, Tally, TruthField, ValueScore,
    chart::{Chart, Series},
    crops::cut_crops,
};
use formread_page::scans::Scan;
use formread_raster::error::Result;

const STYLE: &str = include_str!("report.css");

/// Writes the report of `score`, the score of `fields`. With `scans`, each field shown has its picture from the scan. At
/// most `max_fields` fields are shown, the worst first.
pub fn html_report(
    title: &str,
    fields: &[TruthField],
    score: &ValueScore,
    scans: Option<&[Scan]>,
    max_fields: usize,
) -> String {
    let mut shown: Vec<(Concern, &TruthField)> =
        fields.iter().filter_map(|field| Some((Concern::of(field)?, field))).collect();
    shown.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| by_falling_confidence(a.1, b.1)));
    let n_left_out = shown.len().saturating_sub(max_fields);
    shown.truncate(max_fields);
    let crops = scans.map(|scans| cut_crops(scans, &shown.iter().map(|(_, field)| *field).collect::<Vec<_>>()));
    let mut crops = crops.into_iter().flatten();
    let certainty = 100.0 * SCORE_CERTAINTY;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Score of " (title) }
                p.note {
                    "Forced right: the best reading is right, accepted or not. Lost: a number was read as blank. At most: \
                     upper bound on the share of errors among accepted fields, " (certainty) " % certain (Clopper and \
                     Pearson, 1934)."
                }
                (table("", [("all fields", &score.total)].into_iter()))
                (table("By kind", with_names(&score.by_kind, "(not known)")))
                (table("By form", with_names(&score.by_form, "(no form)")))
                (table("By field", with_names(&score.by_field, "")))
                h2 { "Confidence" }
                div.charts { (error_reject(score)) (reliability(score)) }
                h2 { "Digits" }
                (confusion(score))
                h2 { "Wrong or for review" }
                @if shown.is_empty() && n_left_out == 0 { p { "None." } }
                @if n_left_out > 0 { p.note { "The " (shown.len()) " worst are shown; " (n_left_out) " more are left out." } }
                div.crops {
                    @for (concern, field) in &shown { (figure(*concern, field, crops.next())) }
                }
            }
        }
    };
    page.into_string()
}

/// Why a field is shown, in the order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Concern {
    AcceptedWrong,
    Lost,
    ReviewWrong,
    ReviewRight,
    Missing,
}

impl Concern {
    /// The concern of a field that is wrong or in review; `None` for others and for fields that are not scored.
    fn of(field: &TruthField) -> Option<Self> {
        let (tally, is_right) = Tally::of(field)?;
        let Some(answer) = &field.answer else { return Some(Self::Missing) };
        match answer.state.as_str() {
            "accepted" if tally.accepted_wrong > 0 => Some(Self::AcceptedWrong),
            "blank" if !is_right => Some(Self::Lost),
            "review" if is_right => Some(Self::ReviewRight),
            _ => (!is_right).then_some(Self::ReviewWrong),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::AcceptedWrong => "accepted but wrong",
            Self::Lost => "number read as blank",
            Self::ReviewWrong => "in review, best reading wrong",
            Self::ReviewRight => "in review, best reading right",
            Self::Missing => "not in the table",
        }
    }
}

fn by_falling_confidence(a: &TruthField, b: &TruthField) -> Ordering {
    let confidence = |field: &TruthField| field.answer.as_ref().map_or(0.0, |answer| answer.confidence);
    confidence(b).total_cmp(&confidence(a))
}

/// Tallies with their names; an empty name is replaced with `nameless`.
fn with_names<'a>(
    tallies: &'a BTreeMap<String, Tally>,
    nameless: &'a str,
) -> impl Iterator<Item = (&'a str, &'a Tally)> {
    tallies.iter().map(move |(name, tally)| (if name.is_empty() { nameless } else { name.as_str() }, tally))
}

fn table<'a>(title: &str, rows: impl Iterator<Item = (&'a str, &'a Tally)>) -> Markup {
    html! {
        @if !title.is_empty() { h2 { (title) } }
        div.scroll { table {
            thead { tr {
                th {} th { "forced right" } th { "numbers right" } th { "blanks right" } th { "lost" } th { "accepted" }
                th { "accepted wrong" } th { "at most" } th { "not in the table" }
            } }
            tbody { @for (name, t) in rows { tr {
                th { (name) }
                td { (t.forced_correct) "/" (t.fields) " " (percent(t.forced_accuracy(), 1)) }
                td { (t.number_correct) "/" (t.number_fields) }
                td { (t.blank_correct) "/" (t.blank_fields) }
                td { (t.number_lost) }
                td { (t.accepted) }
                td { (t.accepted_wrong) }
                td { (percent(t.accepted_wrong_bound(), 2)) }
                td { (t.missing) }
            } } }
        } }
    }
}

fn error_reject(score: &ValueScore) -> Markup {
    let curve = |of: fn(&super::CurvePoint) -> f64| score.error_reject.iter().map(|p| [p.share, of(p)]).collect();
    // the error curve sets the height of the chart, since bounds of few answers are high
    let highest = score.error_reject.iter().map(|point| point.error).fold(0.005, f64::max);
    let chart = Chart {
        title: "error-reject curve",
        x_label: "accepted, highest confidence first",
        y_label: "errors among accepted",
        x: [0.0, 1.0],
        y: [0.0, (1.25 * highest).min(1.0)],
        series: vec![
            Series { class: "bound", points: curve(|point| point.bound), dots: Vec::new() },
            Series { class: "curve", points: curve(|point| point.error), dots: vec![3.0; score.error_reject.len()] },
        ],
    };
    html! {
        figure {
            (chart.draw())
            figcaption.note { "Error-reject curve of " (score.reliability.count) " numbers read. Dashed: upper bound, "
                (100.0 * SCORE_CERTAINTY) " % certain for each point by itself." }
        }
    }
}

fn reliability(score: &ValueScore) -> Markup {
    let reliability = &score.reliability;
    // the area of a dot grows with the bin's share of the answers; the constant keeps small dots visible
    let radius =
        |count: usize| 2.0 + (8.0 * (count as f64 / reliability.count.max(1) as f64).sqrt() * 10.0).round() / 10.0;
    let chart = Chart {
        title: "reliability diagram",
        x_label: "confidence",
        y_label: "share right",
        x: [0.0, 1.0],
        y: [0.0, 1.0],
        series: vec![
            Series { class: "ideal", points: vec![[0.0, 0.0], [1.0, 1.0]], dots: Vec::new() },
            Series {
                class: "curve",
                points: reliability.bins.iter().map(|bin| [bin.confidence, bin.accuracy]).collect(),
                dots: reliability.bins.iter().map(|bin| radius(bin.count)).collect(),
            },
        ],
    };
    html! {
        figure {
            (chart.draw())
            figcaption.note { "Reliability: expected calibration error " (percent(reliability.expected_calibration_error, 2))
                "; wrong at a confidence of 0.99 or more: " (reliability.sure_wrong) " of " (reliability.sure)
                ". Larger dots are bins with more answers." }
        }
    }
}

fn confusion(score: &ValueScore) -> Markup {
    let digits = &score.digits;
    html! {
        p { (digits.correct) " of " (digits.count) " digits read right, in readings with as many digits as written. \
            Numbers with as many: " (digits.same_length) ", with fewer: " (digits.too_short) ", with more: " (digits.too_long)
            ", not read: " (digits.not_read) ". Rows: truth; columns: reading." }
        div.scroll { table.confusion {
            thead { tr { th {} @for digit in 0..digits.confusion.len() { th { (digit) } } } }
            tbody { @for (truth, readings) in digits.confusion.iter().enumerate() { tr {
                th { (truth) }
                @for (reading, n) in readings.iter().enumerate() {
                    td.hit[truth == reading].miss[truth != reading && *n > 0] { @if *n > 0 { (n) } }
                }
            } } }
        } }
    }
}

/// A field with its picture, if there is one.
fn figure(concern: Concern, of: &TruthField, crop: Option<Result<Vec<u8>>>) -> Markup {
    let is_error = matches!(concern, Concern::AcceptedWrong | Concern::Lost);
    let shown = |value: &str| if value.is_empty() { "(blank)".to_owned() } else { value.to_owned() };
    html! {
        figure.error[is_error].review[!is_error] {
            @match crop {
                Some(Ok(png)) => {
                    img alt={ "field " (of.field) } src={ "data:image/png;base64," (BASE64_STANDARD.encode(png)) };
                }
                Some(Err(error)) => p.note { "no picture: " (error) },
                None => {}
            }
            figcaption {
                strong { (concern.label()) }
                dl {
                    @if let Some(answer) = &of.answer {
                        dt { "read" } dd.value { (shown(&answer.guess)) }
                        dt { "truth" } dd.value { (shown(if of.truth == "!" { "(illegible)" } else { &of.truth })) }
                        dt { "confidence" } dd { (format!("{:.4}", answer.confidence)) }
                        @if !answer.reason.is_empty() { dt { "reason" } dd { (answer.reason) } }
                    } @else {
                        dt { "truth" } dd.value { (shown(&of.truth)) }
                    }
                    dt { "field" } dd { (of.field) @if !of.form.is_empty() { " of " (of.form) } }
                    dt { "scan" } dd { (of.scan) ", page " (of.page) }
                }
            }
        }
    }
}

fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{join_tables, score_values};

    fn fields(rows: &str, truth: &str) -> Vec<TruthField> {
        let fields = format!("scan,page,field,state,guess,confidence,reason,x0,y0,x1,y1\n{rows}");
        let out = "scan,page,form\nx.png,1,f\n";
        join_tables(out.as_bytes(), fields.as_bytes(), truth.as_bytes()).expect("the tables are sound")
    }

    #[test]
    fn report_shows_the_worst_fields_first_and_counts_the_rest() {
        let fields = fields(
            "x.png,1,a,review,7,0.5,low-confidence,0,0,9,9\nx.png,1,b,accepted,1,0.98,,0,0,9,9\n\
             x.png,1,c,blank,,1,,0,0,9,9\nx.png,1,d,accepted,1,0.99,,0,0,9,9\nx.png,1,e,accepted,7,1,,0,0,9,9\n",
            "scan,page,a,b,c,d,e,f\nx.png,1,7,7,7,7,7,7\n",
        );
        let score = score_values(&fields, &[]);
        let report = html_report("t", &fields, &score, None, 3);
        let at = |text: &str| report.find(text).unwrap_or_else(|| panic!("{text}: {report}"));
        assert!(at("<dd>d of f</dd>") < at("<dd>b of f</dd>") && at("<dd>b of f</dd>") < at("<dd>c of f</dd>"));
        assert!(report.contains("The 3 worst are shown; 2 more are left out."), "{report}");
        assert!(!report.contains("<dd>e of f</dd>"), "a field that is right and accepted is not shown");
        assert!(!report.contains("<img"), "no scans, no pictures");
    }

    #[test]
    fn report_escapes_table_text_and_loads_nothing() {
        let fields = fields(
            "x.png,1,<b>,review,<script>alert(1)</script>,0.5,\"\"\"><img src=x>\",0,0,9,9\n",
            "scan,page,<b>\nx.png,1,&amp;\n",
        );
        let score = score_values(&fields, &[]);
        let report = html_report("<i>", &fields, &score, Some(&[]), 9);
        for raw in ["<script", "<i>", "<b>", "<img src", "http:", "https:", "url(", "@import"] {
            assert!(!report.contains(raw), "{raw}");
        }
        assert!(report.contains("&lt;script&gt;") && report.contains("&amp;amp;"));
        assert!(report.contains("no picture: scan not found"), "{report}");
    }
}
