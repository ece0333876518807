//! Findings about rules: unknown names, rules that no values satisfy, and rules without effect.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::synth::draw_values;
use crate::template::{
    file::{TemplateFile, split_hint},
    finding::{Finding, FindingKind, Severity},
};
use formread_core::form::{
    Bounds, Comparison, DecimalPoint, Field, FieldKind, FormTemplate, Relation, Rule, Sum, check_other_fields,
};

/// Largest number of rounds of bound propagation over all rules.
const MAX_ROUNDS: usize = 100;
/// Tolerance for sums of binary fractions.
const ROUNDING: f64 = 1e-6;
/// Largest date as a number, year first.
const MAX_DATE: f64 = 9999.0 * 1e4 + 1231.0;

/// Rules that name forms or fields which `all` templates lack.
pub(super) fn unknown_names(file: &TemplateFile, all: &[FormTemplate]) -> Option<Finding> {
    // only the rules of this template are checked
    let known = all.iter().map(|other| match other.name == file.template.name {
        true => file.template.clone(),
        false => FormTemplate { other_fields: Vec::new(), ..other.clone() },
    });
    let error = check_other_fields(&known.collect::<Vec<_>>()).err()?;
    let (detail, remedy) = split_hint(&error);
    let finding = file.finding(Severity::Fault, FindingKind::UnknownName, detail).with_remedy(remedy);
    Some(Finding { line: error.location().line, ..finding })
}

/// Rules and checks that no values satisfy, and rules without effect.
pub(super) fn contradictions(file: &TemplateFile) -> Vec<Finding> {
    let template = &file.template;
    let mut findings = check_contradictions(file);
    let bounds: Vec<Bounds> = template.fields.iter().map(bounds).collect();
    let bounds_of = |idx: usize| bounds.get(idx).copied().unwrap_or(Bounds::ANY);
    let at = |rule: &Rule, severity, kind, detail: String| file.finding(severity, kind, detail).at_line(rule.line);
    let mut is_contradictory = false;
    for rule in &template.rules {
        let Rule { text, condition, claim, .. } = rule;
        let holds = claim.holds(&bounds_of);
        match condition.as_ref().map(|condition| condition.holds(&bounds_of)) {
            Some(Some(false)) => {
                let detail = format!(
                    "rule {text:?}: its condition never holds: {}",
                    describe_bounds(condition.as_ref(), &bounds_of)
                );
                let finding = at(rule, Severity::Advice, FindingKind::NoEffect, detail);
                findings.push(finding.with_remedy("remove it, or correct digits and range of its fields"));
            }
            _ if holds == Some(true) => {
                let detail =
                    format!("rule {text:?}: all values satisfy it: {}", describe_bounds(Some(claim), &bounds_of));
                let finding = at(rule, Severity::Advice, FindingKind::NoEffect, detail);
                findings.push(finding.with_remedy("remove it, or correct digits and range of its fields"));
            }
            None | Some(Some(true)) if holds == Some(false) => {
                is_contradictory = true;
                let detail =
                    format!("rule {text:?}: no values satisfy it: {}", describe_bounds(Some(claim), &bounds_of));
                let finding = at(rule, Severity::Fault, FindingKind::Contradiction, detail);
                findings.push(finding.with_remedy("correct digits, decimals and range of its fields"));
            }
            _ => {}
        }
    }
    if is_contradictory || findings.iter().any(|finding| finding.severity == Severity::Fault) {
        return findings;
    }
    if let Some((rule, field)) = find_contradiction(template, bounds) {
        let name = &template.fields[field].name;
        let detail = format!("rule {:?}: with the other rules it leaves no value for {name}", rule.text);
        let finding = at(rule, Severity::Fault, FindingKind::Contradiction, detail);
        findings.push(finding.with_remedy("correct one of the rules that name it"));
    } else if let Err(error) = draw_values(template, 0.0, &mut ChaCha8Rng::seed_from_u64(1)) {
        let (detail, _) = split_hint(&error);
        let finding = file.finding(Severity::Risk, FindingKind::Contradiction, detail);
        let line = template.rules.first().map_or(file.lines.name, |rule| rule.line);
        findings.push(finding.at_line(line).with_remedy("the rules may contradict each other, or allow few values"));
    }
    findings
}

/// Fields whose own checks no value passes, and allowed values that fail another check.
fn check_contradictions(file: &TemplateFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (idx, field) in file.template.fields.iter().enumerate() {
        let of = |severity, detail: String| file.of_field(idx, severity, FindingKind::Contradiction, detail);
        let Bounds { min, max } = digits_bounds(field);
        if let Some([from, to]) = field.checks.range.filter(|[from, to]| *from > max + ROUNDING || *to < min - ROUNDING)
        {
            let detail = format!("range {from} to {to}: its digits allow {min} to {max}");
            findings.push(of(Severity::Fault, detail).with_remedy("correct range, digits, decimals or signed"));
        }
        for value in &field.checks.allowed {
            let number = value.parse::<f64>().ok();
            let is_out = number.is_some_and(|n| n > max + ROUNDING || n < min - ROUNDING);
            let broken = field.checks.failed_check(value).or(is_out.then_some("digits"));
            if let Some(check) = broken {
                let detail = format!("allowed value {value:?} fails its own check: {check}");
                findings.push(of(Severity::Risk, detail).with_remedy("correct or remove it: it is never read"));
            }
        }
    }
    findings
}

/// The bounds of the number in a field by its digits alone.
fn digits_bounds(field: &Field) -> Bounds {
    let power = |n: usize| 10f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let max = match &field.kind {
        FieldKind::Integer | FieldKind::Code => power(field.digits.max) - 1.0,
        FieldKind::Amount { point: DecimalPoint::Written, .. } => power(field.digits.max) - 1.0,
        FieldKind::Amount { decimals, .. } => (power(field.digits.max) - 1.0) / power(*decimals),
        FieldKind::Date { .. } => MAX_DATE,
        FieldKind::Mark { .. } | FieldKind::Choice { .. } => 1.0,
    };
    Bounds { min: if field.is_signed { -max } else { 0.0 }, max }
}

/// The bounds of a field in a sum, where a blank counts as 0.
fn bounds(field: &Field) -> Bounds {
    let Bounds { mut min, mut max } = digits_bounds(field);
    if let Some([from, to]) = field.checks.range {
        (min, max) = (min.max(from), max.min(to));
    }
    let allowed: Vec<f64> = field.checks.allowed.iter().filter_map(|value| value.parse().ok()).collect();
    if !allowed.is_empty() {
        min = min.max(allowed.iter().copied().fold(f64::INFINITY, f64::min));
        max = max.min(allowed.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let others = field.fillers_mean.as_ref().and_then(|meaning| meaning.parse().ok());
    let blank = (!field.checks.is_required).then_some(0.0);
    for other in others.into_iter().chain(blank) {
        (min, max) = (min.min(other), max.max(other));
    }
    Bounds { min, max }
}

/// `left is 0 to 99, right is 100 to 200`.
fn describe_bounds(comparison: Option<&Comparison>, bounds_of: &dyn Fn(usize) -> Bounds) -> String {
    let Some(Comparison { left, right, .. }) = comparison else { return String::new() };
    let side = |sum: &Sum| {
        let of = |pick: fn(f64, f64) -> f64| {
            let term = |&(factor, idx): &(f64, usize)| {
                let Bounds { min, max } = bounds_of(idx);
                if factor == 0.0 { 0.0 } else { pick(factor * min, factor * max) }
            };
            sum.constant + sum.terms.iter().map(term).sum::<f64>()
        };
        format!("{} to {}", of(f64::min), of(f64::max))
    };
    format!("left is {}, right is {}", side(left), side(right))
}

/// The rule and the field at which bound propagation over all rules without a condition leaves no value (Davis, "Constraint
/// propagation with interval labels", 1987). It may miss a contradiction.
fn find_contradiction(template: &FormTemplate, mut bounds: Vec<Bounds>) -> Option<(&Rule, usize)> {
    let n = bounds.len();
    for _ in 0..MAX_ROUNDS {
        let before = bounds.clone();
        for rule in template.own_rules().filter(|rule| rule.condition.is_none()) {
            let Comparison { left, relation, right, tolerance } = &rule.claim;
            // low <= sum of factor * field <= high
            let mut factors = vec![0.0; n];
            left.terms.iter().for_each(|&(factor, idx)| factors[idx] += factor);
            right.terms.iter().for_each(|&(factor, idx)| factors[idx] -= factor);
            let wanted = right.constant - left.constant;
            let slack = tolerance + ROUNDING;
            let (low, high) = match relation {
                Relation::Equal => (wanted - slack, wanted + slack),
                Relation::AtMost | Relation::Less => (f64::NEG_INFINITY, wanted + slack),
                Relation::AtLeast | Relation::More => (wanted - slack, f64::INFINITY),
            };
            for idx in (0..n).filter(|&idx| factors[idx] != 0.0) {
                let others = (0..n).filter(|&other| other != idx && factors[other] != 0.0);
                let (min, max) = others.fold((0.0, 0.0), |(min, max), other| {
                    let (a, b) = (factors[other] * bounds[other].min, factors[other] * bounds[other].max);
                    (min + a.min(b), max + a.max(b))
                });
                let (a, b) = ((low - max) / factors[idx], (high - min) / factors[idx]);
                let Bounds { min, max } = &mut bounds[idx];
                (*min, *max) = (min.max(a.min(b)), max.min(a.max(b)));
                if *min > *max + ROUNDING {
                    return Some((rule, idx));
                }
            }
        }
        if bounds == before {
            break;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template_file(rules: &str) -> TemplateFile {
        let head =
            format!("name = \"t\"\ntitle = \"t\"\nwhole_image = false\npage = [210, 297]\nrules = [\n{rules}\n]\n");
        let field = |name: &str, rest: &str| format!("[[field]]\nname = \"{name}\"\n{rest}\n");
        let text = head
            + &field("a", "kind = \"integer\"\ndigits = [1, 2]\nbox = [20, 20, 40, 8]")
            + &field("b", "kind = \"integer\"\ndigits = [1, 2]\nbox = [20, 40, 40, 8]")
            + &field(
                "total",
                "kind = \"amount\"\ndigits = [1, 6]\nbox = [20, 60, 40, 8]\nrequired = true\nrange = [200, 900]",
            );
        TemplateFile::parse("t.toml", &text).unwrap_or_else(|finding| panic!("{finding}"))
    }

    #[test]
    fn rules_without_values_are_contradictions_and_rules_for_all_values_have_no_effect() {
        use FindingKind::{Contradiction, NoEffect};
        for (rules, want) in [
            ("\"a + b <= total\"", vec![(NoEffect, 6)]),
            ("\"a = 2 * b\",\n\"b < 50\"", vec![]),
            ("\"total = a + b\"", vec![(Contradiction, 6)]),
            ("\"a >= 0\",\n\"a > 100\"", vec![(Contradiction, 7), (NoEffect, 6)]),
            ("\"total = 10 * a\",\n\"a <= b\",\n\"b < 15\"", vec![(Contradiction, 0)]),
            ("\"if a > 99 then b = 7\"", vec![(NoEffect, 6)]),
            ("\"if a > 9 then b > 100\"", vec![]),
            ("\"if total > 9 then b > 100\"", vec![(Contradiction, 6)]),
        ] {
            let mut findings = contradictions(&template_file(rules));
            findings.sort_by_key(|finding| finding.severity);
            let found: Vec<_> = findings.iter().map(|finding| (finding.kind, finding.line)).collect();
            let is_same = |(got, want): (&(FindingKind, Option<usize>), &(FindingKind, usize))| {
                got.0 == want.0 && (want.1 == 0 || got.1 == Some(want.1))
            };
            assert!(found.len() == want.len() && found.iter().zip(&want).all(is_same), "{rules}: {findings:#?}");
        }
    }

    /// Bound propagation misses it; drawing values finds it.
    #[test]
    fn cyclic_rules_are_found_by_drawing_values() {
        let findings = contradictions(&template_file("\"a < b\",\n\"b < a\""));
        assert_eq!(findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::Contradiction]);
    }

    #[test]
    fn contradictory_checks_of_field_are_found() {
        let text = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\n[[field]]\nname = \"a\"\nkind = \"integer\"\n\
                    digits = [1, 2]\nbox = [20, 20, 40, 8]\nrange = [100, 200]\n[[field]]\nname = \"b\"\nkind = \"code\"\n\
                    comb = { at = [20, 40], cell = [6, 8], groups = [4] }\ncheck_digit = \"damm\"\nallowed = [\"5724\", \"5727\"]\n";
        let file = TemplateFile::parse("t.toml", text).expect("it is a template");
        let findings = check_contradictions(&file);
        let found: Vec<_> = findings.iter().map(|f| (f.severity, f.field.as_deref())).collect();
        assert_eq!(found, [(Severity::Fault, Some("a")), (Severity::Risk, Some("b"))]);
        assert!(findings[1].detail.contains("\"5727\" fails its own check: damm"), "{}", findings[1]);
    }

    #[test]
    fn names_of_other_forms_are_searched_in_all_templates() {
        let this = template_file("\"total = x.sum\"");
        let strip = |name: &str, field: &str| {
            let text = format!(
                "name = \"{name}\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"{field}\"\nkind = \"integer\"\n"
            );
            formread_core::form::parse_template(&text).expect("it is well formed")
        };
        let found =
            |others: &[FormTemplate]| unknown_names(&this, &[std::slice::from_ref(&this.template), others].concat());
        assert_eq!(found(&[strip("x", "sum")]), None);
        for others in [vec![], vec![strip("x", "total")]] {
            let finding = found(&others).expect("it is not there");
            assert_eq!((finding.kind, finding.line), (FindingKind::UnknownName, Some(6)));
            assert!(!finding.remedy.is_empty(), "{finding}");
        }
    }
}
