//! Pictures of fields, cut from their scans, for the HTML report.

use std::collections::BTreeMap;

use image::{
    GrayImage,
    codecs::png::{CompressionType, FilterType, PngEncoder},
    imageops,
};

use super::TruthField;
use crate::draw::fitted;
use formread_page as page;
use formread_page::{
    Limits, Page,
    scans::{Scan, read_file},
};
use formread_raster::{
    error::{Error, Result},
    geometry::Rect,
};

/// Margin shown around a field, as a share of its height.
const MARGIN: f64 = 0.4;
/// Maximum width and height of a picture in a report, pixels; a larger field is scaled down.
const MAX_SIZE: [u32; 2] = [420, 160];
/// What is beside a field has this part of its contrast: 1 / `PALENESS`.
const PALENESS: u8 = 2;
/// Number of grey shades in a picture, a power of 2. Few shades keep the PNG small, which would mostly store paper grain.
const N_SHADES: u8 = 16;
/// Number of grey levels that become one shade.
const SHADE_LEVELS: u8 = (256 / N_SHADES as u16) as u8;

/// Cuts an upright PNG of each of `fields`, or returns why there is none. Each page is decoded once.
pub(super) fn cut_crops(scans: &[Scan], fields: &[&TruthField]) -> Vec<Result<Vec<u8>>> {
    let limits = Limits::default();
    let paths: BTreeMap<&str, &Scan> = scans.iter().map(|scan| (scan.name.as_str(), scan)).collect();
    // by file and page, to open each once
    let mut idxs_by_page: BTreeMap<(&str, u32), Vec<usize>> = BTreeMap::new();
    let mut crops: Vec<Result<Vec<u8>>> = Vec::with_capacity(fields.len());
    for (idx, field) in fields.iter().enumerate() {
        crops.push(Err(Error::usage("the table has no position for the field")));
        match field.page.parse::<u32>() {
            Ok(page) if page > 0 && field.answer.is_some() => {
                idxs_by_page.entry((&field.scan, page)).or_default().push(idx);
            }
            _ => {}
        }
    }
    let mut open: Option<(&str, Result<std::sync::Arc<[u8]>>)> = None;
    for ((name, number), idxs) in idxs_by_page {
        if open.as_ref().is_none_or(|(of, _)| *of != name) {
            let bytes = match paths.get(name) {
                Some(scan) => read_file(&scan.path, &limits),
                None => Err(Error::usage("scan not found")),
            };
            open = Some((name, bytes));
        }
        let page = match &open {
            Some((_, Ok(bytes))) => nth_page(bytes, number, &limits),
            Some((_, Err(error))) => Err(Error::usage(error)),
            None => continue,
        };
        for idx in idxs {
            let bounds = fields[idx].answer.as_ref().map(|answer| answer.bounds).unwrap_or_default();
            crops[idx] = match &page {
                Ok(page) => cut_field(page, bounds, 0, MAX_SIZE),
                Err(error) => Err(Error::usage(error)),
            };
        }
    }
    crops
}

/// Decodes page `number`, 1-based, of a file.
fn nth_page(bytes: &[u8], number: u32, limits: &Limits) -> Result<Page> {
    let mut pages = page::open(bytes, limits)?;
    pages.nth(number as usize - 1).unwrap_or_else(|| Err(Error::usage("the file has fewer pages")))
}

/// Cuts `bounds`, edges in pixels of the scan as stored, with a margin around it, turned clockwise by `quarter_turns`, as a PNG of
/// at most `max_size` pixels.
///
/// # Errors
/// `Usage` where they are not on the page.
pub fn cut_field(page: &Page, bounds: [i64; 4], quarter_turns: u8, max_size: [u32; 2]) -> Result<Vec<u8>> {
    let [left, top, width, height] = pixels_around(page, bounds)?;
    upright_png(imageops::crop_imm(&page.pixels, left, top, width, height).to_image(), quarter_turns, max_size)
}

/// As [`cut_field`], with all but the `field` paler, so that it is found.
///
/// # Errors
/// As [`cut_field`].
pub fn cut_context(
    page: &Page,
    bounds: [i64; 4],
    field: [i64; 4],
    quarter_turns: u8,
    max_size: [u32; 2],
) -> Result<Vec<u8>> {
    let [left, top, width, height] = pixels_around(page, bounds)?;
    let [x0, y0, field_width, field_height] = pixels_around(page, field)?;
    let mut crop = imageops::crop_imm(&page.pixels, left, top, width, height).to_image();
    for (x, y, pixel) in crop.enumerate_pixels_mut() {
        let (x, y) = (left + x, top + y);
        let is_field = (x0..x0 + field_width).contains(&x) && (y0..y0 + field_height).contains(&y);
        if !is_field {
            pixel[0] = 255 - (255 - pixel[0]) / PALENESS;
        }
    }
    upright_png(crop, quarter_turns, max_size)
}

/// The pixels of the decoded page that show `bounds` and the margin: left, top, width, height.
fn pixels_around(page: &Page, bounds: [i64; 4]) -> Result<[u32; 4]> {
    let [x0, y0, x1, y1] = bounds.map(|edge| edge as f64);
    let field = page.page_bounds(Rect::from_edges(x0, y0, x1, y1));
    let margin = MARGIN * (field.y1 - field.y0);
    let [width, height] = [page.pixels.width(), page.pixels.height()];
    let pixel = |edge: f64, side: u32| edge.clamp(0.0, f64::from(side)) as u32;
    let (left, right) = (pixel(field.x0 - margin, width), pixel((field.x1 + margin).ceil(), width));
    let (top, bottom) = (pixel(field.y0 - margin, height), pixel((field.y1 + margin).ceil(), height));
    if left >= right || top >= bottom {
        return Err(Error::usage("the field is not on the scan"));
    }
    Ok([left, top, right - left, bottom - top])
}

fn upright_png(crop: GrayImage, quarter_turns: u8, max_size: [u32; 2]) -> Result<Vec<u8>> {
    let upright = match quarter_turns % 4 {
        0 => crop,
        1 => imageops::rotate90(&crop),
        2 => imageops::rotate180(&crop),
        _ => imageops::rotate270(&crop),
    };
    png_of(upright, max_size)
}

/// A picture as PNG of at most `max_size` pixels, in few shades.
fn png_of(picture: GrayImage, max_size: [u32; 2]) -> Result<Vec<u8>> {
    let mut picture = fitted(picture, max_size);
    for pixel in picture.pixels_mut() {
        // spread the shades from black to white
        pixel[0] = pixel[0] / SHADE_LEVELS * (255 / (N_SHADES - 1));
    }
    let mut png = std::io::Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
    picture.write_with_encoder(encoder).map_err(|error| Error::internal(format!("a picture in memory: {error}")))?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::Luma;

    use super::*;
    use crate::evaluate::Answer;

    fn field(scan: &str, page: &str, bounds: [i64; 4]) -> TruthField {
        let [scan, page] = [scan, page].map(str::to_owned);
        let answer = Answer {
            state: "review".to_owned(),
            guess: "1".to_owned(),
            confidence: 0.5,
            reason: String::new(),
            bounds,
        };
        let [form, field, truth] = ["f", "a", "7"].map(str::to_owned);
        TruthField { scan, page, form, field, truth, answer: Some(answer) }
    }

    fn grey(crop: &Result<Vec<u8>>) -> GrayImage {
        let png = crop.as_ref().unwrap_or_else(|error| panic!("{error}"));
        image::load_from_memory(png).expect("it is a PNG").into_luma8()
    }

    #[test]
    fn crop_is_cut_from_the_right_page_of_a_file() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("two.tif");
        let mut tiff = tiff::encoder::TiffEncoder::new(fs::File::create(&path).expect("it is writable"))
            .expect("the disk has room");
        for shade in [204, 102] {
            // ink in the middle, a different grey on each page
            let page = GrayImage::from_fn(90, 60, |x, y| {
                let is_ink = (30..60).contains(&x) && (20..40).contains(&y);
                Luma([if is_ink { shade } else { 255 }])
            });
            tiff.write_image::<tiff::encoder::colortype::Gray8>(90, 60, &page).expect("the disk has room");
        }
        drop(tiff);
        let scans = [Scan { name: "two.tif".to_owned(), path }];
        let bounds = [30, 20, 60, 40];
        let fields = [
            field("two.tif", "2", bounds),
            field("two.tif", "1", bounds),
            field("two.tif", "3", bounds),
            field("../two.tif", "1", bounds),
            field("two.tif", "1", [500, 500, 600, 600]),
            field("two.tif", "1", [i64::MIN, i64::MIN, i64::MAX, i64::MAX]),
        ];
        let crops = cut_crops(&scans, &fields.iter().collect::<Vec<_>>());
        for (crop, shade) in crops.iter().zip([102, 204]) {
            let crop = grey(crop);
            assert_eq!(crop.dimensions(), (46, 36), "a margin of 8 on each side");
            assert_eq!((crop.get_pixel(23, 18)[0], crop.get_pixel(2, 2)[0]), (shade, 255));
        }
        let messages: Vec<String> =
            crops[2..5].iter().map(|crop| crop.as_ref().expect_err("none").to_string()).collect();
        assert_eq!(messages, ["the file has fewer pages", "scan not found", "the field is not on the scan"]);
        assert_eq!(grey(&crops[5]).dimensions(), (90, 60), "edges outside are clamped to the page");
    }

    #[test]
    fn crop_of_a_wide_field_is_scaled_down() {
        let page = Page::upright(GrayImage::new(4_000, 300), None);
        let crop = grey(&cut_field(&page, [0, 0, 4_000, 300], 0, MAX_SIZE));
        assert_eq!(crop.dimensions(), (MAX_SIZE[0], 31));
    }

    #[test]
    fn crop_of_a_turned_field_is_turned_back() {
        let corner = |x, y| x < 10 && y < 10;
        let page = Page::upright(GrayImage::from_fn(60, 30, |x, y| Luma([if corner(x, y) { 0 } else { 255 }])), None);
        for (quarter_turns, size, at) in
            [(0, (60, 30), (2, 2)), (1, (30, 60), (27, 2)), (2, (60, 30), (57, 27)), (3, (30, 60), (2, 57))]
        {
            let crop = grey(&cut_field(&page, [0, 0, 60, 30], quarter_turns, MAX_SIZE));
            assert_eq!((crop.dimensions(), crop.get_pixel(at.0, at.1)[0]), (size, 0), "{quarter_turns}");
        }
    }
    #[test]
    fn context_is_paler_than_its_field() {
        let page = Page::upright(GrayImage::from_pixel(100, 80, Luma([0])), None);
        let context = grey(&cut_context(&page, [0, 0, 100, 80], [40, 30, 60, 40], 0, MAX_SIZE));
        assert_eq!(context.dimensions(), (100, 80));
        // the field has a margin of 4
        let shades = [(50, 35), (37, 35), (35, 35), (50, 45), (5, 5)].map(|(x, y)| context.get_pixel(x, y)[0]);
        assert_eq!(shades, [0, 0, 136, 136, 136]);
        let turned = grey(&cut_context(&page, [0, 0, 100, 80], [0, 0, 20, 10], 1, MAX_SIZE));
        assert_eq!((turned.dimensions(), turned.get_pixel(79, 0)[0], turned.get_pixel(0, 0)[0]), ((80, 100), 0, 136));
        let off = cut_context(&page, [0, 0, 100, 80], [200, 0, 220, 10], 0, MAX_SIZE);
        assert!(off.expect_err("it is off the page").to_string().contains("not on the scan"));
    }
}
