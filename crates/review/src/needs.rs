//! The solution of a document -> which of its fields somebody must read, and which of them wait for others.
//!
//! Fields that a rule connects are asked one after the other, because an answer may free the rest: first the one whose ink speaks least
//! for what the machine now takes it for. The others are then confirmed by a sum, not changed by it, and less is needed to be sure of
//! them. What one person read and nobody confirmed waits until the open fields of its sums are read: a sum that holds then saves a second
//! person.

use std::collections::BTreeMap;

use crate::{
    queue::Need,
    solve::{Contested, Outcome, Place, Readings, Rules, Solution, field_of, is_open, is_sum, with_outcomes},
};
use formread_core::{
    assemble::{FieldValue, PageReading, PageRecord},
    form::Rule,
};

/// What somebody must read. `pages` are all pages of a file, as the machine read them, `solution` is what they are with the answers.
pub fn needs(pages: &[PageRecord], readings: &Readings, solution: &Solution, rules: &Rules) -> BTreeMap<Place, Need> {
    // what leans on a contested field waits until that is settled
    let as_read = match solution.outcomes.values().any(|outcome| *outcome == Outcome::Contested) {
        true => &with_outcomes(pages, &solution.outcomes, Contested::IsAsRead, rules),
        false => &solution.pages,
    };
    let mut needs = BTreeMap::new();
    for (page_idx, page) in (0..).zip(&solution.pages) {
        let PageReading::Read { form, fields, .. } = &page.reading else { continue };
        let template = rules.templates.iter().find(|template| template.name == *form);
        let form_rules = template.map_or(&[][..], |template| template.rules.as_slice());
        let place = |field: usize| Place { page: page_idx, field: field as u32 };
        let is_asked: Vec<bool> = (0..fields.len())
            .map(|field| match solution.outcomes.get(&place(field)) {
                Some(outcome) => *outcome == Outcome::Contested,
                None => is_open(&fields[field]) && field_of(as_read, place(field)).is_some_and(is_open),
            })
            .collect();
        let n_read = |field: usize| readings.get(&place(field)).map_or(0, Vec::len);
        let is_unread = |field: usize| field < fields.len() && is_asked[field] && n_read(field) == 0;
        let is_before = |one: usize, other: usize| by_ink(&fields[one]) < by_ink(&fields[other]);
        let waits = |field: usize, rule: &Rule| match n_read(field) {
            0 => rule.fields().into_iter().any(|other| other != field && is_unread(other) && is_before(other, field)),
            1 => is_sum(rule) && rule.fields().into_iter().any(is_unread),
            _ => false,
        };
        for (field, is_asked) in is_asked.iter().enumerate() {
            let mut about_it = form_rules.iter().filter(|rule| rule.fields().contains(&field));
            let need = match is_asked {
                false => Need::None,
                true if about_it.any(|rule| waits(field, rule)) => Need::Later,
                true => Need::Now,
            };
            needs.insert(place(field), need);
        }
    }
    needs
}

/// How sure the machine is, by the ink alone, of what it takes a field for.
fn by_ink(FieldValue { guess, unconstrained, alternatives, .. }: &FieldValue) -> f64 {
    if *guess == unconstrained.guess {
        return unconstrained.confidence;
    }
    alternatives.iter().find(|other| other.text == *guess).map_or(0.0, |other| other.probability)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        answer::Reading,
        solve::{
            fixture::{person, record, rules_of},
            solve,
        },
    };

    /// What must be read of a page with `sum = a + b` after these answers, by index of the field.
    fn needs_of(fields: &[(&str, &[(&str, f64)])], answers: &[(u32, Reading)]) -> Vec<Need> {
        let (rules, pages) = (rules_of("rules = [\"sum = a + b\"]", &["a", "b", "sum"]), [record(1, fields)]);
        let mut readings = Readings::new();
        for (field, reading) in answers {
            readings.entry(Place { page: 0, field: *field }).or_default().push(reading.clone());
        }
        let solution = match answers {
            [] => Solution { pages: pages.to_vec(), outcomes: BTreeMap::new() },
            _ => solve(&pages, &readings, &|_| false, &rules),
        };
        needs(&pages, &readings, &solution, &rules).into_values().collect()
    }

    #[test]
    fn fields_of_a_sum_are_asked_one_after_the_other_the_least_sure_first() {
        let fields: &[(&str, &[(&str, f64)])] =
            &[("a", &[("17", 0.7), ("11", 0.2)]), ("b", &[("5", 0.6), ("6", 0.3)]), ("sum", &[("22", 0.999)])];
        assert_eq!(needs_of(fields, &[]), [Need::Later, Need::Now, Need::None]);
        assert_eq!(needs_of(fields, &[(1, person("ann", "5"))]), [Need::None; 3], "17 is what the sum needs");
    }

    #[test]
    fn second_person_is_asked_after_all_fields_of_the_sum_were_read() {
        let fields: &[(&str, &[(&str, f64)])] =
            &[("a", &[("17", 0.6), ("11", 0.3)]), ("b", &[("5", 0.999)]), ("sum", &[("99", 0.6), ("98", 0.3)])];
        let a = (0, person("ann", "40"));
        assert_eq!(needs_of(fields, std::slice::from_ref(&a)), [Need::Later, Need::None, Need::Now]);
        assert_eq!(needs_of(fields, &[a.clone(), (2, person("ann", "45"))]), [Need::None; 3], "the sum holds");
        assert_eq!(needs_of(fields, &[a, (2, person("ann", "46"))]), [Need::Now, Need::None, Need::Now]);
    }
}
