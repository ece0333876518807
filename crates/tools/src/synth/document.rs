//! Draws a document of several pages by one writer, with values that keep the rules across pages.

use image::GrayImage;
use rand::SeedableRng;

use super::{Dice, GlyphStock, SynthOptions, SynthPage, draw_page, draw_values, values::Entry, writing::Writer};
use formread_core::form::{FormTemplate, Rule};
use formread_raster::error::Result;

/// Draws, fills in and degrades document `document_idx` (from 0) of a deck: one page for each of `templates`, in order. With
/// one template it draws the page of [`super::synthesise`]. `prints` are pictures of the blank pages, one for each template, upright
/// and cut at the edges of the paper; without them, what the templates declare is printed.
///
/// # Errors
/// `Usage` if an option is out of range, or no values keep the rules of the forms.
pub fn synthesise_document(
    templates: &[FormTemplate],
    prints: &[GrayImage],
    glyphs: &GlyphStock,
    options: &SynthOptions,
    document_idx: u64,
) -> Result<Vec<SynthPage>> {
    options.check()?;
    let Some(joined) = join_templates(templates) else { return Ok(Vec::new()) };
    let n_pages = templates.len() as u64;
    // separate streams: the content does not depend on the degradations
    let dice = |page: u64, stream: u64| {
        let mut dice = Dice::seed_from_u64(options.seed);
        let page_idx = document_idx.wrapping_mul(n_pages).wrapping_add(page);
        dice.set_stream(page_idx.wrapping_mul(3).wrapping_add(stream));
        dice
    };
    let mut content = dice(0, 1);
    let mut entries = draw_values(&joined, options.blanks, &mut content)?.into_iter();
    let writer = Writer::draw(glyphs.draw_hand(&mut content), options, &mut content);
    let page = |(page, template): (u64, &FormTemplate)| {
        let entries: Vec<Entry> = entries.by_ref().take(template.fields.len()).collect();
        let page_idx = document_idx.wrapping_mul(n_pages).wrapping_add(page);
        let streams = [&mut dice(page, 0), &mut content, &mut dice(page, 2)];
        draw_page((template, prints.get(page as usize)), &entries, &writer, options, page_idx, streams)
    };
    (0..).zip(templates).map(page).collect()
}

/// One template with the fields of all `templates`, and with their rules, in which no field is of another form. Rules of
/// one page come first, since sums across pages use the sums of each page. `None` without templates.
fn join_templates(templates: &[FormTemplate]) -> Option<FormTemplate> {
    let first = templates.first()?.clone();
    let offsets: Vec<usize> = templates
        .iter()
        .scan(0, |next, template| Some(std::mem::replace(next, *next + template.fields.len())))
        .collect();
    let index_of = |form: &str, field: &str| {
        let page = templates.iter().position(|template| template.name == form)?;
        let idx = templates[page].fields.iter().position(|known| known.name == field)?;
        Some(vec![offsets[page] + idx])
    };
    let rules = |across_pages: bool| {
        templates.iter().zip(&offsets).flat_map(move |(template, first)| {
            let remap = move |rule: &Rule| {
                rule.remap_fields(&|idx| match idx.checked_sub(template.fields.len()) {
                    None => Some(vec![first + idx]),
                    Some(other) => {
                        template.other_fields.get(other).and_then(|other| index_of(&other.form, &other.field))
                    }
                })
            };
            template.rules.iter().filter(move |rule| template.names_other_forms(rule) == across_pages).filter_map(remap)
        })
    };
    Some(FormTemplate {
        fields: templates.iter().flat_map(|template| template.fields.clone()).collect(),
        rules: rules(false).chain(rules(true)).collect(),
        other_fields: Vec::new(),
        ..first
    })
}
