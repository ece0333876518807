//! What a template's TOML may say, with the place of every value, before it is checked.

use serde::Deserialize;
use toml::Spanned;

/// A value that is checked later, and where it stands.
pub(super) type Placed<T> = Option<Spanned<T>>;

/// Four numbers: a rectangle's left, top, width and height, or a line's two ends.
pub(super) type Quad = Spanned<[f64; 4]>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    pub name: Placed<String>,
    pub title: Placed<String>,
    pub unit: Placed<RawUnit>,
    pub page: Placed<[f64; 2]>,
    pub whole_image: Placed<bool>,
    #[serde(default)]
    pub lines: Vec<Quad>,
    #[serde(default)]
    pub frames: Vec<Quad>,
    #[serde(default)]
    pub marks: Vec<Quad>,
    #[serde(default)]
    pub words: Vec<Spanned<RawWord>>,
    #[serde(default)]
    pub rules: Vec<Spanned<String>>,
    #[serde(default, rename = "field")]
    pub fields: Vec<Spanned<RawField>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "unit must be \"mm\" or { dpi = 300 }")]
pub(super) enum RawUnit {
    Name(String),
    Pixels(RawPixels),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPixels {
    pub dpi: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWord {
    pub at: Quad,
    #[serde(default)]
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub name: Placed<String>,
    pub kind: Placed<String>,
    pub decimals: Placed<i64>,
    pub point: Placed<String>,
    pub signed: Placed<bool>,
    pub order: Placed<String>,
    pub pivot: Placed<i64>,
    pub filled: Placed<String>,
    pub comb: Placed<RawComb>,
    pub cells: Placed<Vec<Quad>>,
    #[serde(rename = "box")]
    pub frame: Option<Quad>,
    pub printed: Placed<Vec<Spanned<String>>>,
    pub digits: Placed<RawDigits>,
    #[serde(default)]
    pub fillers: Vec<Spanned<String>>,
    pub fillers_mean: Placed<String>,
    pub required: Placed<bool>,
    pub range: Placed<[f64; 2]>,
    #[serde(default)]
    pub allowed: Vec<Spanned<String>>,
    pub check_digit: Placed<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawComb {
    pub at: Spanned<[f64; 2]>,
    pub cell: Spanned<[f64; 2]>,
    pub groups: Spanned<Vec<i64>>,
    pub pitch: Placed<f64>,
    pub gap: Placed<f64>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "digits must be a number or [least, most]")]
pub(super) enum RawDigits {
    Exactly(i64),
    Between([i64; 2]),
}
