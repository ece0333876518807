//! One page in every format.

use std::io::{Cursor, Write};

use fax::{
    BitWriter, Bits, Color, VecWriter,
    encoder::Encoder,
    maps::{black, white},
};
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageFormat, codecs::jpeg::JpegEncoder};

/// Grey under which a pixel is ink in formats of black and white.
const INK: u8 = 160;
/// Resolution of the page in PDF.
const DPI: f64 = 200.0;

/// The page in each format, and its name.
pub fn all(page: &GrayImage) -> Vec<(&'static str, Vec<u8>)> {
    let plain = page.as_raw();
    let (jpeg, group_4) = (jpeg(page), group_4(page));
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(plain);
    let lzw = lzw.expect("it can be coded");
    vec![
        ("jpeg", jpeg.clone()),
        ("jpeg in tiff", tiff(page, 7, 8, &jpeg)),
        ("jpeg in pdf", pdf(page, "/DCTDecode/BitsPerComponent 8", &jpeg)),
        ("png", with_image(page, ImageFormat::Png)),
        ("bmp", with_image(page, ImageFormat::Bmp)),
        ("gif", with_image(page, ImageFormat::Gif)),
        ("webp", with_image(page, ImageFormat::WebP)),
        ("tiff", tiff(page, 1, 8, plain)),
        ("tiff lzw", tiff(page, 5, 8, &lzw)),
        ("tiff deflate", tiff(page, 8, 8, &deflate(plain))),
        ("tiff packbits", tiff(page, 32_773, 8, &pack_bits(page))),
        ("tiff group 3", tiff(page, 3, 1, &group_3(page))),
        ("tiff group 4", tiff(page, 4, 1, &group_4)),
        ("pdf flate", pdf(page, "/FlateDecode/BitsPerComponent 8", &deflate(plain))),
        ("pdf group 4", {
            let params = format!("/DecodeParms<</K -1/Columns {}/Rows {}>>", page.width(), page.height());
            pdf(page, &format!("/CCITTFaxDecode/BitsPerComponent 1{params}"), &group_4)
        }),
    ]
}

fn with_image(page: &GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let page = DynamicImage::from(page.clone());
    // its encoder takes no grey
    let page = if format == ImageFormat::Gif { page.into_rgb8().into() } else { page };
    page.write_to(&mut bytes, format).expect("it can be coded");
    bytes.into_inner()
}

fn jpeg(page: &GrayImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 85);
    encoder.encode(page, page.width(), page.height(), ExtendedColorType::L8).expect("it can be coded");
    bytes
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).expect("memory does not run out");
    encoder.finish().expect("memory does not run out")
}

/// Runs of equal pixels, and single pixels, row by row.
fn pack_bits(page: &GrayImage) -> Vec<u8> {
    let mut packed = Vec::new();
    for row in page.as_raw().chunks(page.width() as usize) {
        for run in row.chunk_by(|a, b| a == b).flat_map(|run| run.chunks(128)) {
            // 0: one byte as it is; 257 - n: n times the next byte
            let length = if run.len() == 1 { 0 } else { u8::try_from(257 - run.len()).expect("runs are short") };
            packed.extend([length, run[0]]);
        }
    }
    packed
}

fn colours(row: &[u8]) -> impl Iterator<Item = Color> {
    row.iter().map(|grey| if *grey < INK { Color::Black } else { Color::White })
}

fn group_4(page: &GrayImage) -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    for row in page.as_raw().chunks(page.width() as usize) {
        let Ok(()) = encoder.encode_line(colours(row), page.width());
    }
    let Ok(writer) = encoder.finish();
    writer.finish()
}

fn group_3(page: &GrayImage) -> Vec<u8> {
    let mut writer = VecWriter::new();
    let mut put = |bits: Bits| {
        let Ok(()) = writer.write(bits);
    };
    for row in page.as_raw().chunks(page.width() as usize) {
        put(Bits { data: 1, len: 12 });
        let row: Vec<Color> = colours(row).collect();
        let (mut at, mut colour) = (0, Color::White);
        while at < row.len() {
            let mut run = row[at..].iter().take_while(|pixel| **pixel == colour).count();
            at += run;
            let table = if colour == Color::Black { &black::ENTRIES } else { &white::ENTRIES };
            // 40 * 64 is the longest code
            while run >= 64 {
                let n_64 = (run / 64).min(40);
                put(table[63 + n_64].1);
                run -= 64 * n_64;
            }
            put(table[run].1);
            colour = !colour;
        }
    }
    writer.finish()
}

/// A TIFF file with one strip. White is 255, and 0 in fax codes.
fn tiff(page: &GrayImage, compression: u32, bits: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"II\x2A\0".to_vec();
    bytes.extend(u32::try_from(8 + data.len()).expect("the page is small").to_le_bytes());
    bytes.extend(data);
    let length = u32::try_from(data.len()).expect("the page is small");
    let tags = [
        (256u16, page.width()),
        (257, page.height()),
        (258, bits),
        (259, compression),
        (262, u32::from(bits == 8)),
        (273, 8),
        (277, 1),
        (278, page.height()),
        (279, length),
    ];
    bytes.extend(9u16.to_le_bytes());
    for (tag, value) in tags {
        let kind: u16 = if [258, 259, 262, 277].contains(&tag) { 3 } else { 4 };
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([1u32.to_le_bytes(), value.to_le_bytes()].concat());
    }
    bytes.extend([0; 4]);
    bytes
}

/// A PDF file with one page that is one picture. `code` is the name of its filter and what follows it.
fn pdf(page: &GrayImage, code: &str, data: &[u8]) -> Vec<u8> {
    let [width, height] = [page.width(), page.height()];
    let [page_width, page_height] = [width, height].map(|side| f64::from(side) * 72.0 / DPI);
    let content = format!("{page_width} 0 0 {page_height} 0 0 cm /I Do");
    let picture = format!(
        "<</Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/Length {}/Filter{code}>>stream\n",
        data.len()
    );
    let objects = [
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {page_width} {page_height}]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
        )
        .into_bytes(),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()).into_bytes(),
        [picture.as_bytes(), data, b"\nendstream"].concat(),
    ];
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{number} 0 obj\n").bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let at = bytes.len();
    bytes.extend(
        format!("xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n")
            .bytes(),
    );
    bytes
}
