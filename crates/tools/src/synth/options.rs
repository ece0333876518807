//! Options for drawing a deck.

use super::HostileKinds;
use formread_raster::error::{Error, Result};

/// Range of resolutions, dots per inch.
const DPI_RANGE: std::ops::RangeInclusive<f64> = 50.0..=1_200.0;
/// Maximum skew, degrees; `turned` sets quarter turns.
const MAX_SKEW_DEGREES: f64 = 45.0;

/// Options for drawing, filling in and degrading pages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SynthOptions {
    /// Seed of the random numbers. Default 1.
    pub seed: u64,
    /// Dots per inch, 50 to 1,200. Default 300.
    pub dpi: f64,
    /// Share of blank fields, 0 to 1. Default 0.1.
    pub blanks: f64,
    /// Share of the writers who fill unused cells, if the template declares a filler, 0 to 1. Default 0.5.
    pub fillers: f64,
    /// Share of neighbouring digits in a box that touch, 0 to 1. Default 0.1.
    pub touching: f64,
    /// Share of the writers who write the decimal point of an amount in a box, 0 to 1. Default 0.
    pub points: f64,
    /// Share of the pages turned sideways or upside down, 0 to 1. Default 0.
    pub turned: f64,
    /// Share of the fields and of the pages with hostile writing, 0 to 1. Default 0.
    pub hostile: f64,
    /// The kinds of hostile writing. Default [`HostileKinds::ALL`].
    pub hostile_kinds: HostileKinds,
    /// Degradations by paper and scanner. Default [`Degradations::NONE`].
    pub degradations: Degradations,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            dpi: 300.0,
            blanks: 0.1,
            fillers: 0.5,
            touching: 0.1,
            points: 0.0,
            turned: 0.0,
            hostile: 0.0,
            hostile_kinds: HostileKinds::ALL,
            degradations: Degradations::NONE,
        }
    }
}

/// Degradations of a page, each from 0 (none) to 1, except the skew in degrees. The values are maxima: each page gets a random
/// strength from half the maximum to the maximum; for skew, shift, scale and perspective from zero to the maximum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degradations {
    /// Maximum rotation in either direction, degrees, 0 to 45.
    pub skew_degrees: f64,
    /// 1 shifts the page by up to a quarter of its sides; parts shifted out are lost.
    pub shift: f64,
    /// 1 scales the page to between 70 and 140 %.
    pub scale: f64,
    /// 1 is a standard deviation of 0.16 mm.
    pub blur: f64,
    /// 1 is a standard deviation of 28 grey levels and 6 specks of dust per square centimetre.
    pub noise: f64,
    /// 1 makes all ink two pixels wider, or thins it by about one.
    pub stroke_weight: f64,
    /// 1 is a JPEG of quality 12.
    pub jpeg: f64,
    /// 1 is a black-and-white page that loses 1.2 % of its rows and 8 % of its ink.
    pub fax: f64,
    /// 1 is a dark crease with a displacement of up to 0.6 mm.
    pub fold: f64,
    /// 1 moves each corner by up to a tenth of the page's sides; the table is visible around the page.
    pub perspective: f64,
    /// 1 is a loss of up to 55 % of the light in the darkest place.
    pub uneven_light: f64,
}

impl Degradations {
    /// No degradation.
    pub const NONE: Self = Self {
        skew_degrees: 0.0,
        shift: 0.0,
        scale: 0.0,
        blur: 0.0,
        noise: 0.0,
        stroke_weight: 0.0,
        jpeg: 0.0,
        fax: 0.0,
        fold: 0.0,
        perspective: 0.0,
        uneven_light: 0.0,
    };

    /// An office scanner used in a hurry.
    pub const MODERATE: Self = Self {
        skew_degrees: 2.0,
        shift: 0.04,
        scale: 0.1,
        blur: 0.3,
        noise: 0.3,
        stroke_weight: 0.3,
        jpeg: 0.4,
        uneven_light: 0.2,
        ..Self::NONE
    };

    /// Folded paper, photographed on a table.
    pub const HARD: Self = Self {
        skew_degrees: 6.0,
        shift: 0.1,
        scale: 0.5,
        blur: 0.5,
        noise: 0.6,
        stroke_weight: 0.5,
        jpeg: 0.7,
        fold: 0.7,
        perspective: 0.5,
        uneven_light: 0.6,
        ..Self::NONE
    };

    /// The preset with the name `name`: `none`, `moderate` or `hard`.
    pub fn preset(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::NONE),
            "moderate" => Some(Self::MODERATE),
            "hard" => Some(Self::HARD),
            _ => None,
        }
    }
}

impl SynthOptions {
    /// Checks the ranges of all options.
    ///
    /// # Errors
    /// `Usage` if an option is out of range.
    pub(super) fn check(&self) -> Result<()> {
        let d = &self.degradations;
        let range_error = |name: &str, value: f64, low: f64, high: f64| {
            Err(Error::usage(format!("{name}: {value}")).with_hint(format!("from {low} to {high}")))
        };
        for (name, share) in [
            ("blanks", self.blanks),
            ("fillers", self.fillers),
            ("touching", self.touching),
            ("points", self.points),
            ("turned", self.turned),
            ("hostile", self.hostile),
            ("shift", d.shift),
            ("scale", d.scale),
            ("blur", d.blur),
            ("noise", d.noise),
            ("stroke weight", d.stroke_weight),
            ("jpeg", d.jpeg),
            ("fax", d.fax),
            ("fold", d.fold),
            ("perspective", d.perspective),
            ("uneven light", d.uneven_light),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return range_error(name, share, 0.0, 1.0);
            }
        }
        if !(0.0..=MAX_SKEW_DEGREES).contains(&d.skew_degrees) {
            return range_error("skew", d.skew_degrees, 0.0, MAX_SKEW_DEGREES);
        }
        if !DPI_RANGE.contains(&self.dpi) {
            return range_error("dpi", self.dpi, *DPI_RANGE.start(), *DPI_RANGE.end());
        }
        if self.hostile > 0.0 && self.hostile_kinds.is_empty() {
            return Err(Error::usage("hostile writing without a kind"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_out_of_range_is_rejected() {
        let good = SynthOptions::default();
        assert!(good.check().is_ok());
        for preset in ["none", "moderate", "hard"] {
            let degradations = Degradations::preset(preset).expect("it is a preset");
            assert!(SynthOptions { degradations, ..good }.check().is_ok());
        }
        assert_eq!(Degradations::preset("soft"), None);
        for (bad, part) in [
            (SynthOptions { blanks: 1.5, ..good }, "blanks: 1.5"),
            (SynthOptions { turned: f64::NAN, ..good }, "turned: NaN"),
            (SynthOptions { hostile: -0.5, ..good }, "hostile: -0.5"),
            (
                SynthOptions { hostile: 0.5, hostile_kinds: HostileKinds::from_iter([]), ..good },
                "hostile writing without a kind",
            ),
            (SynthOptions { dpi: 1e9, ..good }, "dpi: 1000000000"),
            (SynthOptions { degradations: Degradations { fax: -0.1, ..good.degradations }, ..good }, "fax: -0.1"),
            (
                SynthOptions { degradations: Degradations { skew_degrees: 90.0, ..good.degradations }, ..good },
                "skew: 90",
            ),
        ] {
            let error = bad.check().expect_err(part);
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
