//! The solution of a document -> which of its fields somebody must read, and which of them wait for others.
//!
//! Fields that a rule connects are asked one after the other, because an answer may free the rest: first the one that the machine is
//! least sure of. What one person read and nobody confirmed waits until the open fields of its sums are read: a sum that holds then
//! saves a second person.

use std::collections::BTreeMap;

use crate::{
    queue::Need,
    solve::{Contested, Outcome, Place, Readings, Rules, Solution, field_of, is_open, is_sum, with_outcomes},
};
use formread_core::{
    assemble::{PageReading, PageRecord},
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
        let is_before = |one: usize, other: usize| {
            let sure = |field: usize| field_of(pages, place(field)).map_or(0.0, |value| value.unconstrained.confidence);
            (sure(one), one) < (sure(other), other)
        };
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
