//! Lays a template on a page from the form's own printed lines, boxes and words.

use crate::geometry::{Point, Projection};

/// A template laid on a page.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Template millimetres to page pixels, for the whole page.
    pub page_from_template: Projection,
    /// Root mean square distance of the landmarks found from where the fit puts them, pixels.
    pub residual_px: f64,
    /// Share of the template's printed lines that were found where the fit puts them, 0 to 1.
    pub support: f64,
    /// Each field's own fit, in the template's order.
    pub fields: Vec<FieldRegistration>,
}

/// A field settled on its own printed frame.
#[derive(Debug, Clone)]
pub struct FieldRegistration {
    /// Template millimetres to page pixels, true near this field.
    pub page_from_template: Projection,
    /// RMS distance of the frame's lines from where the fit puts them, pixels; `None` where no printed frame was found
    /// and the page's fit stands.
    pub residual_px: Option<f64>,
    /// Whether the whole field lies on the page.
    pub on_page: bool,
}

impl FieldRegistration {
    /// Where the template's point lies on the page.
    pub fn locate(&self, template_mm: Point) -> Point {
        self.page_from_template.apply(template_mm)
    }
}
