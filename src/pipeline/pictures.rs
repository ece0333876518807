//! Pictures of pages with what was found on them: `--overlay`.

use std::{
    io::BufWriter,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use formread_core::{form::FormTemplate, reader::PageReport};
use formread_page::{Page, scans::Scan};
use formread_raster::{
    error::{Error, Result},
    fsio::AtomicFile,
};
use formread_tools::overlay;

/// Pages with more pixels are drawn one at a time: in colours one takes three bytes a pixel. A4 at 600 dpi has 35 million.
pub const MAX_SMALL_PIXELS: u64 = 40_000_000;

/// The folder of pictures, and its size.
#[derive(Debug)]
pub struct Pictures {
    folder: PathBuf,
    max_bytes: u64,
    n_bytes: AtomicU64,
    n_left_out: AtomicU64,
    large: Mutex<()>,
}

impl Pictures {
    /// Draws into `folder`, until the pictures have `max_bytes` in all.
    pub fn new(folder: &Path, max_bytes: u64) -> Self {
        let (n_bytes, n_left_out) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { folder: folder.to_owned(), max_bytes, n_bytes, n_left_out, large: Mutex::new(()) }
    }

    /// Number of pages without a picture, because there was no room.
    pub fn n_left_out(&self) -> u64 {
        self.n_left_out.load(Relaxed)
    }

    /// Draws a page of `scan`.
    ///
    /// # Errors
    /// Where the picture cannot be written.
    pub fn draw(&self, scan: &Scan, page: &Page, report: &PageReport, templates: &[FormTemplate]) -> Result<()> {
        if self.n_bytes.load(Relaxed) >= self.max_bytes {
            self.n_left_out.fetch_add(1, Relaxed);
            return Ok(());
        }
        let is_large = n_pixels(page) > MAX_SMALL_PIXELS;
        let _alone = is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        let path = self.folder.join(overlay::file_name(&scan.name, report.record.page));
        let here = |error: std::io::Error| Error::from(error).in_file(path.to_string_lossy());
        let picture = overlay::draw(page, report, templates);
        let mut file = BufWriter::new(AtomicFile::create(path.clone())?);
        PngEncoder::new(&mut file)
            .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
            .map_err(|error| here(std::io::Error::other(error)))?;
        let file = file.into_inner().map_err(|error| here(error.into_error()))?;
        self.n_bytes.fetch_add(file.n_bytes().map_err(here)?, Relaxed);
        file.commit()
    }
}

/// Number of pixels of a page.
pub fn n_pixels(page: &Page) -> u64 {
    u64::from(page.pixels.width()) * u64::from(page.pixels.height())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use formread_core::reader::rejected;
    use formread_page::Orientation;
    use image::{GrayImage, Luma};

    use super::*;

    #[test]
    fn folder_that_is_full_gets_no_more_pictures_and_they_are_counted() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let pixels = GrayImage::from_pixel(40, 30, Luma([255]));
        let page = Page { pixels, dpi: None, orientation: Orientation::default(), stored_size: [40, 30] };
        let scan = Scan { name: "a.png".to_owned(), path: "a.png".into() };
        let pictures = Pictures::new(dir.path(), 1);
        for number in 1..=3 {
            let record = rejected(number, &Error::timed_out("slow"));
            pictures.draw(&scan, &page, &PageReport { record, cut: None }, &[]).expect("it is writable");
        }
        assert_eq!((pictures.n_left_out(), fs::read_dir(dir.path()).expect("it is there").count()), (2, 1));
    }
}
