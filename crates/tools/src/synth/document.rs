//! A document of several pages: one person's values, which keep the rules across pages, and one hand.

use rand::SeedableRng;

use super::{Dice, GlyphStock, SynthOptions, SynthPage, draw_page, draw_values, values::Entry, writing::Writer};
use formread_core::form::{FormTemplate, Rule};
use formread_raster::error::Result;

/// Draws, fills in and degrades document number `document_idx` (from 0) of a deck: a page of each of `templates`, in
/// their order. Of one template it is the page that [`super::synthesise`] draws.
///
/// # Errors
/// `Usage` where an option is out of its range, or no values keep the forms' rules.
pub fn synthesise_document(
    templates: &[FormTemplate],
    glyphs: &GlyphStock,
    options: &SynthOptions,
    document_idx: u64,
) -> Result<Vec<SynthPage>> {
    options.check()?;
    let Some(joined) = joined(templates) else { return Ok(Vec::new()) };
    let n_pages = templates.len() as u64;
    // what is written stays the same however the page is degraded
    let dice = |page: u64, stream: u64| {
        let mut dice = Dice::seed_from_u64(options.seed);
        let page_idx = document_idx.wrapping_mul(n_pages).wrapping_add(page);
        dice.set_stream(page_idx.wrapping_mul(3).wrapping_add(stream));
        dice
    };
    let mut content = dice(0, 1);
    let mut entries = draw_values(&joined, options.blanks, &mut content)?.into_iter();
    let writer = Writer::some(glyphs.some_hand(&mut content), options, &mut content);
    let page = |(page, template): (u64, &FormTemplate)| {
        let entries: Vec<Entry> = entries.by_ref().take(template.fields.len()).collect();
        draw_page(template, entries, &writer, options, [&mut dice(page, 0), &mut content, &mut dice(page, 2)])
    };
    (0..).zip(templates).map(page).collect()
}

/// All fields of `templates` as if they stood on one page, with the rules that name no other form: first those of one
/// page, for what is summed across pages are the sums on each. `None` of no template.
fn joined(templates: &[FormTemplate]) -> Option<FormTemplate> {
    let first = templates.first()?.clone();
    let firsts: Vec<usize> = templates
        .iter()
        .scan(0, |next, template| Some(std::mem::replace(next, *next + template.fields.len())))
        .collect();
    let place = |form: &str, field: &str| {
        let page = templates.iter().position(|template| template.name == form)?;
        let idx = templates[page].fields.iter().position(|known| known.name == field)?;
        Some(vec![firsts[page] + idx])
    };
    let rules = |reaching: bool| {
        templates.iter().zip(&firsts).flat_map(move |(template, first)| {
            let over = move |rule: &Rule| {
                rule.remap_fields(&|idx| match idx.checked_sub(template.fields.len()) {
                    None => Some(vec![first + idx]),
                    Some(other) => template.other_fields.get(other).and_then(|other| place(&other.form, &other.field)),
                })
            };
            template.rules.iter().filter(move |rule| template.names_other_forms(rule) == reaching).filter_map(over)
        })
    };
    Some(FormTemplate {
        fields: templates.iter().flat_map(|template| template.fields.clone()).collect(),
        rules: rules(false).chain(rules(true)).collect(),
        other_fields: Vec::new(),
        ..first
    })
}
