//! Findings about rules: names that are not there, rules that no values keep, rules that all do.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::synth::draw_values;
use crate::template::{
    file::{TemplateFile, parted},
    finding::{Finding, FindingKind, Severity},
};
use formread_core::form::{
    Bounds, Comparison, DecimalPoint, Field, FieldKind, FormTemplate, Relation, Rule, Sum, check_other_fields,
};

/// How often bounds are narrowed by all rules: each time they shrink by as much as a chain of rules is long.
const ROUNDS: usize = 100;
/// What binary fractions of hundredths may add up to.
const ROUNDING: f64 = 1e-6;
/// Largest date as a number, year first.
const LAST_DATE: f64 = 9999.0 * 1e4 + 1231.0;

/// Rules that name forms or fields which are not among `all` templates.
pub(super) fn unknown_names(candidate: &TemplateFile, all: &[FormTemplate]) -> Option<Finding> {
    // each template is held against all, and only this one's rules are looked at
    let known = all.iter().map(|other| match other.name == candidate.template.name {
        true => candidate.template.clone(),
        false => FormTemplate { other_fields: Vec::new(), ..other.clone() },
    });
    let error = check_other_fields(&known.collect::<Vec<_>>()).err()?;
    let (detail, remedy) = parted(&error);
    let finding = candidate.finding(Severity::Fault, FindingKind::UnknownName, detail).with_remedy(remedy);
    Some(Finding { line: error.location().line, ..finding })
}

/// Rules and checks that no values keep, and rules that say nothing.
pub(super) fn contradictions(candidate: &TemplateFile) -> Vec<Finding> {
    let template = &candidate.template;
    let mut findings = checks(candidate);
    let bounds: Vec<Bounds> = template.fields.iter().map(bounds).collect();
    let bounds_of = |idx: usize| bounds.get(idx).copied().unwrap_or(Bounds::ANY);
    let at = |rule: &Rule, severity, kind, detail: String| candidate.finding(severity, kind, detail).at_line(rule.line);
    let mut cannot = false;
    for rule in &template.rules {
        let Rule { text, condition, claim, .. } = rule;
        let holds = claim.holds(&bounds_of);
        match condition.as_ref().map(|condition| condition.holds(&bounds_of)) {
            Some(Some(false)) => {
                let detail =
                    format!("rule: {text:?}: its condition never holds: {}", told(condition.as_ref(), &bounds_of));
                let finding = at(rule, Severity::Advice, FindingKind::NoEffect, detail);
                findings.push(finding.with_remedy("leave it out, or look at digits and range of its fields"));
            }
            _ if holds == Some(true) => {
                let detail = format!("rule: {text:?}: all values keep it: {}", told(Some(claim), &bounds_of));
                let finding = at(rule, Severity::Advice, FindingKind::NoEffect, detail);
                findings.push(finding.with_remedy("leave it out, or look at digits and range of its fields"));
            }
            None | Some(Some(true)) if holds == Some(false) => {
                cannot = true;
                let detail = format!("rule: {text:?}: no values keep it: {}", told(Some(claim), &bounds_of));
                let finding = at(rule, Severity::Fault, FindingKind::Contradiction, detail);
                findings.push(finding.with_remedy("look at digits, decimals and range of its fields"));
            }
            _ => {}
        }
    }
    if cannot || findings.iter().any(|finding| finding.severity == Severity::Fault) {
        return findings;
    }
    if let Some((rule, field)) = narrowed_to_nothing(template, bounds) {
        let name = &template.fields[field].name;
        let detail = format!("rule: {:?}: with the other rules it leaves no value for {name}", rule.text);
        let finding = at(rule, Severity::Fault, FindingKind::Contradiction, detail);
        findings.push(finding.with_remedy("one of the rules that name it contradicts another"));
    } else if let Err(error) = draw_values(template, 0.0, &mut ChaCha8Rng::seed_from_u64(1)) {
        let (detail, _) = parted(&error);
        let finding = candidate.finding(Severity::Risk, FindingKind::Contradiction, detail);
        let line = template.rules.first().map_or(candidate.lines.name, |rule| rule.line);
        findings.push(
            finding.at_line(line).with_remedy("rules may contradict each other, or leave little room for values"),
        );
    }
    findings
}

/// Fields whose own checks no value passes, and listed values that another check refuses.
fn checks(candidate: &TemplateFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (idx, field) in candidate.template.fields.iter().enumerate() {
        let of = |severity, detail: String| candidate.of_field(idx, severity, FindingKind::Contradiction, detail);
        let Bounds { min: least, max: most } = digits_bounds(field);
        if let Some([from, to]) =
            field.checks.range.filter(|[from, to]| *from > most + ROUNDING || *to < least - ROUNDING)
        {
            let detail = format!("range {from} to {to}: its digits say {least} to {most}");
            findings.push(of(Severity::Fault, detail).with_remedy("look at digits, decimals and signed"));
        }
        for value in &field.checks.allowed {
            let number = value.parse::<f64>().ok();
            let is_out = number.is_some_and(|n| n > most + ROUNDING || n < least - ROUNDING);
            let broken = field.checks.failed_check(value).or(is_out.then_some("digits"));
            if let Some(check) = broken {
                let detail = format!("allowed value {value:?}: it does not pass its own {check}");
                findings
                    .push(of(Severity::Risk, detail).with_remedy("it will never be read: correct it or leave it out"));
            }
        }
    }
    findings
}

/// What the number in a field can be by its digits alone.
fn digits_bounds(field: &Field) -> Bounds {
    let power = |n: usize| 10f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    let most = match &field.kind {
        FieldKind::Integer | FieldKind::Code => power(field.digits.max) - 1.0,
        FieldKind::Amount { point: DecimalPoint::Written, .. } => power(field.digits.max) - 1.0,
        FieldKind::Amount { decimals, .. } => (power(field.digits.max) - 1.0) / power(*decimals),
        FieldKind::Date { .. } => LAST_DATE,
        FieldKind::Mark { .. } => 1.0,
    };
    Bounds { min: if field.is_signed { -most } else { 0.0 }, max: most }
}

/// What it can be in a sum, where a blank counts as nothing.
fn bounds(field: &Field) -> Bounds {
    let Bounds { min: mut least, max: mut most } = digits_bounds(field);
    if let Some([from, to]) = field.checks.range {
        (least, most) = (least.max(from), most.min(to));
    }
    let allowed: Vec<f64> = field.checks.allowed.iter().filter_map(|value| value.parse().ok()).collect();
    if !allowed.is_empty() {
        least = least.max(allowed.iter().copied().fold(f64::INFINITY, f64::min));
        most = most.min(allowed.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let others = field.fillers_mean.as_ref().and_then(|meaning| meaning.parse().ok());
    let blank = (!field.checks.is_required).then_some(0.0);
    for other in others.into_iter().chain(blank) {
        (least, most) = (least.min(other), most.max(other));
    }
    Bounds { min: least, max: most }
}

/// `left is 0 to 99, right is 100 to 200`.
fn told(comparison: Option<&Comparison>, bounds_of: &dyn Fn(usize) -> Bounds) -> String {
    let Some(Comparison { left, right, .. }) = comparison else { return String::new() };
    let side = |sum: &Sum| {
        let of = |pick: fn(f64, f64) -> f64| {
            let term = |&(factor, idx): &(f64, usize)| {
                let Bounds { min: least, max: most } = bounds_of(idx);
                if factor == 0.0 { 0.0 } else { pick(factor * least, factor * most) }
            };
            sum.constant + sum.terms.iter().map(term).sum::<f64>()
        };
        format!("{} to {}", of(f64::min), of(f64::max))
    };
    format!("left is {}, right is {}", side(left), side(right))
}

/// Narrows what each field can be by every rule without a condition, in turn; the rule and field at which nothing is left.
/// (Bound propagation, as in Davis, "Constraint propagation with interval labels", 1987.) It may miss a contradiction.
fn narrowed_to_nothing(template: &FormTemplate, mut bounds: Vec<Bounds>) -> Option<(&Rule, usize)> {
    let n = bounds.len();
    for _ in 0..ROUNDS {
        let before = bounds.clone();
        for rule in template.own_rules().filter(|rule| rule.condition.is_none()) {
            let Comparison { left, relation, right, tolerance } = &rule.claim;
            // sum of factor * field, which is from low to high
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
                let (least, most) = others.fold((0.0, 0.0), |(least, most), other| {
                    let (a, b) = (factors[other] * bounds[other].min, factors[other] * bounds[other].max);
                    (least + a.min(b), most + a.max(b))
                });
                let (a, b) = ((low - most) / factors[idx], (high - least) / factors[idx]);
                let Bounds { min: least, max: most } = &mut bounds[idx];
                (*least, *most) = (least.max(a.min(b)), most.min(a.max(b)));
                if *least > *most + ROUNDING {
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

    fn candidate(rules: &str) -> TemplateFile {
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
    fn rules_that_no_values_keep_are_told_from_those_that_some_do() {
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
            let mut findings = contradictions(&candidate(rules));
            findings.sort_by_key(|finding| finding.severity);
            let found: Vec<_> = findings.iter().map(|finding| (finding.kind, finding.line)).collect();
            let is_same = |(got, want): (&(FindingKind, Option<usize>), &(FindingKind, usize))| {
                got.0 == want.0 && (want.1 == 0 || got.1 == Some(want.1))
            };
            assert!(found.len() == want.len() && found.iter().zip(&want).all(is_same), "{rules}: {findings:#?}");
        }
    }

    /// What narrowing cannot see is seen by whoever tries to write such a form.
    #[test]
    fn rules_in_a_circle_are_found_by_drawing() {
        let findings = contradictions(&candidate("\"a < b\",\n\"b < a\""));
        assert_eq!(findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [FindingKind::Contradiction]);
    }

    #[test]
    fn checks_that_refuse_each_other_are_found() {
        let text = "name = \"t\"\ntitle = \"t\"\npage = [210, 297]\n[[field]]\nname = \"a\"\nkind = \"integer\"\n\
                    digits = [1, 2]\nbox = [20, 20, 40, 8]\nrange = [100, 200]\n[[field]]\nname = \"b\"\nkind = \"code\"\n\
                    comb = { at = [20, 40], cell = [6, 8], groups = [4] }\ncheck_digit = \"damm\"\nallowed = [\"5724\", \"5727\"]\n";
        let candidate = TemplateFile::parse("t.toml", text).expect("it is a template");
        let findings = checks(&candidate);
        let found: Vec<_> = findings.iter().map(|f| (f.severity, f.field.as_deref())).collect();
        assert_eq!(found, [(Severity::Fault, Some("a")), (Severity::Risk, Some("b"))]);
        assert!(findings[1].detail.contains("\"5727\": it does not pass its own damm"), "{}", findings[1]);
    }

    #[test]
    fn names_of_other_forms_are_looked_up_among_all() {
        let this = candidate("\"total = x.sum\"");
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
