//! Weights on disk and in memory: a safetensors file and, beside it, a JSON sidecar that describes them.
//!
//! Everything is checked here, in plain Rust, before LibTorch sees a number.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::architecture::{ARCHITECTURE, tensor_shapes};
use super::writer::StyleModel;
use formread_core::normalise::{GLYPH_SIDE, INK_SIDE};
use formread_core::scores::ConfidenceModel;
use formread_raster::error::{Error, Format, Result};
use formread_raster::fsio::{read_bounded, write_atomic};
use formread_raster::hash::{Sha256, sha256};

/// Largest file of weights that is read, bytes; the ones that the program carries take 4 MB.
const MAX_BYTES: u64 = 256 << 20;

/// Temperatures that a fit can give. Guo et al., table 2, find 0.8 to 3; beyond these, probabilities are all equal, or all 0 or 1.
const TEMPERATURES: RangeInclusive<f32> = 0.05..=20.0;

/// What weights were trained on, how, and how well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sidecar {
    /// The net's shape, by name.
    pub architecture: String,
    /// How glyphs must be made for it.
    pub normaliser: NormaliserConstants,
    /// The digit head's logits are divided by this before the softmax, so that its probabilities are calibrated
    /// (Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2).
    pub temperature: f32,
    /// Where the digits of the writers that were trained on lie; absent where no writers are known.
    #[serde(default, alias = "centres", skip_serializing_if = "Option::is_none")]
    pub style_model: Option<StyleModel>,
    /// From the nets' scores to the chance that a reading is right.
    pub confidence: ConfidenceModel,
    /// What it was trained on.
    pub trained_on: Vec<TrainedOn>,
    /// How it was trained.
    pub recipe: Recipe,
    /// How the net that reads whole strips was trained; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strips: Option<StripRecipe>,
    /// How well it does on what it was not trained on.
    pub held_out: Vec<HeldOut>,
    /// Of each net by its name, loss a sample, epoch by epoch.
    pub losses: BTreeMap<String, Vec<f64>>,
}

/// The constants of [`formread_core::normalise`] that training used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormaliserConstants {
    /// Side of a glyph, pixels.
    pub glyph_side: usize,
    /// Longer side of its ink, pixels.
    pub ink_side: usize,
}

impl NormaliserConstants {
    /// Those of this program.
    pub const OURS: Self = Self { glyph_side: GLYPH_SIDE, ink_side: INK_SIDE };
}

/// A set that was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedOn {
    /// The set's name.
    pub set: String,
    /// Glyphs of it that were trained on.
    pub count: usize,
    /// Its writers that were trained on, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
}

/// How it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Times that every sample was seen.
    pub epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Adam's learning rate at its highest.
    pub lr: f64,
    /// How the learning rate went.
    pub schedule: String,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// What was done to the samples.
    pub augmentation: String,
    /// Drawn samples that are no digits, an epoch.
    pub negatives: usize,
}

/// How the net that reads whole strips was trained, on strips drawn from the sets' digits, and how well it does on such
/// strips of what was held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StripRecipe {
    /// Epochs.
    pub epochs: usize,
    /// Strips an epoch, each drawn anew.
    pub strips: usize,
    /// Strips a step.
    pub batch_size: usize,
    /// Adam's learning rate at its highest.
    pub lr: f64,
    /// Strips drawn to measure on.
    pub held_out: usize,
    /// Of these, read right from end to end.
    pub correct: usize,
}

/// A set that was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// The set's name.
    pub set: String,
    /// Its writers that were held out, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// Glyphs.
    pub count: usize,
    /// Of these, read correctly.
    pub correct: usize,
    /// `correct / count`.
    pub accuracy: f64,
    /// Of these, taken for a digit (class head, probability of at least 0.5).
    pub taken_for_digit: usize,
}

/// A tensor in plain memory.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainTensor {
    /// Its axes' lengths.
    pub shape: Vec<usize>,
    /// Row-major; as many as the product of `shape`.
    pub values: Vec<f32>,
}

impl PlainTensor {
    /// Every value rounded to the nearest half-precision number (IEEE 754 binary16).
    fn rounded(mut self) -> Self {
        self.values.iter_mut().for_each(|v| *v = f16::from_f32(*v).to_f32());
        self
    }
}

/// Weights that fit this program's nets: half-precision numbers, which cost no accuracy and half the room.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    tensors: BTreeMap<String, PlainTensor>,
    sidecar: Sidecar,
}

/// What the file of a sidecar has besides the sidecar: it binds it to its weights.
#[derive(Serialize, Deserialize)]
struct Bond {
    /// SHA-256 of the safetensors file.
    weights_sha256: Sha256,
}

/// The file of a sidecar.
#[derive(Serialize)]
struct SidecarFile<'a> {
    #[serde(flatten)]
    bond: Bond,
    #[serde(flatten)]
    sidecar: &'a Sidecar,
}

impl Weights {
    /// Rounds `tensors` to half precision and checks that they are those of this program's nets, name by name and shape by
    /// shape, and finite.
    ///
    /// # Errors
    /// `Format` names the tensor that does not fit; `Unsupported` where the sidecar is of another net.
    pub fn new(tensors: BTreeMap<String, PlainTensor>, sidecar: Sidecar) -> Result<Self> {
        check_sidecar(&sidecar)?;
        let tensors: BTreeMap<_, _> = tensors.into_iter().map(|(name, tensor)| (name, tensor.rounded())).collect();
        let expected = tensor_shapes();
        for (name, shape) in &expected {
            let Some(tensor) = tensors.get(name) else {
                return Err(Error::format(Format::Weights, format_args!("tensor missing: {name}, expected {shape:?}")));
            };
            if tensor.shape != *shape || tensor.values.len() != shape.iter().product::<usize>() {
                let found = &tensor.shape;
                return Err(Error::format(
                    Format::Weights,
                    format_args!("tensor {name}: expected {shape:?}, found {found:?}"),
                ));
            }
            if let Some(position) = tensor.values.iter().position(|v| !v.is_finite()) {
                let value = tensor.values[position];
                return Err(Error::format(Format::Weights, format_args!("tensor {name}: value {position} is {value}")));
            }
        }
        match tensors.keys().find(|name| !expected.iter().any(|(known, _)| known == *name)) {
            Some(name) => Err(Error::format(Format::Weights, format_args!("unknown tensor: {name}"))),
            None => Ok(Self { tensors, sidecar }),
        }
    }

    /// Reads a safetensors file and the `bytes` of its sidecar.
    ///
    /// # Errors
    /// `Format` or `Unsupported`, with what does not fit.
    pub fn from_bytes(safetensors: &[u8], bytes: &[u8]) -> Result<Self> {
        let sidecar: Sidecar = serde_json::from_slice(bytes).map_err(|error| {
            let is_old = error.to_string().contains("missing field `confidence`");
            let error = Error::format(Format::Sidecar, error);
            if is_old {
                error.with_hint("weights of version 0.1 have no confidence model: train them again")
            } else {
                error
            }
        })?;
        check_sidecar(&sidecar)?;
        let (tensors, _) = tensors_from_bytes(safetensors)?;
        let weights = Self::new(tensors, sidecar)?;
        check_bond(safetensors, bytes)?;
        Ok(weights)
    }

    /// Reads `path` and the sidecar beside it: `w.safetensors` and `w.json`.
    ///
    /// # Errors
    /// As [`Weights::from_bytes`], and where a file cannot be read; the error names the file.
    pub fn load(path: &Path) -> Result<Self> {
        let read =
            |path: &Path| read_bounded(path, MAX_BYTES).map_err(|error| error.in_file(path.display().to_string()));
        Self::from_bytes(&read(path)?, &read(&sidecar_path(path))?).map_err(|error| {
            if error.location().file.is_some() { error } else { error.in_file(path.display().to_string()) }
        })
    }

    /// The weights that the program carries.
    ///
    /// # Errors
    /// Where they do not fit the net: a mistake in building the program, which a test catches.
    pub fn shipped() -> Result<Self> {
        Self::from_bytes(include_bytes!("shipped/digits.safetensors"), include_bytes!("shipped/digits.json"))
    }

    /// The file's two halves: safetensors and JSON.
    ///
    /// # Errors
    /// Where serialisation fails.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let safetensors = tensors_to_bytes(&self.tensors, Dtype::F16, None)?;
        let file = SidecarFile { bond: Bond { weights_sha256: sha256(&safetensors) }, sidecar: &self.sidecar };
        let mut sidecar = serde_json::to_vec_pretty(&file).map_err(|error| Error::format(Format::Sidecar, error))?;
        sidecar.push(b'\n');
        Ok((safetensors, sidecar))
    }

    /// Writes `path` and the sidecar beside it; each is written beside its place, then renamed.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let (safetensors, sidecar) = self.to_bytes()?;
        write_atomic(&sidecar_path(path), &sidecar)?;
        write_atomic(path, &safetensors)
    }

    /// What they are.
    pub fn sidecar(&self) -> &Sidecar {
        &self.sidecar
    }

    /// Identifies the weights: SHA-256 over names, shapes and values of all tensors in the order of their names, and over the
    /// JSON of the sidecar with the style model and the confidence model.
    pub fn sha256(&self) -> Sha256 {
        let mut bytes = Vec::new();
        for (name, PlainTensor { shape, values }) in &self.tensors {
            bytes.extend(format!("{name} {shape:?}\n").into_bytes());
            bytes.extend(values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
        }
        bytes.extend(serde_json::to_vec(&self.sidecar).expect("all keys of its maps are strings"));
        sha256(&bytes)
    }

    /// All tensors, by name.
    pub fn tensors(&self) -> &BTreeMap<String, PlainTensor> {
        &self.tensors
    }

    /// The tensor called `name`. All of [`tensor_shapes`] are there.
    pub(super) fn tensor(&self, name: &str) -> Result<&PlainTensor> {
        self.tensors.get(name).ok_or_else(|| Error::net(format_args!("no such tensor: {name}")))
    }
}

impl Sidecar {
    /// That of nets which have not learnt yet.
    pub fn untrained() -> Self {
        Self {
            architecture: ARCHITECTURE.to_owned(),
            normaliser: NormaliserConstants::OURS,
            temperature: 1.0,
            style_model: None,
            confidence: ConfidenceModel::default(),
            trained_on: vec![TrainedOn { set: "nothing".to_owned(), count: 0, writers: Vec::new() }],
            recipe: Recipe {
                epochs: 0,
                batch_size: 1,
                lr: 1e-4,
                schedule: "constant".to_owned(),
                seed: 0,
                augmentation: String::new(),
                negatives: 0,
            },
            strips: None,
            held_out: Vec::new(),
            losses: BTreeMap::new(),
        }
    }
}

/// Where the sidecar of the weights at `path` is: `w.json` beside `w.safetensors`.
pub fn sidecar_path(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// A sidecar must be of its weights: with those of another training it gives confidences that mean nothing.
fn check_bond(safetensors: &[u8], sidecar: &[u8]) -> Result<()> {
    let missing = |error| {
        let error = Error::format(Format::Sidecar, error);
        error.with_hint(
            "add \"weights_sha256\", the SHA-256 of the file of weights, if you know that they belong together",
        )
    };
    let Bond { weights_sha256 } = serde_json::from_slice(sidecar).map_err(missing)?;
    let found = sha256(safetensors);
    if weights_sha256 != found {
        return Err(Error::format(Format::Sidecar, format_args!("it is of the weights {weights_sha256}, not {found}")));
    }
    Ok(())
}

fn check_sidecar(sidecar: &Sidecar) -> Result<()> {
    if sidecar.architecture != ARCHITECTURE {
        let found = &sidecar.architecture;
        return Err(Error::unsupported(Format::Weights, format_args!("net {found}, this program has {ARCHITECTURE}")));
    }
    let (found, ours) = (sidecar.normaliser, NormaliserConstants::OURS);
    if found != ours {
        return Err(Error::unsupported(Format::Weights, format_args!("made for glyphs of {found:?}, not {ours:?}")));
    }
    if !TEMPERATURES.contains(&sidecar.temperature) {
        return Err(Error::format(Format::Sidecar, format_args!("temperature: {}", sidecar.temperature)));
    }
    if sidecar.style_model.as_ref().is_some_and(|style_model| !style_model.is_sound()) {
        return Err(Error::format(Format::Sidecar, "style_model: beyond what scores can be"));
    }
    if !sidecar.confidence.is_sound() {
        return Err(Error::format(Format::Sidecar, "confidence: beyond what a fit can be"));
    }
    Ok(())
}

/// One tensor of a safetensors file, whose bytes the crate has checked against its shape.
fn plain_tensor(name: &str, view: &TensorView<'_>) -> Result<PlainTensor> {
    let values = match view.dtype() {
        Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F16 => view.data().as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
        found => {
            return Err(Error::format(
                Format::Weights,
                format_args!("tensor {name}: expected F16 or F32, found {found:?}"),
            ));
        }
    };
    Ok(PlainTensor { shape: view.shape().to_vec(), values })
}

/// The tensors of a safetensors file, and its metadata.
pub fn tensors_from_bytes(bytes: &[u8]) -> Result<(BTreeMap<String, PlainTensor>, HashMap<String, String>)> {
    let refuse = |error| Error::format(Format::Weights, error);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(refuse)?;
    let file = SafeTensors::deserialize(bytes).map_err(refuse)?;
    let tensors = file.iter().map(|(name, view)| Ok((name.to_owned(), plain_tensor(name, &view)?)));
    Ok((tensors.collect::<Result<_>>()?, header.metadata().clone().unwrap_or_default()))
}

/// Tensors as a safetensors file of numbers of `dtype`, F16 or F32, with one entry of metadata where there is one.
pub fn tensors_to_bytes(
    tensors: &BTreeMap<String, PlainTensor>,
    dtype: Dtype,
    metadata: Option<(&str, String)>,
) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, &PlainTensor, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let values = tensor.values.iter();
            let bytes = match dtype {
                Dtype::F16 => values.flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
                _ => values.flat_map(|v| v.to_le_bytes()).collect(),
            };
            (name, tensor, bytes)
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, tensor, data)| Ok((name.as_str(), TensorView::new(dtype, tensor.shape.clone(), data)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    let metadata = metadata.map(|(key, value)| [(key.to_owned(), value)].into_iter().collect());
    views
        .and_then(|views| safetensors::serialize(views, metadata))
        .map_err(|error| Error::format(Format::Weights, error))
}

#[cfg(test)]
pub(crate) mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Kernels drawn as He et al. do ("Delving deep into rectifiers", ICCV 2015), biases 0.
    pub(crate) fn random_tensors(seed: u64) -> BTreeMap<String, PlainTensor> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |(name, shape): (String, Vec<usize>)| {
            let fan_in: usize = shape.iter().skip(1).product();
            let bound = if shape.len() > 1 { (6.0 / fan_in as f32).sqrt() } else { 0.0 };
            let len: usize = shape.iter().product();
            let values = (0..len).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)).collect();
            (name, PlainTensor { shape, values })
        };
        tensor_shapes().into_iter().map(&mut draw).collect()
    }

    /// Tensors of the right shapes, with values that differ.
    fn plain_tensors() -> BTreeMap<String, PlainTensor> {
        let fill = |(name, shape): (String, Vec<usize>)| {
            let len: usize = shape.iter().product();
            let values = (0..len).map(|i| ((i % 17) as f32 - 8.0) / 100.0).collect();
            (name, PlainTensor { shape, values })
        };
        tensor_shapes().into_iter().map(fill).collect()
    }

    fn refusal(change: impl FnOnce(&mut BTreeMap<String, PlainTensor>)) -> String {
        let mut tensors = plain_tensors();
        change(&mut tensors);
        let bytes = tensors_to_bytes(&tensors, Dtype::F16, None).expect("tensors can be written");
        let sidecar = serde_json::to_vec(&Sidecar::untrained()).expect("a sidecar can be written");
        Weights::from_bytes(&bytes, &sidecar).expect_err("it does not fit").to_string()
    }

    #[test]
    fn what_is_saved_is_what_is_loaded() {
        let weights = Weights::new(plain_tensors(), Sidecar::untrained()).expect("it fits");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().join("w.safetensors");
        weights.save(&path).expect("it can be written");
        let loaded = Weights::load(&path).expect("it was just written");
        assert_eq!(loaded, weights);
        assert_eq!(loaded.sha256(), weights.sha256());
    }

    #[test]
    fn weights_with_another_value_or_sidecar_have_another_sha256() {
        let mut tensors = plain_tensors();
        let weights = Weights::new(tensors.clone(), Sidecar::untrained()).expect("it fits");
        let changes: [fn(&mut Sidecar); 3] = [
            |sidecar| sidecar.temperature = 2.0,
            |sidecar| sidecar.style_model = Some(StyleModel { class_means: [[0.5; 10]; 10], variance: 1.0 }),
            |sidecar| sidecar.confidence.intercept += 0.01,
        ];
        for change in changes {
            let mut sidecar = Sidecar::untrained();
            change(&mut sidecar);
            let other = Weights::new(tensors.clone(), sidecar.clone()).expect("it fits");
            assert_ne!(other.sha256(), weights.sha256(), "{sidecar:?}");
        }
        tensors.get_mut("glyph.digits.bias").expect("it is there").values[3] += 1.0;
        let other = Weights::new(tensors, Sidecar::untrained()).expect("it fits");
        assert_ne!(other.sha256(), weights.sha256());
    }

    #[test]
    fn weights_that_do_not_fit_are_refused_by_name() {
        let message = refusal(|tensors| {
            tensors.insert("glyph.digits.bias".to_owned(), PlainTensor { shape: vec![2, 6], values: vec![0.0; 12] });
        });
        assert_eq!(message, "malformed weights: tensor glyph.digits.bias: expected [10], found [2, 6]");
        let message = refusal(|tensors| drop(tensors.remove("glyph.hidden.weight")));
        assert!(message.contains("tensor missing: glyph.hidden.weight"), "{message}");
        let message = refusal(|tensors| {
            tensors.insert("extra".to_owned(), PlainTensor { shape: vec![1], values: vec![0.0] });
        });
        assert!(message.contains("unknown tensor: extra"), "{message}");
        for value in [f32::NAN, f32::INFINITY] {
            let message =
                refusal(|tensors| tensors.get_mut("glyph.conv1.bias").expect("it is there").values[2] = value);
            assert!(message.contains("tensor glyph.conv1.bias: value 2 is"), "{message}");
        }
    }

    #[test]
    fn files_that_are_cut_short_or_of_another_sort_are_refused() {
        let bytes = tensors_to_bytes(&plain_tensors(), Dtype::F16, None).expect("tensors can be written");
        let sidecar = serde_json::to_vec(&Sidecar::untrained()).expect("a sidecar can be written");
        for len in [0, 7, 8, 200, bytes.len() / 2, bytes.len() - 1] {
            assert!(Weights::from_bytes(&bytes[..len], &sidecar).is_err(), "{len} bytes were taken");
        }
        assert!(Weights::from_bytes(&bytes, b"{}").is_err());
        assert!(Weights::from_bytes(&bytes, &sidecar[..40]).is_err());
        // whole numbers
        let shorts = vec![0u8; 20];
        let view = TensorView::new(Dtype::I16, vec![10], &shorts).expect("ten of them are 20 bytes");
        let file = safetensors::serialize([("glyph.digits.bias", view)], None).expect("it can be written");
        let message = Weights::from_bytes(&file, &sidecar).expect_err("I16 is not F16").to_string();
        assert!(message.contains("expected F16 or F32, found I16"), "{message}");
    }

    #[test]
    fn a_sidecar_of_another_net_is_refused() {
        let changes: [fn(&mut Sidecar); 8] = [
            |sidecar| sidecar.architecture = "mlp".to_owned(),
            |sidecar| sidecar.normaliser.ink_side = 24,
            |sidecar| sidecar.temperature = 0.0,
            |sidecar| sidecar.temperature = f32::NAN,
            |sidecar| sidecar.temperature = 1e30,
            |sidecar| sidecar.confidence.intercept = 1e9,
            |sidecar| sidecar.style_model = Some(StyleModel { class_means: [[1e9; 10]; 10], variance: 1.0 }),
            |sidecar| sidecar.style_model = Some(StyleModel { class_means: [[0.0; 10]; 10], variance: 1e-30 }),
        ];
        for change in changes {
            let mut sidecar = Sidecar::untrained();
            change(&mut sidecar);
            assert!(Weights::new(plain_tensors(), sidecar.clone()).is_err(), "{sidecar:?}");
        }
    }

    #[test]
    fn sidecar_of_other_weights_or_without_their_hash_is_refused() {
        let weights = Weights::new(plain_tensors(), Sidecar::untrained()).expect("it fits");
        let (safetensors, sidecar) = weights.to_bytes().expect("it can be written");
        assert_eq!(Weights::from_bytes(&safetensors, &sidecar).expect("they belong together"), weights);
        let mut other = plain_tensors();
        other.get_mut("glyph.conv1.bias").expect("it is there").values[2] += 1.0;
        let other = tensors_to_bytes(&other, Dtype::F16, None).expect("tensors can be written");
        let error = Weights::from_bytes(&other, &sidecar).expect_err("they are others").to_string();
        assert!(error.contains("it is of the weights "), "{error}");
        let without = serde_json::to_vec(&Sidecar::untrained()).expect("a sidecar can be written");
        let error = Weights::from_bytes(&safetensors, &without).expect_err("it has no hash").to_string();
        assert!(error.contains("weights_sha256"), "{error}");
    }

    #[test]
    fn the_weights_that_the_program_carries_fit() {
        let weights = Weights::shipped().expect("they were made by this program");
        let (safetensors, _) = weights.to_bytes().expect("they can be written");
        assert!(safetensors.len() < 3_000_000, "{}", safetensors.len());
        assert!(!weights.sidecar().held_out.is_empty());
    }
}
