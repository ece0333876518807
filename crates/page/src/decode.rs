//! Recognition of the format, and the pages of a file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{ImageFormat, imageops};

use super::kind::{self, FileKind};
use super::stored::{StoredPage, check_size};
use super::{Limits, Page, jpeg2000, pdf, polarity, resolution, single, tiff};
use formread_raster::error::{Error, ErrorKind, Format, Result, Unit};

/// Opens a file for reading its pages: TIFF and PDF have any number, the other formats one. No page is decoded yet.
///
/// # Errors
/// `Format` where the bytes are not valid in their format, `Unsupported` where the format is not read, `Limit` where there are
/// too many bytes or pages.
pub fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Pages<'a>> {
    let n_bytes = bytes.len() as u64;
    if n_bytes > limits.file_bytes {
        return Err(ErrorKind::Limit { limit: limits.file_bytes, actual: n_bytes, unit: Unit::Bytes }.into());
    }
    if bytes.is_empty() {
        return Err(Error::format(Format::Image, "the file is empty"));
    }
    let bytes = kind::without_empty_line(bytes);
    let file = match FileKind::of(bytes) {
        Some(FileKind::Single(format, what)) => File::Single(format, what),
        Some(FileKind::Jpeg2000) => File::Jpeg2000,
        Some(FileKind::Tiff) => File::Tiff(tiff::IfdChain::walk(bytes, limits)?),
        Some(FileKind::Pdf) => {
            let open = || pdf::Document::open(bytes, limits);
            File::Pdf(catch_panic(Format::Pdf, open)?)
        }
        Some(FileKind::Unsupported(name)) => return Err(Error::unsupported(Format::Image, name)),
        None => return Err(Error::format(Format::Image, format!("none of {}", kind::READ_FORMATS))),
    };
    Ok(Pages { bytes, limits: *limits, file, next_idx: 0 })
}

/// The pages of one file, in its order. A page is decoded when the iterator reaches it, so one is in memory at a time. A page
/// that cannot be decoded is an `Err`, and the iterator continues after it.
#[derive(Debug)]
pub struct Pages<'a> {
    bytes: &'a [u8],
    limits: Limits,
    file: File<'a>,
    next_idx: usize,
}

#[derive(Debug)]
enum File<'a> {
    Single(ImageFormat, Format),
    Jpeg2000,
    Tiff(tiff::IfdChain<'a>),
    Pdf(pdf::Document),
}

impl Iterator for Pages<'_> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        let idx = self.next_idx;
        let page = match &mut self.file {
            File::Single(format, what) => {
                let decode = || single::decode(self.bytes, *format, *what, &self.limits);
                (idx == 0).then(|| decode_page(*what, &self.limits, decode))
            }
            File::Jpeg2000 => {
                let decode = || jpeg2000::decode(self.bytes, &self.limits);
                (idx == 0).then(|| decode_page(Format::Jpeg2000, &self.limits, decode))
            }
            File::Tiff(chain) => match chain.offsets.get(idx) {
                Some(&offset) => {
                    let decode = || tiff::decode(self.bytes, chain.header, offset, &self.limits);
                    Some(decode_page(Format::Tiff, &self.limits, decode))
                }
                None => chain.broken.take().map(Err),
            },
            File::Pdf(document) if idx < document.n_pages() => {
                let no_page = || Err(Error::format(Format::Pdf, "no such page"));
                let decode = || document.decode(idx, &self.limits).unwrap_or_else(no_page);
                Some(decode_page(Format::Pdf, &self.limits, decode))
            }
            File::Pdf(document) => document.broken.take().map(Err),
        }?;
        self.next_idx += 1;
        let page_number = u32::try_from(self.next_idx).unwrap_or(u32::MAX);
        Some(page.map_err(|error| error.on_page(page_number)))
    }

    /// Does not decode the pages that it skips.
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.next_idx = self.next_idx.saturating_add(n);
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n_pages = match &self.file {
            File::Single(..) | File::Jpeg2000 => 1usize.saturating_sub(self.next_idx),
            File::Tiff(chain) => {
                chain.offsets.len().saturating_sub(self.next_idx) + usize::from(chain.broken.is_some())
            }
            File::Pdf(document) => {
                document.n_pages().saturating_sub(self.next_idx) + usize::from(document.broken.is_some())
            }
        };
        (n_pages, Some(n_pages))
    }
}

impl ExactSizeIterator for Pages<'_> {}

/// Decodes and normalises a page; a panic of the decoder is a fault of that page.
fn decode_page(what: Format, limits: &Limits, decode: impl FnOnce() -> Result<StoredPage>) -> Result<Page> {
    catch_panic(what, || decode().and_then(|stored| normalise(what, stored, limits)))
}

/// Turns a panic of a decoder into an error of its input.
pub fn catch_panic<T>(what: Format, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // the closure owns all that it may leave in an invalid state
    let caught = catch_unwind(AssertUnwindSafe(work));
    caught.unwrap_or_else(|_| Err(Error::format(what, "the decoder gave up on it")))
}

/// Makes pixels square, turns the page upright, and inverts light ink on dark ground.
fn normalise(what: Format, stored: StoredPage, limits: &Limits) -> Result<Page> {
    let StoredPage { pixels, dpi, orientation } = stored;
    let stored_size: [u32; 2] = pixels.dimensions().into();
    let dpi = dpi.and_then(|dpi| resolution::plausible(dpi, stored_size));
    let size = dpi.map_or(stored_size, |dpi| resolution::squared_size(dpi, stored_size));
    check_size(what, size, limits)?;
    let mut pixels = orientation.apply(resolution::stretch(pixels, size));
    if polarity::is_light_on_dark(&pixels) {
        imageops::invert(&mut pixels);
    }
    Ok(Page { pixels, dpi: dpi.map(|[x_dpi, y_dpi]| x_dpi.max(y_dpi)), orientation, stored_size })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, Luma};

    use super::super::Orientation;
    use super::super::ifd::tag;
    use super::*;
    use formread_raster::geometry::Point;

    const WIDTH: u32 = 64;
    const HEIGHT: u32 = 48;

    /// The picture of every fixture: ink 0 on paper 255.
    fn picture() -> GrayImage {
        GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
            let ring = (i64::from(x) - 46).pow(2) + (i64::from(y) - 26).pow(2);
            let is_ink = ((8..=10).contains(&x) && (6..=40).contains(&y))
                || ((8..=30).contains(&x) && (21..=22).contains(&y))
                || (70..=72).contains(&(x + 2 * y))
                || (81..=130).contains(&ring);
            Luma([if is_ink { 0 } else { 255 }])
        })
    }

    fn fixture(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    fn pages(bytes: &[u8]) -> Result<Vec<Result<Page>>> {
        open(bytes, &Limits::default()).map(Iterator::collect)
    }

    #[track_caller]
    fn only_page(bytes: &[u8], what: &str) -> Page {
        let mut pages = pages(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(pages.len(), 1, "{what}");
        pages.remove(0).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    #[track_caller]
    fn assert_exact(pixels: &GrayImage, what: &str) {
        assert!(*pixels == picture(), "{what} differs");
    }

    /// Mean difference under 4 grey levels: JPEG at quality 95 of black on white.
    #[track_caller]
    fn assert_close(pixels: &GrayImage, what: &str) {
        let expected = picture();
        assert_eq!(pixels.dimensions(), expected.dimensions(), "{what}");
        let sum: u64 = pixels.iter().zip(expected.iter()).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
        assert!(sum < 4 * u64::from(WIDTH * HEIGHT), "{what}: {sum}");
    }

    #[test]
    fn fixture_of_every_lossless_format_has_the_same_pixels() {
        let names = [
            "big-rgb-packbits.tif",
            "bits-1.bmp",
            "bits-1.png",
            "deflate.tif",
            "g3-1d-fill.tif",
            "g3-1d.tif",
            "g3-2d-fill.tif",
            "g3-2d-lsb.tif",
            "g3-2d.tif",
            "g4-lsb.tif",
            "g4-white-is-zero.tif",
            "g4.tif",
            "huffman.tif",
            "lossless.webp",
            "lzw-lsb.tif",
            "lzw.tif",
            "none-lsb.tif",
            "packbits-lsb.tif",
            "packbits.tif",
            "palette-2.png",
            "palette-4.png",
            "palette-8.bmp",
            "palette-clear.png",
            "palette-lzw.tif",
            "planes-lzw.tif",
            "tiles-g4.tif",
            "tiles-lzw-predictor.tif",
            "turned.webp",
        ];
        for name in names {
            assert_exact(&only_page(&fixture(name), name).pixels, name);
        }
    }

    #[test]
    fn fixture_of_every_jpeg_has_close_pixels() {
        for name in [
            "progressive.jpg",
            "cmyk.jpg",
            "colour.jpg",
            "turned.jpg",
            "jpeg-grey.tif",
            "jpeg-rgb.tif",
            "jpeg-ycbcr.tif",
        ] {
            assert_close(&only_page(&fixture(name), name).pixels, name);
        }
    }

    #[test]
    fn pixels_of_16_bits_or_with_alpha_become_grey() {
        let images = [
            DynamicImage::from(picture()).into_luma8().into(),
            DynamicImage::from(picture()).into_luma16().into(),
            DynamicImage::from(picture()).into_rgb8().into(),
            DynamicImage::from(picture()).into_rgb16().into(),
            DynamicImage::from(picture()).into_luma_alpha16().into(),
            // ink that is opaque on a black that is transparent
            DynamicImage::from(image::RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
                image::Rgba([0, 0, 0, 255 - picture().get_pixel(x, y)[0]])
            })),
        ];
        for image in images {
            for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
                let mut bytes = Cursor::new(Vec::new());
                if image.write_to(&mut bytes, format).is_ok() {
                    let what = format!("{format:?} of {:?}", image.color());
                    assert_exact(&only_page(bytes.get_ref(), &what).pixels, &what);
                }
            }
        }
    }

    #[test]
    fn resolution_in_every_format_is_read() {
        struct Case {
            name: &'static str,
            dpi: Option<f64>,
        }
        let cases = [
            Case { name: "bits-1.bmp", dpi: Some(300.0) },
            Case { name: "colour.jpg", dpi: Some(204.0) },
            Case { name: "turned.jpg", dpi: Some(300.0) },
            Case { name: "turned.webp", dpi: Some(300.0) },
            Case { name: "bits-1.png", dpi: None },
            Case { name: "g4.tif", dpi: None },
        ];
        for Case { name, dpi } in cases {
            let found = only_page(&fixture(name), name).dpi;
            let is_same = match (found, dpi) {
                (Some(found), Some(dpi)) => (found - dpi).abs() < 0.05,
                (found, dpi) => found == dpi,
            };
            assert!(is_same, "{name}: {found:?}");
        }
        let mut png = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut png);
        encoder.write_image(&picture(), WIDTH, HEIGHT, ExtendedColorType::L8).expect("it can be coded");
        // pHYs, 11,811 pixels a metre, between the header and the pixels
        let mut chunk = b"\0\0\0\x09pHYs\0\0\x2E\x23\0\0\x2E\x23\x01".to_vec();
        chunk.extend([0x78, 0xA5, 0x3F, 0x76]);
        png.splice(33..33, chunk);
        let dpi = only_page(&png, "png").dpi.expect("it is given");
        assert!((dpi - 300.0).abs() < 0.05, "{dpi}");
    }

    /// An uncompressed page of a TIFF file: tags (all LONG, or RATIONAL with denominator 1 for the resolutions) besides
    /// those that every page has, and its one strip.
    struct Sheet {
        size: [u32; 2],
        tags: Vec<(u16, Vec<u32>)>,
        data: Vec<u8>,
    }

    impl Sheet {
        fn grey(image: &GrayImage, more: &[(u16, u32)]) -> Self {
            let mut tags = vec![(tag::BITS_PER_SAMPLE, vec![8]), (tag::PHOTOMETRIC, vec![1])];
            tags.extend(more.iter().map(|&(tag, value)| (tag, vec![value])));
            Self { size: image.dimensions().into(), tags, data: image.as_raw().clone() }
        }
    }

    /// A file of `sheets`, and the offset of each one's directory.
    fn tiff_file(sheets: &[Sheet]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = b"II\x2A\0\0\0\0\0".to_vec();
        let mut link_at = 4;
        let mut offsets = Vec::new();
        for sheet in sheets {
            let data_at = bytes.len() as u32;
            bytes.extend(&sheet.data);
            let mut tags = sheet.tags.clone();
            tags.push((tag::IMAGE_WIDTH, vec![sheet.size[0]]));
            tags.push((tag::IMAGE_LENGTH, vec![sheet.size[1]]));
            tags.push((tag::STRIP_OFFSETS, vec![data_at]));
            tags.push((tag::STRIP_BYTE_COUNTS, vec![sheet.data.len() as u32]));
            tags.sort();
            let mut entries = Vec::new();
            for (tag, values) in &tags {
                let is_ratio = [tag::X_RESOLUTION, tag::Y_RESOLUTION].contains(tag);
                let is_short = [tag::PHOTOMETRIC, tag::COLOUR_MAP].contains(tag);
                let kind: u16 = if is_ratio {
                    5
                } else if is_short {
                    3
                } else {
                    4
                };
                let mut field: Vec<u8> = if is_short {
                    values.iter().flat_map(|&v| (v as u16).to_le_bytes()).collect()
                } else {
                    values.iter().flat_map(|v| v.to_le_bytes()).collect()
                };
                if is_ratio {
                    field.extend(1u32.to_le_bytes());
                }
                entries.extend(tag.to_le_bytes());
                entries.extend(kind.to_le_bytes());
                entries.extend((values.len() as u32).to_le_bytes());
                if field.len() > 4 {
                    entries.extend((bytes.len() as u32).to_le_bytes());
                    bytes.extend(field);
                } else {
                    field.resize(4, 0);
                    entries.extend(field);
                }
            }
            let offset = bytes.len();
            offsets.push(offset);
            bytes[link_at..link_at + 4].copy_from_slice(&(offset as u32).to_le_bytes());
            bytes.extend((tags.len() as u16).to_le_bytes());
            bytes.extend(entries);
            link_at = bytes.len();
            bytes.extend([0; 4]);
        }
        (bytes, offsets)
    }

    /// Samples of `bits` bits, rows from byte boundaries, most significant bit first.
    fn packed(image: &GrayImage, bits: u32, is_inverted: bool) -> Vec<u8> {
        let pack_row = |row: &[u8]| -> Vec<u8> {
            let samples = row.iter().map(|&v| u32::from(if is_inverted { 255 - v } else { v }) >> (8 - bits));
            let samples: Vec<u32> = samples.collect();
            let per_byte = (8 / bits) as usize;
            let byte = |run: &[u32]| {
                run.iter().fold(0, |byte, s| byte << bits | s) << (bits as usize * (per_byte - run.len()))
            };
            samples.chunks(per_byte).map(|run| byte(run) as u8).collect()
        };
        image.as_raw().chunks(image.width() as usize).flat_map(pack_row).collect()
    }

    #[test]
    fn tiff_samples_of_every_depth_and_polarity_are_read() {
        let odd = image::imageops::crop_imm(&picture(), 0, 0, 61, 47).to_image();
        for bits in [1, 2, 4, 8] {
            for is_inverted in [false, true] {
                let tags = vec![(tag::BITS_PER_SAMPLE, vec![bits]), (tag::PHOTOMETRIC, vec![u32::from(!is_inverted)])];
                let sheet = Sheet { size: [61, 47], tags, data: packed(&odd, bits, is_inverted) };
                let what = format!("{bits} bits, inverted: {is_inverted}");
                assert!(only_page(&tiff_file(&[sheet]).0, &what).pixels == odd, "{what}");
            }
            // a palette of black at 0, white at the last, magenta between
            let n = 1usize << bits;
            let mut map = vec![0xFFFF; 3 * n];
            [0, n, 2 * n].into_iter().for_each(|black| map[black] = 0);
            map[n + 1..2 * n - 1].fill(0);
            let tags = vec![(tag::BITS_PER_SAMPLE, vec![bits]), (tag::PHOTOMETRIC, vec![3]), (tag::COLOUR_MAP, map)];
            let sheet = Sheet { size: [61, 47], tags, data: packed(&odd, bits, false) };
            assert!(only_page(&tiff_file(&[sheet]).0, "palette").pixels == odd, "palette of {bits} bits");
        }
    }

    #[test]
    fn page_with_wrong_polarity_is_inverted() {
        let mut negative = picture();
        imageops::invert(&mut negative);
        assert_exact(&only_page(&tiff_file(&[Sheet::grey(&negative, &[])]).0, "negative").pixels, "negative");
    }

    #[test]
    fn page_of_every_orientation_is_turned_upright() {
        for code in 1..=8 {
            let stored = picture();
            let (bytes, _) = tiff_file(&[Sheet::grey(&stored, &[(tag::ORIENTATION, code)])]);
            let page = only_page(&bytes, "oriented");
            let orientation = Orientation::from_exif(code.into()).expect("1 to 8 are valid");
            assert_eq!(page.orientation, orientation);
            assert!(page.pixels == orientation.apply(stored.clone()), "orientation {code}");
            for (x, y, value) in page.pixels.enumerate_pixels() {
                let there = page.stored_from_page(Point::new(f64::from(x) + 0.5, f64::from(y) + 0.5));
                assert_eq!(stored.get_pixel(there.x as u32, there.y as u32), value, "orientation {code}");
            }
        }
    }

    #[test]
    fn fax_with_oblong_pixels_is_made_square() {
        let tags = [(tag::X_RESOLUTION, 204), (tag::Y_RESOLUTION, 102), (tag::ORIENTATION, 6)];
        let page = only_page(&tiff_file(&[Sheet::grey(&picture(), &tags)]).0, "fax");
        assert_eq!(page.dpi, Some(204.0));
        assert_eq!(page.pixels.dimensions(), (2 * HEIGHT, WIDTH));
        assert_eq!(page.stored_size, [WIDTH, HEIGHT]);
        // ink at column 9, row 10 as stored; row 10 is 20 and 21 when squared, counted from the right when turned
        assert_eq!(page.pixels.get_pixel(2 * HEIGHT - 1 - 20, 9)[0], 0);
        let there = page.stored_from_page(Point::new(f64::from(2 * HEIGHT - 1 - 20), 9.0));
        assert_eq!(there, Point::new(9.0, 10.5));
    }

    #[test]
    fn broken_page_leaves_the_others_readable() {
        let sheet = |tags: &[(u16, u32)]| Sheet::grey(&picture(), tags);
        let sheets = [
            sheet(&[(tag::COMPRESSION, 6)]),
            sheet(&[]),
            sheet(&[(tag::COMPRESSION, 5)]),
            Sheet { size: [0, 48], ..sheet(&[]) },
            Sheet { size: [100_000, 100_000], ..sheet(&[]) },
            sheet(&[(tag::NEW_SUBFILE_TYPE, 1)]),
            sheet(&[(tag::NEW_SUBFILE_TYPE, 2)]),
        ];
        let pages = pages(&tiff_file(&sheets).0).expect("it is a TIFF file");
        let outcome: Vec<&str> = pages
            .iter()
            .map(|page| match page {
                Ok(page) if page.pixels == picture() => "picture",
                Ok(_) => "another",
                Err(error) => match error.kind() {
                    ErrorKind::Unsupported { .. } => "unsupported",
                    ErrorKind::Format { .. } => "format",
                    ErrorKind::Limit { .. } => "limit",
                    _ => "other",
                },
            })
            .collect();
        assert_eq!(outcome, ["unsupported", "picture", "format", "format", "limit", "picture"]);
        let numbers: Vec<_> = pages.iter().filter_map(|page| page.as_ref().err()?.location().page).collect();
        assert_eq!(numbers, [1, 3, 4, 5]);
    }

    #[test]
    fn tiff_with_circular_or_dangling_directories_ends() {
        let sheets = [Sheet::grey(&picture(), &[]), Sheet::grey(&picture(), &[])];
        let (mut bytes, offsets) = tiff_file(&sheets);
        let link_at = bytes.len() - 4;
        for target in [offsets[0], offsets[1], bytes.len() + 10] {
            bytes[link_at..].copy_from_slice(&(target as u32).to_le_bytes());
            let pages = open(&bytes, &Limits::default()).expect("it is a TIFF file");
            assert_eq!(pages.len(), 3);
            let pages: Vec<_> = pages.collect();
            assert!(pages[0].is_ok() && pages[1].is_ok() && pages[2].is_err());
        }
    }

    #[test]
    fn file_over_a_limit_is_refused_before_decoding() {
        let limits = |file_bytes, page_pixels, pages| Limits { file_bytes, page_pixels, pages, ..Limits::default() };
        let kind_of =
            |bytes: &[u8], limits: Limits| match open(bytes, &limits).and_then(Iterator::collect::<Result<Vec<_>>>) {
                Ok(_) => None,
                Err(error) => match error.kind() {
                    ErrorKind::Limit { unit, .. } => Some(*unit),
                    other => panic!("{other}"),
                },
            };
        let n_pixels = u64::from(WIDTH * HEIGHT);
        for name in ["bits-1.png", "colour.jpg", "bits-1.bmp", "lossless.webp", "g4.tif", "tiles-lzw-predictor.tif"] {
            let bytes = fixture(name);
            let n_bytes = bytes.len() as u64;
            assert_eq!(kind_of(&bytes, limits(n_bytes, 4_096, 1)), None, "{name}");
            assert_eq!(kind_of(&bytes, limits(n_bytes - 1, 4_096, 1)), Some(Unit::Bytes), "{name}");
            assert_eq!(kind_of(&bytes, limits(n_bytes, n_pixels - 1, 1)), Some(Unit::PixelsPerPage), "{name}");
        }
        let three: Vec<Sheet> = (0..3).map(|_| Sheet::grey(&picture(), &[])).collect();
        let (bytes, _) = tiff_file(&three);
        assert_eq!(kind_of(&bytes, limits(1 << 20, 1 << 20, 3)), None);
        assert_eq!(kind_of(&bytes, limits(1 << 20, 1 << 20, 2)), Some(Unit::Pages));
    }

    /// Every file of fixtures, and one of two pages.
    fn corpus() -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/decode");
        let listed = std::fs::read_dir(folder).expect("the fixtures are there");
        let mut names: Vec<String> =
            listed.map(|entry| entry.expect("it is listed").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert!(names.len() > 30 && names.iter().all(|name| super::super::has_scan_extension(name)));
        // it gives no page, whole or not
        names.retain(|name| name != "locked.pdf");
        let mut corpus: Vec<_> = names.into_iter().map(|name| (name.clone(), fixture(&name))).collect();
        let two = [Sheet::grey(&picture(), &[]), Sheet::grey(&picture(), &[])];
        corpus.push(("two pages".to_owned(), tiff_file(&two).0));
        corpus
    }

    #[test]
    fn file_truncated_anywhere_gives_an_error_or_a_whole_page() {
        for (name, bytes) in corpus() {
            let whole = pages(&bytes).expect("it is whole");
            for len in 0..bytes.len() {
                for page in pages(&bytes[..len]).into_iter().flatten().flatten() {
                    let is_whole = whole.iter().flatten().any(|other| other.pixels == page.pixels);
                    assert!(is_whole, "{name} cut to {len} of {} bytes", bytes.len());
                }
            }
        }
    }

    #[test]
    fn file_with_changed_bytes_does_not_panic() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let limits = Limits { file_bytes: 1 << 20, page_pixels: 1 << 20, pages: 20, ..Limits::default() };
        for (_, mut bytes) in corpus() {
            for _ in 0..60 {
                let at = rng.random_range(0..bytes.len());
                let was = std::mem::replace(&mut bytes[at], rng.random());
                for page in open(&bytes, &limits).into_iter().flatten().flatten() {
                    assert!(u64::from(page.pixels.width()) * u64::from(page.pixels.height()) <= limits.page_pixels);
                }
                bytes[at] = was;
            }
        }
    }

    #[test]
    fn file_that_is_not_an_image_is_refused() {
        for bytes in [
            &b""[..],
            b"II",
            b"MM\0\x2A\0\0\0\0",
            b"%PDF-1.7",
            b"%!PS-Adobe",
            b"GIF89a",
            b"hello, world",
            b"\x89PNG\r\n\x1a\n",
        ] {
            let refused = pages(bytes).map_or(true, |pages| pages.iter().all(Result::is_err));
            assert!(refused, "{bytes:?}");
        }
        assert!(matches!(pages(b"%!PS-Adobe").unwrap_err().kind(), ErrorKind::Unsupported { .. }));
    }

    #[test]
    fn panic_of_a_decoder_is_a_fault_of_the_page() {
        let page = decode_page(Format::Png, &Limits::default(), || panic!("as a decoder might"));
        assert!(matches!(page.unwrap_err().kind(), ErrorKind::Format { .. }));
    }
}
