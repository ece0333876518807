//! The blank form, upright and in the template's coordinates.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use formread_core::{
    form::FormTemplate,
    register::{RegisterParams, identify},
};
use formread_page::Page;
use formread_raster::{
    error::{Error, Result},
    geometry::Projection,
    rectify,
};

/// Resolution of the picture, pixels per millimetre: 200 dpi, at which thin lines are sharp and A4 is decoded in a blink.
const PX_PER_MM: f64 = 8.0;

/// The blank as the page shows it.
pub struct Blank {
    /// A PNG with the template's page, from edge to edge.
    pub png: Vec<u8>,
    /// Why the template does not fit the blank, where it does not: then the blank is only stretched to the page's size.
    pub misfit: Option<String>,
}

impl Blank {
    /// Lays `page` under `template`.
    ///
    /// # Errors
    /// Where the picture cannot be encoded.
    pub fn new(page: &Page, template: &FormTemplate) -> Result<Self> {
        let bounds = template.bounds();
        let (width, height) = (f64::from(page.pixels.width()), f64::from(page.pixels.height()));
        let (page_from_template, misfit) =
            match identify(page, std::slice::from_ref(template), &RegisterParams::default()) {
                Ok((_, registration)) => (registration.page_from_template, None),
                Err(failure) => {
                    let stretched = Projection::scaling(width / bounds.width(), height / bounds.height());
                    (stretched, Some(format!("{}: {}", failure.reason, failure.detail)))
                }
            };
        let picture = rectify(&page.pixels, &page_from_template, bounds, PX_PER_MM);
        let mut png = Cursor::new(Vec::new());
        PngEncoder::new(&mut png)
            .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::L8)
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self { png: png.into_inner(), misfit })
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, imageops};

    use super::*;
    use formread_core::form::known_templates;
    use formread_tools::synth::print_blank;

    /// The picture on the page, and whether the template fits.
    fn shown(page: GrayImage, template: &FormTemplate) -> (GrayImage, bool) {
        let blank = Blank::new(&Page::upright(page, None), template).expect("it can be encoded");
        let picture = image::load_from_memory(&blank.png).expect("it is a PNG").into_luma8();
        (picture, blank.misfit.is_none())
    }

    #[test]
    fn blank_upside_down_is_laid_upright_under_the_template() {
        let known = known_templates().expect("they parse");
        let template = known.iter().find(|t| t.name == "c1-2019").expect("it is known");
        let upright = print_blank(template, 200.0, 1).expect("it can be drawn");
        let (picture, fits) = shown(imageops::rotate180(&upright), template);
        assert!(fits);
        // each printed line is dark where the template has it
        let lines = template.printed_lines();
        let is_dark = |x: f64, y: f64| {
            let (x, y) = ((x * PX_PER_MM) as i64, (y * PX_PER_MM) as i64);
            (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (x + dx, y + dy))).any(|(x, y)| {
                let at = u32::try_from(x).ok().zip(u32::try_from(y).ok());
                at.and_then(|(x, y)| picture.get_pixel_checked(x, y)).is_some_and(|pixel| pixel[0] < 160)
            })
        };
        let n_dark = lines.iter().filter(|line| is_dark(line.at(0.5).x, line.at(0.5).y)).count();
        assert!(n_dark * 100 >= 95 * lines.len(), "{n_dark} of {}", lines.len());
    }

    #[test]
    fn blank_of_another_form_is_shown_as_it_is_with_the_reason() {
        let known = known_templates().expect("they parse");
        let template = known.iter().find(|t| t.name == "c1-2019").expect("it is known");
        let (picture, fits) = shown(GrayImage::from_pixel(300, 420, Luma([250])), template);
        assert!(!fits);
        assert!((f64::from(picture.width()) - template.bounds().width() * PX_PER_MM).abs() <= 1.0);
    }
}
