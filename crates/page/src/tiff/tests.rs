//! Pages in codings and with tags that few programs write, and damaged ones.

use ::fax::{Color, VecWriter, encoder::Encoder};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Luma};

use super::super::{Page, open};
use super::*;

const SIZE: [u32; 2] = [64, 48];

fn picture() -> GrayImage {
    GrayImage::from_fn(SIZE[0], SIZE[1], |x, y| Luma([if x / 9 % 3 == 1 && y / 7 % 2 == 1 { 0 } else { 255 }]))
}

/// The data of a page, in one strip, and its tags with one value each.
type Sheet<'a> = (&'a [u8], &'a [(u16, u32)]);

/// A file of pages.
fn file(pages: &[Sheet]) -> Vec<u8> {
    let mut bytes = b"II\x2A\0".to_vec();
    for (data, tags) in pages {
        let data_at = bytes.len() + 4;
        let ifd_at = (data_at + data.len()) as u32;
        bytes.extend(ifd_at.to_le_bytes());
        bytes.extend(*data);
        let mut tags: Vec<(u16, u32)> = tags.to_vec();
        tags.extend([(tag::IMAGE_WIDTH, SIZE[0]), (tag::IMAGE_LENGTH, SIZE[1])]);
        tags.iter_mut().filter(|(tag, _)| OFFSETS.contains(tag)).for_each(|(_, at)| *at = data_at as u32);
        tags.sort();
        bytes.extend((tags.len() as u16).to_le_bytes());
        for (tag, value) in tags {
            // SHORT for what the tiff crate expects as such, LONG for the rest
            let kind: u16 = if SHORTS.contains(&tag) { 3 } else { 4 };
            bytes.extend(tag.to_le_bytes());
            bytes.extend(kind.to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            bytes.extend(value.to_le_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

const OFFSETS: [u16; 2] = [tag::STRIP_OFFSETS, tag::OLD_JPEG_OFFSET];
const SHORTS: [u16; 4] = [tag::PHOTOMETRIC, tag::COMPRESSION, tag::SAMPLES_PER_PIXEL, tag::EXTRA_SAMPLES];

fn pages(bytes: &[u8]) -> Vec<Result<Page>> {
    open(bytes, &Limits::default()).map(Iterator::collect).unwrap_or_else(|error| vec![Err(error)])
}

fn only(bytes: &[u8]) -> Result<GrayImage> {
    let mut pages = pages(bytes);
    assert_eq!(pages.len(), 1);
    pages.remove(0).map(|page| page.pixels)
}

fn grey_tags(compression: u32, n_bytes: usize) -> Vec<(u16, u32)> {
    vec![
        (tag::COMPRESSION, compression),
        (tag::PHOTOMETRIC, 1),
        (tag::BITS_PER_SAMPLE, 8),
        (tag::STRIP_OFFSETS, 0),
        (tag::STRIP_BYTE_COUNTS, n_bytes as u32),
    ]
}

fn group4() -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    for row in picture().rows() {
        let row = row.map(|pixel| if pixel[0] == 0 { Color::Black } else { Color::White });
        let Ok(()) = encoder.encode_line(row, SIZE[0]);
    }
    let Ok(writer) = encoder.finish();
    writer.finish()
}

#[test]
fn one_strip_without_its_length_is_read() {
    let fax = group4();
    let tags = [(tag::COMPRESSION, 4), (tag::PHOTOMETRIC, 0), (tag::STRIP_OFFSETS, 0)];
    for count in [Some(0), None, Some(fax.len() as u32)] {
        let mut tags = tags.to_vec();
        tags.extend(count.map(|count| (tag::STRIP_BYTE_COUNTS, count)));
        assert!(only(&file(&[(&fax, &tags)])).expect("it is whole") == picture(), "{count:?}");
    }
    let plain = picture().into_raw();
    assert!(only(&file(&[(&plain, &grey_tags(1, 0))])).expect("it is whole") == picture());
}

#[test]
fn old_jpeg_in_one_place_is_read_and_damaged_one_is_not() {
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    image::ImageEncoder::write_image(encoder, &picture(), SIZE[0], SIZE[1], ExtendedColorType::L8)
        .expect("it can be coded");
    let tags = |len: usize| {
        let mut tags = grey_tags(6, jpeg.len());
        tags.extend([(tag::OLD_JPEG_OFFSET, 0), (tag::OLD_JPEG_LENGTH, len as u32)]);
        tags
    };
    for len in [jpeg.len(), 0] {
        let pixels = only(&file(&[(&jpeg, &tags(len))])).expect("it is whole");
        let n_same = pixels.iter().zip(picture().iter()).filter(|(a, b)| a.abs_diff(**b) < 64).count();
        assert!(n_same > pixels.len() * 95 / 100, "{n_same}");
    }
    let at = jpeg.len() - 260;
    let lost = [&jpeg[..at], &jpeg[at + 200..]].concat();
    assert!(only(&file(&[(&lost, &tags(lost.len()))])).is_err(), "bytes are lost");
    only(&file(&[(&jpeg, &grey_tags(6, jpeg.len()))])).expect_err("nobody knows where it is");
}

#[test]
fn fourth_sample_without_meaning_is_alpha_where_the_colours_show_nothing() {
    let samples = |paper: [u8; 4], ink: [u8; 4]| -> Vec<u8> {
        picture().iter().flat_map(|&grey| if grey == 0 { ink } else { paper }).collect()
    };
    let cases = [
        // black ink on clear black
        (samples([0, 0, 0, 0], [0, 0, 0, 255]), true),
        // infrared light sees no ink
        (samples([255, 255, 255, 0], [0, 0, 0, 0]), true),
        (samples([255, 255, 255, 255], [0, 0, 0, 255]), true),
    ];
    for (samples, is_picture) in cases {
        let mut tags = grey_tags(1, samples.len());
        tags.retain(|(tag, _)| ![tag::PHOTOMETRIC, tag::BITS_PER_SAMPLE].contains(tag));
        // one value of BitsPerSample is taken for all samples
        tags.extend([(tag::PHOTOMETRIC, 2), (tag::BITS_PER_SAMPLE, 8), (tag::SAMPLES_PER_PIXEL, 4)]);
        tags.push((tag::EXTRA_SAMPLES, 0));
        let pixels = only(&file(&[(&samples, &tags)])).expect("it is whole");
        assert_eq!(pixels == picture(), is_picture);
    }
}

#[test]
fn thumbnail_by_either_tag_is_no_page() {
    let plain = picture().into_raw();
    for (subfile_tag, value) in [(tag::NEW_SUBFILE_TYPE, 1), (tag::SUBFILE_TYPE, 2)] {
        let page = grey_tags(1, plain.len());
        let mut thumbnail = page.clone();
        thumbnail.push((subfile_tag, value));
        assert_eq!(pages(&file(&[(&plain, &page), (&plain, &thumbnail)])).len(), 1, "tag {subfile_tag}");
        assert_eq!(pages(&file(&[(&plain, &page), (&plain, &page)])).len(), 2);
    }
}

#[test]
fn packed_data_with_lost_or_changed_bytes_is_refused() {
    let plain = picture().into_raw();
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&plain).expect("it fits");
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut deflate, &plain).expect("memory does not run out");
    let deflate = deflate.finish().expect("memory does not run out");
    let pack_bits: Vec<u8> = plain.chunks(8).flat_map(|run| [&[7], run].concat()).collect();
    for (compression, data) in [(5, lzw), (8, deflate), (32_773, pack_bits)] {
        let tags = grey_tags(compression, data.len());
        assert!(only(&file(&[(&data, &tags)])).expect("it is whole") == picture(), "{compression}");
        let at = data.len() / 2;
        let lost = [&data[..at], &data[at + 5..]].concat();
        let tags = grey_tags(compression, lost.len());
        only(&file(&[(&lost, &tags)])).expect_err("bytes are lost");
    }
}

#[test]
fn group4_with_lost_bytes_is_refused() {
    let fax = group4();
    for at in 0..fax.len() - 10 {
        let lost = [&fax[..at], &fax[at + 5..]].concat();
        let tags = [
            (tag::COMPRESSION, 4),
            (tag::PHOTOMETRIC, 0),
            (tag::STRIP_OFFSETS, 0),
            (tag::STRIP_BYTE_COUNTS, lost.len() as u32),
        ];
        assert!(only(&file(&[(&lost, &tags)])).is_err(), "5 bytes at {at}");
    }
}
