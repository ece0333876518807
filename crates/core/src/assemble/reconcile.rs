//! Joint decoding of fields under arithmetic rules: the rules of a document choose among the readings, and check them.
//!
//! Each field has readings with probabilities. A combination of readings that breaks a rule is unlikely, because few writers
//! err. Exact search finds the most likely combination, and the probability of each reading given the rules. So a rule that
//! holds raises the confidence of its fields; a doubtful digit is replaced by the one that satisfies the sum; and a sum that
//! is clearly written and wrong stays wrong, and needs review.

use super::{
    AcceptTable, FieldState, FieldValue, PageRecord, ReviewReason, RuleCorrection,
    across::{BlockedFields, DocumentRules},
    document::{Document, DocumentField, DocumentRule, Group, groups},
    params::RuleParams,
    search::{Choice, Constraint, Variable, search},
};
use crate::form::{Bounds, Field, FieldChecks, FieldKind, FormTemplate, Relation, Rule};

/// Limits of every probability: no reading is certain or impossible.
const MIN_PROBABILITY: f64 = 1e-6;

/// Applies the rules of the forms of a document, and the checks of each field. `pages` are those of one scan file, in their
/// order, of forms of `templates`. Fields that need review because of their ink stay as they are; a rule that names one of
/// them is not decided.
///
/// A rule applies to each page of its form. A field of another form means the sum over all pages of that form; the rule
/// does not apply where there is none, or where a page that is not blank could not be read and may be one.
///
/// A page of a document of which some page is present must occur once. Where it is missing or could not be read, a rule that
/// names one of its fields cannot be evaluated, and fields that it names on other pages, though confident enough, need review
/// as `missing-page:` and the form. Where it occurs several times, the rule uses the first copy if all copies are equal and
/// confident enough; if not, or if they differ afterwards, the fields that it names need review as `surplus-page:` and the
/// form.
///
/// Each field starts from its reading before any rule: pages may have been reconciled one by one first.
///
/// Exact as long as no group of fields that rules connect needs more than [`RuleParams::max_tried`] readings. Past it, each
/// page is reconciled by its own rules, and rules across pages only check. Where the rules of one page need more, too, they
/// only check: no reading and no confidence changes.
pub fn reconcile(templates: &[FormTemplate], pages: &mut [PageRecord], accept: &AcceptTable, params: &RuleParams) {
    let document = Document::new(templates, pages);
    let DocumentRules { evaluable, blocked, duplicated } = document.rules();
    let fields: Vec<usize> = (0..document.fields.len()).collect();
    let mut work =
        Work { numbers: vec![Bounds::ANY; fields.len()], places: vec![0; fields.len()], document, accept, params };
    for group in groups(&fields, evaluable.iter()) {
        work.settle(&group);
    }
    let document = &mut work.document;
    let differ = duplicated
        .iter()
        .filter(|duplicate| document.copies_differ(&duplicate.copies))
        .map(|duplicate| &duplicate.blocked);
    let all: Vec<&BlockedFields> = blocked.iter().chain(differ).collect();
    all.into_iter().for_each(|blocked| document.block(blocked));
}

/// A document that is being reconciled.
struct Work<'a> {
    document: Document<'a>,
    accept: &'a AcceptTable,
    params: &'a RuleParams,
    /// The numbers that the search has picked, by field.
    numbers: Vec<Bounds>,
    /// For each field, its index in its group.
    places: Vec<usize>,
}

fn constraint<'r>(rule: &'r Rule, variables: Vec<usize>, params: &RuleParams) -> Constraint<'r> {
    let is_equality = rule.claim.relation == Relation::Equal && rule.condition.is_none();
    let chance = if is_equality { params.chance_of_equality } else { params.chance_of_order };
    Constraint { rule, variables, unknown_cost: params.unknown_cost(chance), broken_cost: params.broken_cost(chance) }
}

impl RuleParams {
    /// Cost of a rule that cannot be decided, against one that holds: writers keep rules, or they hold by `chance`.
    fn unknown_cost(&self, chance: f64) -> f64 {
        ((1.0 - self.broken_share) / chance).ln().max(0.0)
    }

    /// Cost of a rule that does not hold, against one that holds.
    fn broken_cost(&self, chance: f64) -> f64 {
        ((1.0 - self.broken_share) / (self.broken_share * chance)).ln()
    }
}

/// The choices of a field, most likely first.
fn choices(field: &Field, value: &FieldValue, params: &RuleParams) -> Vec<Choice> {
    let unlisted = |probability: f64| Choice { text: None, number: field.bounds(), cost: -probability.ln() };
    if !is_open_to_rules(&value.state) {
        return vec![unlisted(1.0)];
    }
    if value.unconstrained.is_settled {
        return vec![Choice { text: Some(value.guess.clone()), number: bounds(field, &value.guess), cost: 0.0 }];
    }
    let sure = value.confidence.clamp(MIN_PROBABILITY, 1.0 - MIN_PROBABILITY);
    let others: Vec<(&str, f64)> = value
        .alternatives
        .iter()
        .filter(|other| other.text != value.guess)
        .map(|other| (other.text.as_str(), other.probability.max(MIN_PROBABILITY).powf(params.share_exponent)))
        .collect();
    let all: f64 = others.iter().map(|(_, share)| share).sum();
    // a list of values or a check digit also makes unlisted readings unlikely
    let has_check = !field.checks.allowed.is_empty() || field.checks.check_digit.is_some();
    let unlisted_cost = if has_check { params.unknown_cost(params.chance_of_check) } else { 0.0 };
    // where unused cells are filled, ink is always writing
    let may_be_nothing = !value.guess.is_empty() && field.fillers.is_empty() && !field.checks.is_required;
    let nothing_share = if may_be_nothing { params.nothing_share * (1.0 - sure) } else { 0.0 };
    let unlisted_share = if others.is_empty() { 1.0 - nothing_share } else { params.unlisted_share };
    let listed_share = 1.0 - nothing_share - unlisted_share;
    let listed = |(text, share): (&str, f64)| (text.to_owned(), (1.0 - sure) * listed_share * share / all);
    let readings = [(value.guess.clone(), sure)].into_iter().chain(others.into_iter().map(listed));
    let mut choices: Vec<Choice> = readings
        .map(|(text, probability)| {
            let own = if broken_by(field, &text).is_some() { params.broken_cost(params.chance_of_check) } else { 0.0 };
            Choice { number: bounds(field, &text), text: Some(text), cost: own - probability.ln() }
        })
        .collect();
    let rest = unlisted((1.0 - sure) * unlisted_share);
    choices.push(Choice { cost: rest.cost + unlisted_cost, ..rest });
    if may_be_nothing {
        // specks seldom read as an allowed value
        let fits = broken_by(field, &value.guess).is_none();
        let rest = unlisted((1.0 - sure) * nothing_share);
        choices.push(Choice {
            number: Bounds::exactly(0.0),
            cost: rest.cost + if fits { unlisted_cost } else { 0.0 },
            ..rest
        });
    }
    choices.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    choices
}

/// Whether rules may change a field: its state depends only on the probability of its reading.
fn is_open_to_rules(state: &FieldState) -> bool {
    match state {
        FieldState::Accepted | FieldState::Blank => true,
        FieldState::Review(reason) => matches!(reason, ReviewReason::LowConfidence | ReviewReason::ImpossibleDate),
    }
}

/// The bounds of the number that a field's text means.
fn bounds(field: &Field, text: &str) -> Bounds {
    number(text).map_or(field.bounds(), Bounds::exactly)
}

/// The number of a text in rules: 0 for blank, for a date the number of its digits, year first.
pub fn number(text: &str) -> Option<f64> {
    match text {
        "" => Some(0.0),
        date if date.len() == 10 && date.as_bytes()[4] == b'-' => date.replace('-', "").parse().ok(),
        number => number.parse().ok(),
    }
}

/// The check of its own that a value does not pass.
fn broken_by(field: &Field, text: &str) -> Option<ReviewReason> {
    if text.is_empty() {
        return field.checks.is_required.then_some(ReviewReason::Missing);
    }
    if matches!(field.kind, FieldKind::Date { .. }) && !super::canonical::is_date(text) {
        return Some(ReviewReason::ImpossibleDate);
    }
    field.checks.failed_check(text).map(|check| ReviewReason::FailedCheck(check.to_owned()))
}

impl Work<'_> {
    /// Finds the most likely combination and sets the fields to it.
    fn settle(&mut self, group: &Group<'_>) {
        let variables = self.variables(group);
        let constraints = self.constraints(group);
        let found = search(&variables, &constraints, &mut self.numbers, self.params);
        let is_complete = found.left > 0;
        if !is_complete && group.rules.iter().any(|rule| rule.spans_pages) {
            return self.settle_by_page(group);
        }
        let fields = &mut self.document.fields;
        let own_of = |variable: &Variable| {
            let guess = &fields[variable.field_idx].value.guess;
            variable.choices.iter().position(|choice| choice.text.as_ref() == Some(guess)).unwrap_or(0)
        };
        let own: Vec<usize> = variables.iter().map(own_of).collect();
        let picked = if is_complete { &found.best } else { &own };
        for (variable, &choice) in variables.iter().zip(picked) {
            self.numbers[variable.field_idx] = variable.choices[choice].number;
        }
        let broken_rules = broken_rules(&constraints, variables.len(), &self.numbers);
        for (place, variable) in variables.iter().enumerate() {
            let DocumentField { template, field, value } = &mut fields[variable.field_idx];
            if !is_open_to_rules(&value.state) {
                continue;
            }
            // an unlisted reading has no text, and no rule makes a field blank
            let choice_idx = if variable.choices[picked[place]].text.is_some() { picked[place] } else { own[place] };
            let Some(text) = &variable.choices[choice_idx].text else { continue };
            let weights = &found.weights[place];
            let is_checked = field.checks != FieldChecks::default() || matches!(field.kind, FieldKind::Date { .. });
            if is_complete && (!constraints.is_empty() || is_checked) {
                value.confidence = weights[choice_idx] / weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            }
            let is_changed = *text != value.guess;
            if is_changed {
                let own_check = broken_by(field, &value.guess).map(|reason| match reason {
                    ReviewReason::FailedCheck(check) => check,
                    other => other.word().into_owned(),
                });
                let by_rule = || {
                    let number = variable.choices[own[place]].number;
                    rule_behind_correction(&constraints, place, variable.field_idx, number, &self.numbers)
                };
                let by = own_check.or_else(by_rule).unwrap_or_default();
                value.correction = Some(RuleCorrection { from: value.guess.clone(), by });
                value.guess.clone_from(text);
            }
            let accept = self.accept.of(&template.name, &field.name);
            let is_sure = accept.accepts(value.confidence)
                && (!is_changed || value.confidence >= accept.min_confidence_corrected);
            let failed = broken_rules[place].map(|rule| ReviewReason::FailedCheck(rule.text.clone()));
            value.state = match failed.or_else(|| broken_by(field, text)) {
                Some(reason) => FieldState::Review(reason),
                None if !is_sure => FieldState::Review(ReviewReason::LowConfidence),
                None if text.is_empty() => FieldState::Blank,
                None => FieldState::Accepted,
            };
        }
    }

    /// Reconciles each page by its own rules; rules across pages only check the result.
    fn settle_by_page(&mut self, group: &Group<'_>) {
        let (across, own): (Vec<&DocumentRule>, Vec<&DocumentRule>) =
            group.rules.iter().partition(|rule| rule.spans_pages);
        for part in groups(&group.fields, own.into_iter()) {
            self.settle(&part);
        }
        let fields = &mut self.document.fields;
        for DocumentRule { rule, .. } in across {
            let known = |field_idx: usize| {
                let DocumentField { field, value, .. } = &fields[field_idx];
                if is_open_to_rules(&value.unconstrained.state) { bounds(field, &value.guess) } else { field.bounds() }
            };
            if rule.holds(&known) != Some(false) {
                continue;
            }
            for field in rule.fields() {
                let value = &mut fields[field].value;
                let has_failed = matches!(value.state, FieldState::Review(ReviewReason::FailedCheck(_)));
                if is_open_to_rules(&value.unconstrained.state) && !has_failed {
                    value.state = FieldState::Review(ReviewReason::FailedCheck(rule.text.clone()));
                }
            }
        }
    }

    fn variables(&mut self, group: &Group<'_>) -> Vec<Variable> {
        let all = group.fields.iter().enumerate();
        let variable = |(place, &field_idx): (usize, &usize)| {
            self.places[field_idx] = place;
            let DocumentField { field, value, .. } = &self.document.fields[field_idx];
            Variable { field_idx, choices: choices(field, value, self.params) }
        };
        all.map(variable).collect()
    }

    fn constraints<'r>(&self, group: &Group<'r>) -> Vec<Constraint<'r>> {
        let place = |field: usize| self.places[field];
        let constraint_of = |DocumentRule { rule, .. }: &&'r DocumentRule| {
            constraint(rule, rule.fields().into_iter().map(place).collect(), self.params)
        };
        group.rules.iter().map(constraint_of).collect()
    }
}

/// For each of `n` variables, the first rule about it that does not hold.
fn broken_rules<'a>(constraints: &[Constraint<'a>], n: usize, numbers: &[Bounds]) -> Vec<Option<&'a Rule>> {
    let mut broken = vec![None; n];
    for constraint in
        constraints.iter().filter(|constraint| constraint.rule.holds(&|field| numbers[field]) == Some(false))
    {
        for &place in &constraint.variables {
            broken[place].get_or_insert(constraint.rule);
        }
    }
    broken
}

/// The first rule that the variable's number before rules, `number`, would break; else the first rule about it.
fn rule_behind_correction(
    constraints: &[Constraint<'_>],
    place: usize,
    field_idx: usize,
    number: Bounds,
    numbers: &[Bounds],
) -> Option<String> {
    let about_it = || constraints.iter().filter(|constraint| constraint.variables.contains(&place));
    let own = |field: usize| if field == field_idx { number } else { numbers[field] };
    let broken = about_it().find(|constraint| constraint.rule.holds(&own) == Some(false));
    broken.or_else(|| about_it().next()).map(|constraint| constraint.rule.text.clone())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        assemble::{Alternative, PageReading, UnconstrainedReading},
        form::parse_template,
    };
    use formread_raster::geometry::Rect;

    fn template(rules: &str) -> FormTemplate {
        let head = format!("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\nrules = [{rules}]\n");
        let field = |(i, name): (usize, &str)| {
            let y = 10 * (i + 1);
            format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [10, {y}, 50, 8]\n")
        };
        let fields: String = ["a", "b", "sum", "c"].into_iter().enumerate().map(field).collect();
        parse_template(&(head + &fields)).expect("it is well formed")
    }

    /// Readings and their shares, the first one the best.
    pub fn value(name: &str, readings: &[(&str, f64)]) -> FieldValue {
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
            bounds: Rect::default(),
            quarter_turns: 0,
            residual_px: None,
        }
    }

    pub type Readings<'a> = &'a [(&'a str, f64)];

    /// The values of one page after its rules.
    fn on_one_page(template: &FormTemplate, values: Vec<FieldValue>) -> Vec<FieldValue> {
        let reading = PageReading::Read {
            form: template.name.clone(),
            fields: values,
            residual_px: 0.0,
            has_writing_outside: false,
        };
        let mut pages = [PageRecord { page: 1, reading }];
        reconcile(std::slice::from_ref(template), &mut pages, &AcceptTable::default(), &RuleParams::default());
        let [PageRecord { reading: PageReading::Read { fields, .. }, .. }] = pages else { panic!("it was read") };
        fields
    }

    fn reconciled(rules: &str, fields: [Readings<'_>; 4]) -> Vec<FieldValue> {
        let names = ["a", "b", "sum", "c"];
        on_one_page(&template(rules), names.iter().zip(fields).map(|(name, field)| value(name, field)).collect())
    }

    const SUM: &str = "\"sum = a + b\"";

    fn states(values: &[FieldValue]) -> Vec<(&str, &FieldState)> {
        values.iter().map(|value| (value.guess.as_str(), &value.state)).collect()
    }

    #[test]
    fn sum_that_holds_raises_the_confidence_of_its_fields() {
        let doubtful: Readings<'_> = &[("17", 0.8), ("11", 0.2)];
        let values = reconciled(SUM, [doubtful, &[("5", 0.999)], &[("22", 0.999)], doubtful]);
        assert_eq!((&values[0].state, values[0].guess.as_str()), (&FieldState::Accepted, "17"));
        assert!(values[0].confidence > 0.99, "{}", values[0].confidence);
        assert_eq!(values[3], value("c", doubtful), "no rule names it");
        assert!(values.iter().all(|value| value.correction.is_none()));
    }

    #[test]
    fn doubtful_digit_is_replaced_to_satisfy_the_sum() {
        let values = reconciled(SUM, [&[("17", 0.55), ("11", 0.44)], &[("5", 0.999)], &[("16", 0.999)], &[]]);
        assert_eq!((&values[0].state, values[0].guess.as_str()), (&FieldState::Accepted, "11"));
        assert_eq!(values[0].correction, Some(RuleCorrection { from: "17".to_owned(), by: "sum = a + b".to_owned() }));
        // a confident reading is not replaced and accepted
        let values = reconciled(SUM, [&[("17", 0.95), ("11", 0.049)], &[("5", 0.999)], &[("16", 0.999)], &[]]);
        assert!(matches!(values[0].state, FieldState::Review(_)), "{:?}", values[0]);
    }

    #[test]
    fn confident_fields_with_a_wrong_sum_fail_the_check() {
        let sure = |text| [(text, 0.9995), ("99", 0.0004)];
        let values = reconciled(SUM, [&sure("17"), &sure("5"), &sure("23"), &sure("8")]);
        let failed = FieldState::Review(ReviewReason::FailedCheck("sum = a + b".to_owned()));
        assert_eq!(states(&values), [("17", &failed), ("5", &failed), ("23", &failed), ("8", &FieldState::Accepted)]);
    }

    #[test]
    fn blank_counts_zero_and_field_under_review_is_unchanged() {
        let values = reconciled(SUM, [&[("17", 0.999)], &[], &[("17", 0.999)], &[]]);
        assert_eq!((&values[1].state, &values[2].state), (&FieldState::Blank, &FieldState::Accepted));
        let mut before =
            vec![value("a", &[("17", 0.999)]), value("b", &[]), value("sum", &[("30", 0.999)]), value("c", &[])];
        before[1].state = FieldState::Review(ReviewReason::Illegible);
        before[1].unconstrained.state = before[1].state.clone();
        let values = on_one_page(&template(SUM), before.clone());
        assert_eq!(values[1], before[1]);
        assert_eq!(states(&values), states(&before));
    }

    #[test]
    fn speck_breaks_no_sum() {
        let speck: Readings<'_> = &[("1", 0.02)];
        let values = reconciled(SUM, [&[("17", 0.999)], speck, &[("17", 0.999)], &[]]);
        assert_eq!((&values[0].state, &values[2].state), (&FieldState::Accepted, &FieldState::Accepted));
        // but no rule makes a field blank
        assert_eq!((values[1].guess.as_str(), values[1].correction.is_some()), ("1", false));
        assert_eq!(values[1].state, FieldState::Review(ReviewReason::LowConfidence));
    }

    #[test]
    fn settled_field_is_never_replaced_and_the_rule_that_it_breaks_is_named() {
        let settled = |name, text: &str| {
            let mut value = value(name, &[(text, 1.0)]);
            value.unconstrained.is_settled = true;
            value
        };
        let on_page = |a: &str, others: Readings<'_>| {
            let b = value("b", others);
            let fields = vec![settled("a", a), b, settled("sum", "16"), value("c", &[])];
            on_one_page(&template("\"sum = a + b\", \"a = b\""), fields)
        };
        // even two broken rules do not replace it
        let values = on_page("2", &[("5", 0.999), ("3", 0.0005)]);
        assert_eq!((values[0].guess.as_str(), values[0].confidence), ("2", 1.0));
        assert!(
            matches!(&values[0].state, FieldState::Review(ReviewReason::FailedCheck(rule)) if rule == "sum = a + b")
        );
        let values = on_page("8", &[("3", 0.55), ("8", 0.44)]);
        assert_eq!((values[1].guess.as_str(), &values[1].state), ("8", &FieldState::Accepted));
    }

    #[test]
    fn only_the_rule_that_fails_is_named() {
        let rules = "\"sum = a + b\", \"c <= sum\"";
        let values = reconciled(rules, [&[("4", 0.999)], &[("5", 0.999)], &[("9", 0.999)], &[("12", 0.999)]]);
        let failed = FieldState::Review(ReviewReason::FailedCheck("c <= sum".to_owned()));
        assert_eq!(values[0].state, FieldState::Accepted);
        assert_eq!((&values[2].state, &values[3].state), (&failed, &failed));
    }

    #[test]
    fn field_that_fails_its_own_check_needs_review() {
        let text = "name = \"t\"\ntitle = \"t\"\nwhole_image = true\n[[field]]\nname = \"a\"\n";
        let read = |kind: &str, readings: Readings<'_>| {
            let template = parse_template(&format!("{text}{kind}\n")).expect(kind);
            on_one_page(&template, vec![value("a", readings)]).remove(0)
        };
        let review = |check: &str| FieldState::Review(ReviewReason::FailedCheck(check.to_owned()));
        let value = read("kind = \"code\"\ncheck_digit = \"damm\"", &[("5724", 0.98)]);
        assert_eq!(value.state, FieldState::Accepted);
        let value = read("kind = \"code\"\ncheck_digit = \"damm\"", &[("5721", 0.9999)]);
        assert_eq!((value.state, value.guess.as_str()), (review("damm"), "5721"));
        let value = read("kind = \"code\"\ncheck_digit = \"damm\"", &[("5721", 0.5), ("5724", 0.49)]);
        assert_eq!((value.guess.as_str(), value.correction.map(|c| c.by)), ("5724", Some("damm".to_owned())));
        let value = read("kind = \"integer\"\nrange = [1, 12]", &[("13", 0.9999)]);
        assert_eq!(value.state, review("range"));
        let value = read("kind = \"integer\"\nrequired = true", &[]);
        assert_eq!(value.state, FieldState::Review(ReviewReason::Missing));
        let date = "kind = \"date\"\norder = \"dmy\"";
        let value = read(date, &[("2020-02-31", 0.9999)]);
        assert_eq!(value.state, FieldState::Review(ReviewReason::ImpossibleDate));
        let value = read(date, &[("2020-02-31", 0.5), ("2020-02-21", 0.49)]);
        assert_eq!(value.guess, "2020-02-21");
    }

    #[test]
    fn search_is_exact_and_past_its_limit_changes_nothing() {
        // every combination, weighed one by one
        let a: Readings<'_> = &[("17", 0.5), ("11", 0.3), ("71", 0.2)];
        let b: Readings<'_> = &[("6", 0.6), ("0", 0.4)];
        let sum: Readings<'_> = &[("77", 0.4), ("17", 0.35), ("11", 0.25)];
        let form = template(SUM);
        let fields = [value("a", a), value("b", b), value("sum", sum)];
        let variables: Vec<Variable> = (0..3)
            .map(|i| Variable { field_idx: i, choices: choices(&form.fields[i], &fields[i], &RuleParams::default()) })
            .collect();
        let constraints = [constraint(&form.rules[0], vec![2, 0, 1], &RuleParams::default())];
        let found = search(&variables, &constraints, &mut [Bounds::ANY; 3], &RuleParams::default());
        let rules = RuleParams::default();
        let mut best = (f64::INFINITY, [0; 3]);
        for i in 0..variables[0].choices.len() {
            for j in 0..variables[1].choices.len() {
                for k in 0..variables[2].choices.len() {
                    let picked = [i, j, k];
                    let chosen = |place: usize| &variables[place].choices[picked[place]];
                    let holds = form.rules[0].holds(&|field| chosen(field).number);
                    let by_rule = match holds {
                        Some(true) => 0.0,
                        None => rules.unknown_cost(rules.chance_of_equality),
                        Some(false) => rules.broken_cost(rules.chance_of_equality),
                    };
                    let cost: f64 = (0..3).map(|place| chosen(place).cost).sum::<f64>() + by_rule;
                    if cost < best.0 {
                        best = (cost, picked);
                    }
                }
            }
        }
        assert_eq!(found.best, best.1);
        assert!((found.cost - best.0).abs() < 1e-9 && found.left > 0);

        // thirty fields, all in doubt, in one sum
        let names: Vec<String> = (0..30).map(|i| format!("f{i}")).collect();
        let fields: String = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [1, {}, 9, 2]\n", 3 * i + 1)
            })
            .collect();
        let rule = format!("f0 = {}", names[1..].join(" + "));
        let text = format!("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\nrules = [\"{rule}\"]\n{fields}");
        let form = parse_template(&text).expect("it is well formed");
        let doubtful = [("17", 0.3), ("11", 0.25), ("71", 0.2), ("77", 0.1), ("14", 0.05)];
        for value in on_one_page(&form, names.iter().map(|name| value(name, &doubtful)).collect()) {
            assert_eq!((value.guess.as_str(), value.confidence, value.correction), ("17", 0.3, None));
            assert!(matches!(value.state, FieldState::Review(ReviewReason::FailedCheck(_))));
        }
    }
}
