//! Marks that are not numbers are never accepted, whatever the best reading is.

use std::fs;

use image::{GrayImage, ImageFormat, Luma};
use imageproc::drawing::draw_filled_circle_mut;

use crate::util::{STRIP, call, talk};

const SIZE: (u32, u32) = (240, 64);

/// A strip with strokes through these points, `pen` pixels wide.
fn draw_strip(strokes: &[Vec<(f32, f32)>], pen: i32) -> GrayImage {
    let mut strip = GrayImage::from_pixel(SIZE.0, SIZE.1, Luma([240]));
    for pair in strokes.iter().flat_map(|stroke| stroke.windows(2)) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        let n = (x1 - x0).hypot(y1 - y0).ceil().max(1.0);
        for i in 0..=n as i32 {
            let t = i as f32 / n;
            let at = ((x0 + t * (x1 - x0)) as i32, (y0 + t * (y1 - y0)) as i32);
            draw_filled_circle_mut(&mut strip, at, pen / 2, Luma([30]));
        }
    }
    strip
}

/// A cross with its centre at `x`.
fn cross(x: f32) -> [Vec<(f32, f32)>; 2] {
    [vec![(x - 14.0, 16.0), (x + 14.0, 48.0)], vec![(x + 13.0, 15.0), (x - 14.0, 49.0)]]
}

/// A zigzag between `x` and `x + width`.
fn scribble(x: f32, width: f32, steps: i32) -> Vec<(f32, f32)> {
    let point = |i: i32| {
        let point_x = x + width * ((i * 37) % 11) as f32 / 10.0;
        (point_x, if i % 2 == 0 { 14.0 + ((i * 13) % 7) as f32 } else { 50.0 - ((i * 29) % 9) as f32 })
    };
    (0..steps).map(point).collect()
}

#[test]
fn fillers_dashes_scribbles_and_noise_are_not_accepted() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = dir.path().join("in");
    fs::create_dir_all(&scans).expect("it is writable");
    let dash = |x: f32, half_width: f32| vec![(x - half_width, 33.0), (x + half_width, 30.0)];
    let crosses = |xs: &[f32]| -> Vec<_> { xs.iter().flat_map(|&x| cross(x)).collect() };
    let noise = |spread: i32| {
        GrayImage::from_fn(SIZE.0, SIZE.1, |x, y| {
            let hash =
                (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).rotate_left(13)).wrapping_mul(2_246_822_519);
            Luma([(235 - (hash >> 24) as i32 * spread / 255).clamp(0, 255) as u8])
        })
    };
    let pictures = [
        ("crosses", draw_strip(&crosses(&[50.0, 110.0, 170.0]), 3)),
        ("one-cross", draw_strip(&crosses(&[120.0]), 5)),
        ("dash", draw_strip(&[dash(120.0, 22.0)], 4)),
        ("dashes", draw_strip(&[dash(60.0, 14.0), dash(120.0, 14.0), dash(180.0, 14.0)], 3)),
        ("long-dash", draw_strip(&[dash(120.0, 95.0)], 4)),
        ("scribble", draw_strip(&[scribble(70.0, 90.0, 40)], 3)),
        ("small-scribble", draw_strip(&[scribble(100.0, 30.0, 26)], 3)),
        ("dots", draw_strip(&[vec![(60.0, 44.0); 2], vec![(90.0, 44.0); 2], vec![(120.0, 44.0); 2]], 5)),
        ("paper", draw_strip(&[], 1)),
        ("grain", noise(40)),
        ("heavy-grain", noise(160)),
    ];
    for (name, picture) in &pictures {
        let path = scans.join(format!("{name}.png"));
        picture.save_with_format(path, ImageFormat::Png).expect("it is writable");
    }
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", talk(&output));
    let table = fs::read_to_string(dir.path().join("out.fields.csv")).expect("it was written");
    assert!(table.lines().count() > pictures.len() / 2, "{table}");
    let accepted: Vec<&str> = table.lines().filter(|line| line.contains(",accepted,")).collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}
