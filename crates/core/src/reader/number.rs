//! Reading printed form numbers: as a field, by the same backend.

use std::slice;

use super::{
    CutPage,
    stages::{Stages, normalise_page},
};
use crate::{
    assemble::{AcceptParams, FieldState, ReviewReason, assemble_field},
    form::{DigitCount, Field, FieldChecks, FieldKind, FieldLayout, FormTemplate, Landmarks, PageLayout, PrintedSides},
    register::{FieldRegistration, NumberReading, NumberToRead, Registration},
    segment::segment,
};
use formread_page::Page;
use formread_raster::{error::Result, geometry::Rect};

/// More digits than any form number has, so that ink beside the number shows as a longer number.
const MAX_DIGITS: usize = 16;

impl Stages<'_> {
    /// Reads a number printed on `page`. `None` where it is not all on the page, or there are no digits.
    pub(super) fn read_number(&self, page: &Page, number: &NumberToRead) -> Result<Option<NumberReading>> {
        let NumberToRead { bounds, page_from_template: map, .. } = number;
        let form = form_of_number(bounds.inflate(self.reader().register_params.imprints.number_margin_mm));
        let field = &form.fields[0];
        let (width, height) = page.pixels.dimensions();
        let area = Rect::from_edges(0.0, 0.0, f64::from(width), f64::from(height));
        let on_page = map.apply_rect(field.layout.bounds()).iter().all(|corner| area.contains(*corner));
        let fit = FieldRegistration { page_from_template: *map, residual_px: None, on_page, is_loose: false };
        let registration = Registration { page_from_template: *map, residual_px: 0.0, support: 1.0, fields: vec![fit] };
        let cuts = segment(page, &registration, &form);
        let Some(ink) = cuts.first().map(|cut| cut.ink.clone()) else { return Ok(None) };
        let prepared =
            normalise_page(1, page, CutPage { template_idx: 0, registration, cuts, outside: Vec::new() }, &form);
        let scores = self.score(slice::from_ref(&form), &[prepared])?.pop().unwrap_or_default();
        let Some(scores) = scores.fields().first() else { return Ok(None) };
        let value = assemble_field(field, &ink, scores, None, &self.reader().assemble_params, &AcceptParams::default());
        let is_digits = matches!(value.state, FieldState::Accepted | FieldState::Review(ReviewReason::LowConfidence));
        Ok(is_digits.then_some(NumberReading { digits: value.guess, confidence: value.confidence }))
    }
}

/// A form with nothing on it but one code, in a box of which nothing is printed.
fn form_of_number(frame: Rect) -> FormTemplate {
    let field = Field {
        name: String::new(),
        kind: FieldKind::Code,
        layout: FieldLayout::Box { frame, printed: PrintedSides::NONE },
        digits: DigitCount { min: 1, max: MAX_DIGITS },
        fillers: Vec::new(),
        fillers_mean: None,
        is_signed: false,
        ignores_punctuation: true,
        checks: FieldChecks::default(),
    };
    FormTemplate {
        name: String::new(),
        title: String::new(),
        version: None,
        document: None,
        layout: PageLayout::Printed(Landmarks::default()),
        barcodes: Vec::new(),
        numbers: Vec::new(),
        fields: vec![field],
        rules: Vec::new(),
        other_fields: Vec::new(),
    }
}
