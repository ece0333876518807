//! Whether the frames of fields are where a placement puts them.

use super::{FieldRegistration, RegisterParams, Registration, params::SettleParams, settle};
use crate::form::{Field, FormTemplate};

/// Whether enough of the frames were found, of the large ones or of all.
///
/// # Errors
/// How many there are, and how many were found.
pub(super) fn check(
    template: &FormTemplate,
    registration: &Registration,
    params: &RegisterParams,
) -> Result<(), [usize; 2]> {
    let counts = count(template, registration, &params.settle);
    let is_settled = |[n_framed, n_found]: [usize; 2]| n_found as f64 >= params.min_fields_settled * n_framed as f64;
    let mut framed = counts.into_iter().filter(|[n_framed, _]| *n_framed > 0).peekable();
    if framed.peek().is_none() || framed.any(is_settled) { Ok(()) } else { Err(counts[1]) }
}

/// How many fields have printed frames, and how many of these were found: of the large ones, and of all. A pale copy loses the small
/// ones and is still the form.
fn count(template: &FormTemplate, registration: &Registration, params: &SettleParams) -> [[usize; 2]; 2] {
    let framed = template.fields.iter().zip(&registration.fields);
    let framed: Vec<_> = framed.filter(|(field, _)| !field.layout.printed_lines().is_empty()).collect();
    let is_large = |field: &Field| !settle::is_small(field.layout.bounds(), params);
    let is_found = |fit: &FieldRegistration| fit.residual_px.is_some() || !fit.on_page;
    [false, true].map(|small_too| {
        let counted = || framed.iter().filter(|(field, _)| small_too || is_large(field));
        [counted().count(), counted().filter(|(_, fit)| is_found(fit)).count()]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::tests::{UPRIGHT, form};

    #[test]
    fn frames_are_counted_without_and_with_those_of_small_boxes() {
        let small = "[[field]]\nname = \"c\"\nkind = \"mark\"\nbox = [30, 72, 3, 3]\n";
        let fit = |residual_px| FieldRegistration {
            page_from_template: UPRIGHT,
            residual_px,
            on_page: true,
            is_loose: false,
        };
        let registration =
            |fields| Registration { page_from_template: UPRIGHT, residual_px: 0.1, support: 1.0, fields };
        let mixed = form("x", small);
        let counts = |fields| count(&mixed, &registration(fields), &SettleParams::default());
        assert_eq!(counts(vec![fit(Some(0.1)), fit(None), fit(Some(0.1))]), [[2, 1], [3, 2]]);
        let gone = FieldRegistration { on_page: false, ..fit(None) };
        assert_eq!(counts(vec![gone.clone(), gone, fit(None)]), [[2, 2], [3, 2]], "off the page is not lost");
        let mut small_only = mixed.clone();
        small_only.fields.drain(..2);
        let found = registration(vec![fit(Some(0.1))]);
        assert_eq!(count(&small_only, &found, &SettleParams::default()), [[0, 0], [1, 1]]);
    }
}
