//! Writes an explanation as lines of text.

use std::fmt;

use super::{CandidateCut, Explanation, FieldExplanation, Trace};
use formread_core::{rows::Verdict, scores::N_CLASSES};

/// Maximum number of digits listed for a glyph.
const MAX_DIGITS: usize = 3;

/// Names of [`formread_core::scores::GlyphClass`], in its order.
pub(super) const CLASSES: [&str; N_CLASSES] = [
    "digit",
    "cross",
    "dash",
    "other",
    "struck-out",
    "overwritten",
    "slash",
    "plus",
    "equals",
    "tilde",
    "less",
    "greater",
    "parenthesis",
    "currency",
    "percent",
    "letter",
    "tick",
    "ditto",
    "point",
];

impl Explanation {
    /// Origin and verdict of the page, as pairs of name and value.
    pub(super) fn head(&self) -> Vec<(&'static str, String)> {
        let Trace { scan, identity, sha256, page, form, weights, version } = &self.trace;
        let form = form
            .as_ref()
            .map_or("none".to_owned(), |form| format!("{} {:.16}", form.name, form.fingerprint.to_string()));
        let verdict = match self.verdict {
            Verdict::Accepted => "accepted".to_owned(),
            Verdict::Review => format!("review: {}", self.attention.replace(';', ", ")),
            Verdict::Rejected => format!("rejected: {}: {}", self.attention, self.detail),
        };
        let mut head = vec![
            ("scan", scan.clone()),
            ("sha256", sha256.clone()),
            ("page", page.to_string()),
            ("form", form),
            ("weights", weights.clone()),
            ("formread", version.clone()),
            ("identity", identity.to_string()),
            ("verdict", verdict),
        ];
        head.extend(self.residual_px.map(|residual| ("residual", format!("{residual:.2} px"))));
        head
    }
}

impl FieldExplanation {
    /// The verdict in one line.
    pub(super) fn verdict(&self) -> String {
        let Self { state, guess, confidence, reason, .. } = self;
        let guess = if guess.is_empty() { String::new() } else { format!("  {guess}") };
        let reason = if reason.is_empty() { String::new() } else { format!("  {reason}") };
        format!("{state}{guess}{reason}  confidence {confidence:.4}")
    }

    /// Whether its printed frame was found.
    pub(super) fn frame(&self) -> String {
        match (self.has_frame, self.residual_px) {
            (_, Some(residual)) => format!("found, residual {residual:.2} px"),
            (true, None) => "not found".to_owned(),
            (false, None) => "none is printed".to_owned(),
        }
    }
}

impl CandidateCut {
    /// The most probable digits of the glyph, at most `max_digits`, with their probabilities given that it is a digit.
    pub(super) fn digits(&self, max_digits: usize) -> Vec<(usize, f32)> {
        let Some(scores) = &self.scores else { return Vec::new() };
        let mut digits: Vec<(usize, f32)> = scores.digits.into_iter().enumerate().collect();
        digits.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        digits.truncate(max_digits);
        digits
    }

    /// The most probable class of the glyph, with its probability.
    pub(super) fn class(&self) -> Option<(&'static str, f32)> {
        let classes = CLASSES.into_iter().zip(self.scores.as_ref()?.classes);
        classes.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in self.head() {
            writeln!(f, "{name:<10}{text}")?;
        }
        self.fields.iter().try_for_each(|field| write!(f, "\n{field}"))
    }
}

impl fmt::Display for FieldExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x0, y0, x1, y1] = self.bounds;
        writeln!(f, "field     {}", self.name)?;
        writeln!(f, "verdict   {}", self.verdict())?;
        writeln!(f, "box       {x0} {y0} {x1} {y1}")?;
        writeln!(f, "frame     {}", self.frame())?;
        for rule in &self.rules {
            writeln!(f, "rule      {rule}")?;
        }
        if let Some(change) = &self.correction {
            writeln!(f, "changed   from {} by {}", change.from, change.by)?;
        }
        for alternative in &self.alternatives {
            writeln!(f, "value     {:<12} {:.4}", or_nothing(&alternative.text), alternative.probability)?;
        }
        for reading in &self.readings {
            let filler = if reading.has_filler { ", with fillers" } else { "" };
            write!(f, "reading   {:<12} by cuts {:.4}", or_nothing(&reading.digits), reading.by_cuts)?;
            match reading.by_strip {
                Some(by_strip) => writeln!(f, ", by strip {by_strip:.4}{filler}")?,
                None => writeln!(f, "{filler}")?,
            }
        }
        if let Some(strip) = &self.strip {
            writeln!(f, "strip     {} x 32", strip.width)?;
            for (name, texts) in [("plain", &strip.views[..strip.views.len().min(1)]), ("all", &strip.together)] {
                for text in texts {
                    writeln!(f, "{name:<9} {:<12} {:.4}", or_nothing(&text.text), text.probability)?;
                }
            }
            for text in strip.views.iter().skip(1) {
                writeln!(f, "variant   {:<12} {:.4}", or_nothing(&text.text), text.probability)?;
            }
        }
        if self.n_nodes > 0 {
            writeln!(f, "cuts      {} nodes, {} candidates", self.n_nodes, self.candidates.len())?;
        }
        self.candidates.iter().try_for_each(|cut| write!(f, "{cut}"))
    }
}

impl fmt::Display for CandidateCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_chosen { '*' } else { ' ' };
        write!(f, "cut {sign}     {:<7} prior {:>6.2}", format!("{}-{}", self.from, self.to), self.log_prior)?;
        if self.bounds.is_none() {
            return writeln!(f, "  no ink");
        }
        if self.scores.is_none() {
            return writeln!(f, "  not scored: others settle the field");
        }
        for (digit, probability) in self.digits(MAX_DIGITS) {
            write!(f, "  {digit} {probability:.4}")?;
        }
        if let Some((class, probability)) = self.class() {
            write!(f, "  {class} {probability:.4}")?;
        }
        writeln!(f)
    }
}

/// The text, or `nothing` if it is empty.
pub(super) fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::tests::explained_strip;

    #[test]
    fn candidate_without_scores_says_so() {
        let candidate = CandidateCut {
            from: 0,
            to: 2,
            log_prior: -3.0,
            is_chosen: false,
            bounds: Some([0, 0, 9, 9]),
            scores: None,
            glyph: None,
        };
        assert_eq!(
            candidate.to_string().trim_end(),
            "cut       0-2     prior  -3.00  not scored: others settle the field"
        );
    }

    #[test]
    fn explanation_text_starts_with_the_trace_and_names_every_line() {
        let text = explained_strip().to_string();
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(
            names[..9],
            ["scan", "sha256", "page", "form", "weights", "formread", "identity", "verdict", "residual"],
            "{text}"
        );
        assert_eq!(names[9..12], ["field", "verdict", "box"], "{text}");
        assert!(text.contains("11") && text.contains("cut *     0-1"), "{text}");
    }

    #[test]
    fn explanation_json_has_numbers_and_no_pictures() {
        let json = serde_json::to_value(explained_strip()).expect("it has only numbers and words");
        assert_eq!((&json["scan"], &json["form"]["name"]), (&"two.png".into(), &"strip".into()));
        let field = &json["fields"][0];
        assert_eq!((&field["guess"], &field["candidates"][0]["is_chosen"]), (&"11".into(), &true.into()), "{field}");
        assert_eq!(field["candidates"][0]["scores"]["digits"].as_array().map(Vec::len), Some(10));
        assert!(field.get("images").is_none() && json.get("view").is_none());
    }
}
