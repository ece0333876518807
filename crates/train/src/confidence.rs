//! Fits the confidence model of new weights, on fields in the handwriting of writers that were not trained on.

use formread_core::assemble::{ConfidenceInputs, confidence_inputs};
use formread_core::form::{FormTemplate, known_templates};
use formread_core::reader::{Reader, ScoredField};
use formread_core::scores::{Compute, ConfidenceModel};
use formread_core::segment::{FieldCut, FieldInk};
use formread_page::Page;
use formread_raster::error::Result;
use formread_tools::dataset::GlyphSet;
use formread_tools::synth::{Degradations, FieldTruth, GlyphStock, SynthOptions, SynthPage, synthesise};
use formread_torch::{TorchBackend, Weights};
use nalgebra::{SMatrix, SVector};
use rayon::prelude::*;

/// The forms that are drawn: fields with printed cells, and boxes without. Their rules are not used.
const FORMS: [&str; 2] = ["tax-return", "nist-hsf"];

/// Pages of each form. With about 20 fields a page this gives some 3,000 fields. More pages cost a second each or less.
const N_PAGES: u64 = 75;

/// How the pages are degraded, in turn: as in a usual batch, where a strongly degraded page is the exception.
const MIX: [Degradations; 5] =
    [Degradations::NONE, Degradations::MODERATE, Degradations::NONE, Degradations::MODERATE, Degradations::HARD];

/// Wrong readings that a fit needs, and as many right ones: ten for each of the four coefficients (Peduzzi et al., "A
/// simulation study of the number of events per variable in logistic regression analysis", 1996). With fewer, the
/// coefficients of the base stay. Raising it keeps old coefficients more often; lowering it lets chance decide.
const MIN_WRONG: usize = 40;

/// Newton steps at most; about eight are needed.
const MAX_STEPS: usize = 50;
/// The fit ends where a step changes no coefficient by more than this.
const TOLERANCE: f64 = 1e-9;
/// Added to the diagonal of the Hessian, per field, so that inputs that never vary do not make it singular.
const RIDGE: f64 = 1e-9;

/// The confidence model of a training, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceFit {
    /// The model in the sidecar.
    pub model: ConfidenceModel,
    /// Whether it was fitted. If not, it is that of the base weights, or the default one.
    pub is_fitted: bool,
    /// Fields that were read for the fit.
    pub n_fields: usize,
    /// Of these, read wrong.
    pub n_wrong: usize,
}

/// One reading: the inputs of its confidence, and whether it is right.
pub(super) type Observation = (ConfidenceInputs, bool);

/// Draws pages with the digits of `held_out`, reads them with `weights` from end to end, and fits the model to the readings.
///
/// Drawn pages are easier than real ones, and the model knows no other. Where no digits are held out, or one of the ten is
/// missing, or too few readings are wrong ([`fit_model`]), the model of `weights` stays.
///
/// # Errors
/// Where LibTorch fails.
pub(super) fn fit_confidence(weights: &Weights, held_out: &[GlyphSet], seed: u64) -> Result<ConfidenceFit> {
    let base = weights.sidecar().confidence;
    let observations = match stock(held_out) {
        Some(stock) => observe(weights, &stock, seed)?,
        None => Vec::new(),
    };
    let fitted = fit_model(&observations);
    Ok(ConfidenceFit {
        model: fitted.unwrap_or(base),
        is_fitted: fitted.is_some(),
        n_fields: observations.len(),
        n_wrong: observations.iter().filter(|(_, is_right)| !is_right).count(),
    })
}

/// The held-out digits by writer: of sets with known writers where there are some, else of all. `None` where a digit is
/// missing. Sets of pen tracks are left out: too many of their labels are wrong, and a fit would take them for errors.
fn stock(held_out: &[GlyphSet]) -> Option<GlyphStock> {
    let is_scanned = |set: &&GlyphSet| !set.is_tracked;
    let has_writers = held_out.iter().filter(is_scanned).any(|set| !set.writers.is_empty());
    let mut first_writer = 0;
    let mut signs = Vec::new();
    for set in held_out.iter().filter(is_scanned).filter(|set| !has_writers || !set.writers.is_empty()) {
        let numbered = |writer: usize| first_writer + writer;
        signs.extend(set.samples.iter().map(|sample| (sample.ink.clone(), sample.digit, sample.writer.map(numbered))));
        first_writer += set.writers.len();
    }
    GlyphStock::new(signs).ok()
}

/// The readings of all pages, in their order.
fn observe(weights: &Weights, stock: &GlyphStock, seed: u64) -> Result<Vec<Observation>> {
    let mut observations = Vec::new();
    for mut form in known_templates()?.into_iter().filter(|form| FORMS.contains(&form.name.as_str())) {
        form.rules.clear();
        form.other_fields.clear();
        let backend = TorchBackend::new(weights.clone(), Compute::default());
        let reader = Reader::builder().templates([form.clone()]).backend(backend).build()?;
        let pages = (0..N_PAGES).into_par_iter().map(|page_idx| observe_page(&reader, &form, stock, seed, page_idx));
        observations.extend(pages.collect::<Result<Vec<_>>>()?.into_iter().flatten());
    }
    Ok(observations)
}

/// The readings of one page, degraded as the next of [`MIX`]. None where registration rejects it.
fn observe_page(
    reader: &Reader,
    form: &FormTemplate,
    stock: &GlyphStock,
    seed: u64,
    page_idx: u64,
) -> Result<Vec<Observation>> {
    let degradations = MIX[(page_idx % MIX.len() as u64) as usize];
    let options = SynthOptions { seed, points: 0.3, degradations, ..SynthOptions::default() };
    let SynthPage { image, truth, .. } = synthesise(form, stock, &options, page_idx)?;
    let explained = reader.stages().explain_page(1, &Page::upright(image, Some(options.dpi)))?;
    let Some(cut) = explained.report.cut else { return Ok(Vec::new()) };
    let observe_field = |((truth, cut), field): ((&FieldTruth, &FieldCut), &ScoredField)| {
        let FieldInk::Written(lattice) = &cut.ink else { return None };
        // a field that is not wholly on the page has no value
        if matches!(truth.value.as_str(), "!" | "?") {
            return None;
        }
        let field_template = form.fields.get(cut.field_idx)?;
        let (guess, inputs) = confidence_inputs(field_template, lattice, &field.scores, reader.assemble_params())?;
        Some((inputs, guess == truth.value))
    };
    Ok(truth.iter().zip(&cut.cuts).zip(&explained.fields).filter_map(observe_field).collect())
}

/// Logistic regression of "the reading is right" on the inputs, with Platt's targets against overfitting ("Probabilistic
/// outputs for support vector machines", 1999, section 2.2), by Newton's method. No slope is negative, so that stronger
/// evidence never lowers a confidence: the most negative one is set to 0 and the others are fitted again.
///
/// `None` where fewer than [`MIN_WRONG`] readings are wrong, or as few right.
pub(super) fn fit_model(observations: &[Observation]) -> Option<ConfidenceModel> {
    let n_right = observations.iter().filter(|(_, is_right)| *is_right).count();
    let n_wrong = observations.len() - n_right;
    if n_right.min(n_wrong) < MIN_WRONG {
        return None;
    }
    let (right, wrong) = ((n_right as f64 + 1.0) / (n_right as f64 + 2.0), 1.0 / (n_wrong as f64 + 2.0));
    let rows: Vec<Row> = observations
        .iter()
        .map(|(inputs, is_right)| {
            let [share, lattice, strip] = inputs.features();
            (Coefficients::new(1.0, share, lattice, strip), if *is_right { right } else { wrong })
        })
        .collect();
    let mut is_free = [true; N_COEFFICIENTS];
    loop {
        let coefficients = newton(&rows, is_free)?;
        let slopes = (1..N_COEFFICIENTS).filter(|&i| coefficients[i] < 0.0);
        match slopes.min_by(|&i, &j| coefficients[i].total_cmp(&coefficients[j])) {
            Some(most_negative) => is_free[most_negative] = false,
            None => {
                let [intercept, share_log_odds, lattice_log, strip_log] = coefficients.into();
                return Some(ConfidenceModel { intercept, share_log_odds, lattice_log, strip_log });
            }
        }
    }
}

/// Coefficients of [`ConfidenceModel`].
const N_COEFFICIENTS: usize = 4;

/// Inputs of a reading, 1 first for the intercept, and the target.
type Row = (Coefficients, f64);
/// One number a coefficient.
type Coefficients = SVector<f64, N_COEFFICIENTS>;

/// The coefficients with the smallest cross-entropy of `rows`; those that are not free are 0. `None` where the method does
/// not converge.
fn newton(rows: &[Row], is_free: [bool; N_COEFFICIENTS]) -> Option<Coefficients> {
    // log(1 + e^sum) - target * sum, without overflow
    let loss = |coefficients: &Coefficients| -> f64 {
        let of_row = |(inputs, target): &Row| {
            let sum = coefficients.dot(inputs);
            sum.max(0.0) + (-sum.abs()).exp().ln_1p() - target * sum
        };
        rows.iter().map(of_row).sum()
    };
    let mut coefficients = Coefficients::zeros();
    for _ in 0..MAX_STEPS {
        let mut gradient = Coefficients::zeros();
        let mut hessian = SMatrix::<f64, N_COEFFICIENTS, N_COEFFICIENTS>::identity() * (RIDGE * rows.len() as f64);
        for (inputs, target) in rows {
            let probability = 1.0 / (1.0 + (-coefficients.dot(inputs)).exp());
            gradient += inputs * (probability - target);
            hessian += inputs * inputs.transpose() * (probability * (1.0 - probability));
        }
        for i in (0..N_COEFFICIENTS).filter(|&i| !is_free[i]) {
            gradient[i] = 0.0;
            hessian.row_mut(i).fill(0.0);
            hessian.column_mut(i).fill(0.0);
            hessian[(i, i)] = 1.0;
        }
        let step = hessian.cholesky()?.solve(&gradient);
        // a full step, or the first of its halves that does not raise the loss
        let before = loss(&coefficients);
        let mut steps = (0..30).map(|n| coefficients - step * 0.5f64.powi(n));
        let Some(next) = steps.find(|next| loss(next) <= before) else { return Some(coefficients) };
        let change = (next - coefficients).amax();
        coefficients = next;
        if change < TOLERANCE {
            return Some(coefficients);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::allographs::draw_digits;

    /// `n` readings with random inputs, each right with the confidence that `model` gives it.
    fn readings(n: usize, model: &ConfidenceModel) -> Vec<Observation> {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let reading = |_| {
            let log_odds: f64 = rng.random_range(-3.0..8.0);
            let inputs = ConfidenceInputs {
                share: 1.0 / (1.0 + (-log_odds).exp()),
                lattice_log: rng.random_range(-12.0..0.0),
                strip_log: Some(rng.random_range(-12.0..0.0)),
            };
            (inputs, rng.random_bool(inputs.confidence(model)))
        };
        (0..n).map(reading).collect()
    }

    #[test]
    fn fit_model_readings_of_a_known_model_finds_its_coefficients() {
        let model = ConfidenceModel { intercept: 0.8, share_log_odds: 0.6, lattice_log: 0.1, strip_log: 0.3 };
        let observations = readings(20_000, &model);
        let fitted = fit_model(&observations).expect("many readings are wrong");
        let pairs = [
            (fitted.intercept, model.intercept),
            (fitted.share_log_odds, model.share_log_odds),
            (fitted.lattice_log, model.lattice_log),
            (fitted.strip_log, model.strip_log),
        ];
        assert!(pairs.iter().all(|(found, true_value)| (found - true_value).abs() < 0.1), "{fitted:?}");
        assert_eq!(fit_model(&observations), Some(fitted), "the fit is deterministic");
    }

    #[test]
    fn fit_model_misleading_input_gets_slope_0() {
        let model = ConfidenceModel { intercept: 0.5, share_log_odds: 0.6, lattice_log: -0.2, strip_log: 0.2 };
        let fitted = fit_model(&readings(20_000, &model)).expect("many readings are wrong");
        assert_eq!(fitted.lattice_log, 0.0);
        assert!(fitted.share_log_odds > 0.0 && fitted.strip_log > 0.0, "{fitted:?}");
    }

    #[test]
    fn fit_model_too_few_wrong_readings_is_none() {
        let mut observations = readings(2_000, &ConfidenceModel::default());
        observations.iter_mut().for_each(|(_, is_right)| *is_right = true);
        assert_eq!(fit_model(&observations), None);
        observations[..MIN_WRONG - 1].iter_mut().for_each(|(_, is_right)| *is_right = false);
        assert_eq!(fit_model(&observations), None);
        observations[MIN_WRONG - 1].1 = false;
        assert!(fit_model(&observations).is_some());
    }

    #[test]
    fn fit_model_all_inputs_equal_gives_the_share_of_right_readings() {
        let inputs = ConfidenceInputs { share: 0.9, lattice_log: -1.0, strip_log: None };
        let observations: Vec<Observation> = (0..1_000).map(|i| (inputs, i % 10 != 0)).collect();
        let fitted = fit_model(&observations).expect("100 readings are wrong");
        assert!((inputs.confidence(&fitted) - 0.9).abs() < 0.01, "{fitted:?}");
    }

    #[test]
    fn observe_page_read_by_the_shipped_nets_is_mostly_right() {
        let stock = stock(&[draw_digits(3, 5)]).expect("all ten digits are drawn");
        let mut forms = known_templates().expect("they parse");
        forms.retain(|form| form.name == FORMS[0]);
        let mut form = forms.remove(0);
        form.rules.clear();
        let backend = TorchBackend::shipped().expect("the weights fit");
        let reader = Reader::builder().templates([form.clone()]).backend(backend).build().expect("a template is given");
        let observations = observe_page(&reader, &form, &stock, 1, 0).expect("LibTorch works");
        let n_right = observations.iter().filter(|(_, is_right)| *is_right).count();
        assert!(observations.len() >= 10 && 10 * n_right >= 7 * observations.len(), "{n_right}: {observations:?}");
    }

    #[test]
    fn stock_without_all_digits_is_none() {
        assert!(stock(&[]).is_none());
    }
}
