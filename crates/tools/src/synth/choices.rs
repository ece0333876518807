//! Values that depend on others: numbers derived under a condition, and groups of tick boxes of which one is ticked.

use rand::RngExt;

use super::Dice;
use formread_core::form::{Bounds, Comparison, FieldKind, FormTemplate, Relation, Rule, Sum};

/// A rule such as `if a > b then total = a - b`.
pub(super) struct Conditional<'a> {
    condition: &'a Comparison,
    /// The field that it derives.
    pub total: usize,
    pub sum: &'a Sum,
}

impl Conditional<'_> {
    /// Whether its condition holds, and not all fields that it names are blank.
    pub fn applies(&self, numbers: &[Option<f64>]) -> bool {
        let bounds = |field: usize| Bounds::exactly(numbers[field].unwrap_or(0.0));
        let sums = [&self.condition.left, &self.condition.right, self.sum];
        let mut named = sums.into_iter().flat_map(|sum| &sum.terms);
        named.any(|(_, field)| numbers[*field].is_some()) && self.condition.holds(&bounds) == Some(true)
    }
}

/// The rules of `template` that derive a number under a condition.
pub(super) fn conditionals(template: &FormTemplate) -> Vec<Conditional<'_>> {
    template.own_rules().filter_map(|rule| conditional(template, rule)).collect()
}

fn conditional<'a>(template: &FormTemplate, rule: &'a Rule) -> Option<Conditional<'a>> {
    let Comparison { left, relation, right, .. } = &rule.claim;
    let [(factor, total)] = left.terms[..] else { return None };
    let is_number = matches!(template.fields[total].kind, FieldKind::Integer | FieldKind::Amount { .. });
    let is_definition = *relation == Relation::Equal && factor == 1.0 && left.constant == 0.0;
    let condition = rule.condition.as_ref().filter(|_| is_definition && is_number)?;
    Some(Conditional { condition, total, sum: right })
}

/// For each group of tick boxes that a rule limits to one (`a + b + c = 1`, or `<= 1`), the values that keep the rule: `1` for the
/// box that is ticked, nothing for the others.
pub(super) fn choose_marks(
    template: &FormTemplate,
    numbers: &[Option<f64>],
    dice: &mut Dice,
) -> Vec<(usize, Option<&'static str>)> {
    let is_mark =
        |(factor, i): &(f64, usize)| *factor == 1.0 && matches!(template.fields[*i].kind, FieldKind::Mark { .. });
    let mut chosen = Vec::new();
    for rule in template.own_rules().filter(|rule| rule.condition.is_none()) {
        let Comparison { left, relation, right, .. } = &rule.claim;
        let is_group = left.terms.len() > 1 && left.terms.iter().all(is_mark) && left.constant == 0.0;
        let is_one = right.terms.is_empty() && right.constant == 1.0;
        if !is_group || !is_one || !matches!(relation, Relation::Equal | Relation::AtMost) {
            continue;
        }
        let ticked: Vec<usize> = left.terms.iter().map(|(_, i)| *i).filter(|i| numbers[*i] == Some(1.0)).collect();
        let wanted = match (ticked.len(), relation) {
            (0, Relation::AtMost) => None,
            (0, _) => Some(left.terms[dice.random_range(0..left.terms.len())].1),
            (n, _) => Some(ticked[dice.random_range(0..n)]),
        };
        chosen.extend(left.terms.iter().map(|(_, i)| (*i, (wanted == Some(*i)).then_some("1"))));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{Entry, draw_values};
    use formread_core::form::parse_template;
    use rand::SeedableRng;

    /// Values of ten pages of a form with these rules between integers a, b, c, d and tick boxes x, y, z.
    fn values(rules: &str) -> Vec<Vec<Entry>> {
        let field = |(i, name): (usize, &str)| match name {
            "x" | "y" | "z" => {
                format!("[[field]]\nname = \"{name}\"\nkind = \"mark\"\nbox = [10, {}, 5, 5]\n", 10 + 10 * i)
            }
            _ => format!(
                "[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [10, {}, 50, 8]\ndigits = [1, 4]\n",
                10 + 10 * i
            ),
        };
        let fields: String = ["a", "b", "c", "d", "x", "y", "z"].into_iter().enumerate().map(field).collect();
        let text = format!("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\nrules = [{rules}]\n{fields}");
        let form = parse_template(&text).expect("it is well formed");
        let mut dice = Dice::seed_from_u64(1);
        (0..10).map(|_| draw_values(&form, 0.1, &mut dice).expect("there are such values")).collect()
    }

    fn number(entry: &Entry) -> i64 {
        entry.value.parse().unwrap_or(0)
    }

    #[test]
    fn conditional_sums_hold_and_other_fields_stay_blank() {
        let pages = values("\"if a > b then c = a - b\", \"d = c + b\"");
        for page in &pages {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| number(&page[i]));
            assert_eq!(c, (a - b).max(0), "{page:?}");
            assert_eq!(d, c + b, "{page:?}");
            assert!(a > b || page[2].value.is_empty(), "{page:?}");
        }
        assert!(pages.iter().any(|page| number(&page[2]) > 0) && pages.iter().any(|page| page[2].value.is_empty()));
    }

    #[test]
    fn one_box_of_a_group_is_ticked() {
        let ticked = |page: &Vec<Entry>| (4..7).map(|i| number(&page[i])).sum::<i64>();
        assert!(values("\"x + y + z = 1\"").iter().all(|page| ticked(page) == 1));
        assert!(values("\"x + y <= 1\"").iter().all(|page| number(&page[4]) + number(&page[5]) <= 1));
    }
}
