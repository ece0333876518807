//! Flags -> options of the library.

use std::{
    env,
    io::Read,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use formread::{
    pipeline::{ExistingOutput, RunOptions},
    sink::Destination,
};
use formread_core::{
    form::{FormTemplate, known_templates, parse_template},
    reader::Reader,
};
use formread_page as page;
use formread_page::{
    Limits, Page,
    decoder_process::DecoderCommand,
    scans::{Listing, Scan, list_input, listed_scans, read_file},
};
use formread_raster::{error::Error, fsio::read_text_bounded};
use formread_tools::{
    draft::{NamedFile, Ocr},
    evaluate::Acceptance,
    synth::{DeckOptions, Degradations, HostileKinds, ScanFormat, SynthOptions},
    template::SimulateOptions,
};

#[cfg(feature = "torch")]
use formread::BUILD_ID;
#[cfg(feature = "torch")]
use formread_core::scores::{Compute, NetDevice, Precision};
#[cfg(feature = "torch")]
use formread_torch::{TorchBackend, Weights};
#[cfg(feature = "torch")]
use formread_train::{GlyphOptions, StripOptions, TrainOptions};

use crate::cli::{CheckArgs, Degrade, Format, LimitArgs, NewArgs, ReadArgs, ReaderArgs, RunArgs, SynthArgs};
#[cfg(feature = "torch")]
use crate::cli::{DeviceArg, Nets, PrecisionArg, TrainArgs};
use crate::lists;

/// Most pages that a template is drafted from: what a dozen hands agree on is print.
const MAX_FORM_PAGES: usize = 24;
/// Largest file of a template or of acceptance levels that is read, bytes.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// What `scans` names; `-` is a list on standard input.
///
/// # Errors
/// Where it cannot be read, or has no scan.
pub fn listing(scans: &Path) -> Result<Listing> {
    if scans != Path::new("-") {
        let listing = list_input(scans)?;
        if listing.scans.is_empty() {
            let others = match listing.not_images.len() {
                0 => "it is empty".to_owned(),
                n_others => format!("none of its {n_others} files is an image"),
            };
            bail!("no scans in the folder: {}: {others}", scans.display());
        }
        return Ok(listing);
    }
    let mut list = Vec::new();
    std::io::stdin().lock().read_to_end(&mut list).context("standard input")?;
    let scans = listed_scans(lists::names(list)?.into_iter().map(lists::path_of).collect::<Result<Vec<_>>>()?);
    if scans.is_empty() {
        bail!("no scans in the list on standard input");
    }
    Ok(Listing { scans, not_images: Vec::new() })
}

/// The scans of [`listing`].
///
/// # Errors
/// As [`listing`].
pub fn scans(scans: &Path) -> Result<Vec<Scan>> {
    Ok(listing(scans)?.scans)
}

/// The templates in `files`, or every known one.
#[cfg(feature = "torch")]
pub fn templates(files: &[PathBuf]) -> Result<Vec<FormTemplate>> {
    if files.is_empty() {
        return Ok(known_templates()?);
    }
    files.iter().map(|file| template(file)).collect()
}

/// Every known template, and those in `files`; of two with one name the one in a file.
pub fn all_templates(files: &[PathBuf]) -> Result<Vec<FormTemplate>> {
    let mut templates = known_templates()?;
    for file in files {
        let given = template(file)?;
        templates.retain(|known| known.name != given.name);
        templates.push(given);
    }
    Ok(templates)
}

/// The template in `file`.
pub fn template(file: &Path) -> Result<FormTemplate> {
    let text = template_text(file)?;
    Ok(parse_template(&text).map_err(|error| error.in_file(file.to_string_lossy()))?)
}

/// The reader that the flags ask for.
#[cfg(feature = "torch")]
pub fn reader(args: &ReaderArgs) -> Result<Reader> {
    // One thread a net: pages are what is worked on side by side.
    formread_torch::set_threads(1);
    let best = formread_torch::fastest_compute();
    let device = match args.device {
        DeviceArg::Auto => best.device,
        DeviceArg::Cpu => NetDevice::Cpu,
        DeviceArg::Cuda => NetDevice::Cuda,
    };
    let precision = precision(args.precision, best.precision);
    let (templates, weights) = (templates(&args.pipeline)?, weights(args.model.as_deref())?);
    let backend = TorchBackend::new(weights, Compute { device, precision });
    Ok(Reader::builder()
        .templates(templates)
        .backend(backend)
        .limits(limits(&args.limits))
        .build_id(BUILD_ID)
        .build()?)
}

/// A reader of `templates`.
#[cfg(feature = "torch")]
pub fn reader_of(templates: Vec<FormTemplate>, model: Option<&Path>, limits: Limits) -> Result<Reader> {
    formread_torch::set_threads(1);
    let backend = TorchBackend::new(weights(model)?, formread_torch::fastest_compute());
    Ok(Reader::builder().templates(templates).backend(backend).limits(limits).build_id(BUILD_ID).build()?)
}

/// The weights in `model`, or those that the program carries.
#[cfg(feature = "torch")]
pub fn weights(model: Option<&Path>) -> Result<Weights> {
    Ok(model.map_or_else(Weights::shipped, Weights::load)?)
}

/// The same reader, with the acceptance levels in `file`, where there is one.
pub fn accepting(reader: Reader, file: Option<&Path>) -> Result<Reader> {
    let Some(file) = file else { return Ok(reader) };
    let text = read_text_bounded(file, MAX_TEXT_BYTES).with_context(|| file.display().to_string())?;
    let levels = Acceptance::parse(&text)
        .and_then(|acceptance| acceptance.for_reader(reader.templates(), &reader.weights_id()))
        .map_err(|error| error.in_file(file.to_string_lossy()))?;
    Ok(reader.with_acceptance(levels))
}

/// The fingerprint of the weights in `model`, where there is one.
#[cfg(feature = "torch")]
pub fn weights_named(model: Option<&Path>) -> Result<Option<String>> {
    Ok(model.map(Weights::load).transpose()?.map(|weights| weights.sha256().to_string()))
}

/// Without LibTorch no weights can be loaded.
#[cfg(not(feature = "torch"))]
pub fn weights_named(model: Option<&Path>) -> Result<Option<String>> {
    if model.is_some() { without_torch() } else { Ok(None) }
}

/// Without LibTorch there is nothing to read with.
#[cfg(not(feature = "torch"))]
pub fn reader(_: &ReaderArgs) -> Result<Reader> {
    without_torch()
}

/// Without LibTorch there is nothing to read with.
#[cfg(not(feature = "torch"))]
pub fn reader_of(_: Vec<FormTemplate>, _: Option<&Path>, _: Limits) -> Result<Reader> {
    without_torch()
}

/// What a program says that has no net.
#[cfg(not(feature = "torch"))]
pub fn without_torch<T>() -> Result<T> {
    Err(Error::usage("this program was built without LibTorch").with_hint("build it with --features torch").into())
}

/// The precision that the flag selects; `best` is the fastest one.
#[cfg(feature = "torch")]
fn precision(wanted: PrecisionArg, best: Precision) -> Precision {
    match wanted {
        PrecisionArg::Auto => best,
        PrecisionArg::Single => Precision::Single,
        PrecisionArg::Bfloat16 => Precision::Bfloat16,
    }
}

/// Options of training.
#[cfg(feature = "torch")]
pub fn train_options(args: &TrainArgs) -> Result<TrainOptions> {
    let TrainArgs { data, out, seed, held_out, held_out_turn, drawn_writers, resume, .. } = args;
    for lr in [args.lr, args.strip_lr] {
        anyhow::ensure!(lr > 0.0 && lr.is_finite(), "the learning rate is not above 0: {lr}");
    }
    anyhow::ensure!((0.0..=1.0).contains(held_out), "the share of writers held out is not from 0 to 1: {held_out}");
    let glyphs = GlyphOptions {
        epochs: args.epochs.get(),
        batch_size: args.batch_size.get(),
        lr: args.lr,
        ..GlyphOptions::default()
    };
    let strips = StripOptions {
        epochs: args.strip_epochs.get(),
        strips: args.strips.get(),
        batch_size: args.strip_batch_size.get(),
        lr: args.strip_lr,
    };
    Ok(TrainOptions {
        glyphs: matches!(args.net, Nets::All | Nets::Glyphs).then_some(glyphs),
        strips: matches!(args.net, Nets::All | Nets::Strips).then_some(strips),
        base: if args.net == Nets::All && !args.further { None } else { Some(weights(args.base.as_deref())?) },
        is_further: args.further,
        precision: precision(args.precision, Precision::best()),
        jobs: args.jobs.unwrap_or_else(cores),
        seed: *seed,
        held_out_writers: *held_out,
        held_out_turn: *held_out_turn,
        drawn_writers: *drawn_writers,
        resume: *resume,
        ..TrainOptions::new(data.clone(), out.clone())
    })
}

/// How a deck's pages are drawn.
pub fn synth_options(args: &SynthArgs) -> SynthOptions {
    let SynthArgs { seed, dpi, blanks, fillers, touching, points, turned, hostile, ref degradations, .. } = *args;
    let all = preset(degradations.degrade);
    let degradations = Degradations {
        skew_degrees: degradations.skew.unwrap_or(all.skew_degrees),
        shift: degradations.shift.unwrap_or(all.shift),
        scale: degradations.scale.unwrap_or(all.scale),
        blur: degradations.blur.unwrap_or(all.blur),
        noise: degradations.noise.unwrap_or(all.noise),
        stroke_weight: degradations.stroke_weight.unwrap_or(all.stroke_weight),
        jpeg: degradations.jpeg.unwrap_or(all.jpeg),
        fax: degradations.fax.unwrap_or(all.fax),
        fold: degradations.fold.unwrap_or(all.fold),
        perspective: degradations.perspective.unwrap_or(all.perspective),
        uneven_light: degradations.uneven_light.unwrap_or(all.uneven_light),
    };
    let hostile_kinds = match &args.hostile_kinds[..] {
        [] => HostileKinds::ALL,
        kinds => kinds.iter().copied().collect(),
    };
    SynthOptions { seed, dpi, blanks, fillers, touching, points, turned, hostile, hostile_kinds, degradations }
}

/// All degradations at once.
fn preset(degrade: Degrade) -> Degradations {
    match degrade {
        Degrade::None => Degradations::NONE,
        Degrade::Moderate => Degradations::MODERATE,
        Degrade::Hard => Degradations::HARD,
    }
}

/// How `n_pages` of a form are simulated.
pub fn simulate_options(args: &CheckArgs, n_pages: u64) -> SimulateOptions {
    let degradations = preset(args.degrade);
    let synth = SynthOptions { seed: args.seed, dpi: args.dpi, degradations, ..SynthOptions::default() };
    SimulateOptions { n_pages, synth }
}

/// The files that a template is drafted from, by their names.
pub fn form_files(args: &NewArgs) -> Result<Vec<NamedFile>> {
    let limits = limits(&args.limits);
    let read = |scan: Scan| {
        let name = scan.path.to_string_lossy().into_owned();
        let bytes = read_file(&scan.path, &limits).map_err(|error| error.in_file(name.clone()))?;
        Ok((name, bytes))
    };
    let scans: Vec<Scan> = args.pages.iter().map(|path| scans(path)).collect::<Result<Vec<_>>>()?.concat();
    scans.into_iter().take(MAX_FORM_PAGES).map(read).collect()
}

/// A page of one file, 1-based, and the file as a scan.
pub fn page_of(file: &Path, number: NonZeroU32, args: &LimitArgs) -> Result<(Scan, Page)> {
    let name = file.to_string_lossy().into_owned();
    let limits = limits(args);
    let page = read_file(file, &limits).and_then(|bytes| {
        let no_page = || Err(Error::usage(format!("no page {number}")));
        page::open(&bytes, &limits)?.nth(number.get() as usize - 1).unwrap_or_else(no_page)
    });
    let page = page.map_err(|error| error.in_file(name.clone()))?;
    Ok((Scan { name, path: file.to_owned() }, page))
}

/// What the form is to be called.
pub fn form_name(args: &NewArgs) -> Result<String> {
    let stem = args.out.file_stem().and_then(|stem| stem.to_str());
    args.name.clone().or_else(|| stem.map(name_of_file)).context("the template has no file name")
}

/// What reads the printed words of a scan; `None` if nothing does.
pub fn ocr(args: &NewArgs) -> Result<Option<Ocr>> {
    match args.ocr.as_deref() {
        None => Ok(Ocr::installed()),
        Some("off") => Ok(None),
        Some(languages) => Ok(Some(Ocr::with_languages(languages)?)),
    }
}

/// The name of a form whose template is in a file of this name: `My form.toml` is `my-form`.
fn name_of_file(stem: &str) -> String {
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The templates and the scans among the paths of a check.
pub fn checked_paths(paths: &[PathBuf]) -> Result<(Vec<&Path>, Option<&Path>)> {
    let is_template = |path: &&Path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let (templates, scans): (Vec<&Path>, Vec<&Path>) = paths.iter().map(PathBuf::as_path).partition(is_template);
    let refuse = |message: String| {
        let hint = "templates end in .toml; one other path may name the scans";
        Err(Error::usage(message).with_hint(hint).into())
    };
    match scans[..] {
        _ if templates.is_empty() => refuse("no template is given".to_owned()),
        [_, second, ..] => refuse(format!("more than one path is no template: {}", second.display())),
        _ => Ok((templates, scans.first().copied())),
    }
}

/// The text of a template.
pub fn template_text(file: &Path) -> Result<String> {
    read_text_bounded(file, MAX_TEXT_BYTES).with_context(|| file.display().to_string())
}

/// How a deck is saved.
pub fn deck_options(args: &SynthArgs) -> DeckOptions {
    let format = match args.format {
        Format::Tif => ScanFormat::Tiff,
        Format::TifBilevel => ScanFormat::TiffBilevel,
        Format::Png => ScanFormat::Png,
        Format::Jpg => ScanFormat::Jpeg,
        Format::Bmp => ScanFormat::Bmp,
        Format::Webp => ScanFormat::WebP,
    };
    let of_document = args.pipeline.len() as u64;
    let pages_per_file = args.pages_per_file.unwrap_or(of_document);
    DeckOptions { n_pages: args.pages, format, pages_per_file, ..DeckOptions::default() }
}

/// The processor's cores.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// How many pages are worked on at the same time.
pub fn jobs(args: &ReadArgs) -> NonZeroUsize {
    args.jobs.unwrap_or_else(cores)
}

/// Options of a run.
pub fn run_options(args: &RunArgs) -> Result<RunOptions> {
    let existing = match (args.resume, args.overwrite) {
        (true, _) => ExistingOutput::Resume,
        (_, true) => ExistingOutput::Overwrite,
        _ => ExistingOutput::Refuse,
    };
    Ok(RunOptions {
        also: args.also.also.iter().map(|text| destination(text)).collect::<Result<_>>()?,
        overwrite_settled: args.also.overwrite_settled,
        existing,
        overlay: args.overlay.clone(),
        overlay_bytes: args.max_overlay_mib.saturating_mul(1 << 20),
        inputs: reader_files(&args.read.with, args.acceptance.as_deref()),
        rejects: args.rejects.clone(),
        input: args.scans.scans.is_dir().then(|| args.scans.scans.clone()),
        settle: Duration::from_secs(args.settle),
        decoder: Some(decoder(&args.read.with.limits)?),
        ..RunOptions::new(args.out.clone(), jobs(&args.read))
    })
}

/// A place for tables. What the environment has on how to connect to a server is taken from there.
pub fn destination(text: &str) -> Result<Destination> {
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(Destination::parse(text, variables)?)
}

/// The files that a reader is made of.
pub fn reader_files(ReaderArgs { pipeline, model, .. }: &ReaderArgs, acceptance: Option<&Path>) -> Vec<PathBuf> {
    let weights = model.iter().flat_map(|model| [model.clone(), model.with_extension("json")]);
    pipeline.iter().cloned().chain(weights).chain(acceptance.map(Path::to_owned)).collect()
}

/// The limits that the flags set.
pub fn limits(args: &LimitArgs) -> Limits {
    Limits {
        file_bytes: args.max_file_mib.saturating_mul(1 << 20),
        page_pixels: args.max_page_megapixels.saturating_mul(1_000_000),
        pages: args.max_pages,
        memory_bytes: args.max_memory_mib.saturating_mul(1 << 20),
        page_seconds: args.max_page_seconds,
        file_seconds: args.max_file_seconds,
    }
}

/// How pages are decoded: by `formread-decode`, which is installed beside this program.
pub fn decoder(args: &LimitArgs) -> Result<DecoderCommand> {
    let program = env::current_exe().context("the path of this program")?;
    Ok(DecoderCommand::beside(&program, &limits(args))?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;
    use formread_tools::synth::HostileKind;

    use super::*;
    use crate::cli::{Cli, Command, TemplateCommand};

    fn parsed(args: &[&str]) -> Command {
        Cli::try_parse_from([&["formread"], args].concat()).expect("the flags are sound").command
    }

    fn run_args(args: &[&str]) -> RunArgs {
        match parsed(&[&["run"], args].concat()) {
            Command::Run(args) => args,
            other => panic!("{other:?}"),
        }
    }

    fn synth_args(args: &[&str]) -> SynthArgs {
        let all = [&["synth", "--glyphs", "g", "--pages", "4", "--out", "o", "--pipeline", "a.toml"], args].concat();
        match parsed(&all) {
            Command::Synth(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn limits_by_flag_are_in_bytes_and_pixels_and_never_overflow() {
        let given = |args: &[&str]| limits(&run_args(&[&["in", "out.csv"], args].concat()).read.with.limits);
        assert_eq!(given(&[]), Limits::default());
        let found = given(&["--max-file-mib", "2", "--max-page-megapixels", "3", "--max-memory-mib", "5"]);
        assert_eq!((found.file_bytes, found.page_pixels, found.memory_bytes), (2 << 20, 3_000_000, 5 << 20));
        let found = given(&["--max-pages", "7", "--max-page-seconds", "11", "--max-file-seconds", "13"]);
        assert_eq!((found.pages, found.page_seconds, found.file_seconds), (7, 11, 13));
        let most = u64::MAX.to_string();
        let found = given(&["--max-file-mib", &most, "--max-page-megapixels", &most, "--max-memory-mib", &most]);
        assert_eq!((found.file_bytes, found.page_pixels, found.memory_bytes), (u64::MAX, u64::MAX, u64::MAX));
    }

    #[test]
    fn run_options_by_flag_set_what_becomes_of_tables_that_exist() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let folder = dir.path().to_string_lossy().into_owned();
        let options = |args: &[&str]| run_options(&run_args(args)).expect("this program knows where it is");
        let plain = options(&[&folder, "out.csv", "--jobs", "3", "--settle", "60"]);
        assert_eq!(
            (plain.existing, plain.jobs.get(), plain.settle),
            (ExistingOutput::Refuse, 3, Duration::from_secs(60))
        );
        assert_eq!((plain.input.as_deref(), plain.out.as_path()), (Some(dir.path()), Path::new("out.csv")));
        assert!(plain.decoder.is_some() && plain.overlay.is_none() && plain.rejects.is_none());
        let files = ["--pipeline", "a.toml", "--model", "w.safetensors", "--acceptance", "b.toml"];
        let inputs = options(&[&[folder.as_str(), "out.csv"], &files[..]].concat()).inputs;
        assert_eq!(inputs, ["a.toml", "w.safetensors", "w.json", "b.toml"].map(PathBuf::from));
        assert_eq!(options(&[&folder, "out.csv", "--resume"]).existing, ExistingOutput::Resume);
        assert_eq!(options(&[&folder, "out.csv", "--overwrite"]).existing, ExistingOutput::Overwrite);
        assert_eq!(options(&["page.png", "out.csv"]).input, None, "a file is no folder that may be gone");
        assert_eq!(options(&[&folder, "out.csv"]).jobs, cores());
    }

    #[test]
    fn template_with_a_mistake_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let file = dir.path().join("bad.toml");
        fs::write(&file, "name = \"x\"\nwidht = 3\n").expect("it is writable");
        let error = format!("{:#}", template(&file).expect_err("it has a mistake"));
        assert!(error.contains("bad.toml:2: "), "{error}");
        let error = format!("{:#}", template(&dir.path().join("none.toml")).expect_err("it is absent"));
        assert!(error.contains("none.toml"), "{error}");
    }

    #[test]
    fn template_in_a_file_replaces_the_known_one_of_its_name() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let file = dir.path().join("strip.toml");
        let text = "name = \"strip\"\ntitle = \"mine\"\nwhole_image = true\n\
                    [[field]]\nname = \"a\"\nkind = \"integer\"\n";
        fs::write(&file, text).expect("it is writable");
        let known = known_templates().expect("they parse");
        let all = all_templates(std::slice::from_ref(&file)).expect("it is well formed");
        assert_eq!(all.len(), known.len());
        let titles: Vec<&str> = all.iter().filter(|t| t.name == "strip").map(|t| t.title.as_str()).collect();
        assert_eq!(titles, ["mine"]);
        assert_eq!(all_templates(&[]).expect("they parse"), known);
    }

    #[test]
    fn checked_paths_are_templates_by_their_ending_and_one_path_of_scans() {
        let path = |name: &str| PathBuf::from(name);
        let paths = [path("a.toml"), path("in"), path("b.TOML")];
        let (templates, scans) = checked_paths(&paths).expect("there are templates and one path of scans");
        assert_eq!((templates, scans), (vec![Path::new("a.toml"), Path::new("b.TOML")], Some(Path::new("in"))));
        assert_eq!(checked_paths(&[path("a.toml")]).expect("scans are not required").1, None);
        for paths in [vec![], vec![path("in")], vec![path("a.toml"), path("in"), path("more")]] {
            let error = checked_paths(&paths).expect_err("there must be templates and no second path of scans");
            assert!(error.to_string().contains("hint: "), "{error}");
        }
    }

    #[test]
    fn degradation_by_flag_changes_that_one_of_the_preset() {
        assert_eq!(synth_options(&synth_args(&[])).degradations, Degradations::NONE);
        let options = synth_options(&synth_args(&["--degrade", "hard", "--skew", "1.5", "--noise", "0"]));
        assert_eq!(options.degradations, Degradations { skew_degrees: 1.5, noise: 0.0, ..Degradations::HARD });
        let options = synth_options(&synth_args(&["--seed", "9", "--dpi", "200", "--blanks", "0.5"]));
        assert_eq!((options.seed, options.dpi, options.blanks), (9, 200.0, 0.5));
    }

    #[test]
    fn hostile_kinds_by_flag_are_those_alone_and_all_without_it() {
        let options = synth_options(&synth_args(&["--hostile", "0.3"]));
        assert_eq!((options.hostile, options.hostile_kinds), (0.3, HostileKinds::ALL));
        let options = synth_options(&synth_args(&["--hostile", "1", "--hostile-kinds", "minus,streak"]));
        let kinds = HostileKind::ALL.into_iter().filter(|kind| options.hostile_kinds.contains(*kind));
        assert_eq!(kinds.collect::<Vec<_>>(), [HostileKind::Minus, HostileKind::Streak]);
    }

    #[test]
    fn deck_without_pages_per_file_has_a_file_a_document() {
        let deck = deck_options(&synth_args(&["--pipeline", "b.toml"]));
        assert_eq!((deck.n_pages, deck.pages_per_file), (4, 2));
        let deck = deck_options(&synth_args(&["--pages-per-file", "4", "--format", "tif-bilevel"]));
        assert_eq!((deck.pages_per_file, deck.format), (4, ScanFormat::TiffBilevel));
    }

    #[test]
    fn form_without_a_name_is_called_after_its_file() {
        let name = |args: &[&str]| match parsed(&[&["template", "new", "blank.png"], args].concat()) {
            Command::Template(TemplateCommand::New(args)) => form_name(&args).expect("it has a name"),
            other => panic!("{other:?}"),
        };
        assert_eq!(name(&["--out", "forms/cash.toml"]), "cash");
        assert_eq!(name(&["--out", "Cash book_2.toml"]), "cash-book-2");
        assert_eq!(name(&["--out", "cash.toml", "--name", "cash-2024"]), "cash-2024");
    }

    #[cfg(feature = "torch")]
    #[test]
    fn training_options_out_of_range_are_refused() {
        let options =
            |args: &[&str]| match parsed(&[&["train", "--data", "d", "--out", "w.safetensors"], args].concat()) {
                Command::Train(args) => train_options(&args),
                other => panic!("{other:?}"),
            };
        let sound = options(&["--epochs", "3", "--jobs", "2"]).expect("they are in range");
        assert_eq!((sound.glyphs.map(|glyphs| glyphs.epochs), sound.jobs.get()), (Some(3), 2));
        assert!(sound.strips.is_some() && sound.base.is_none());
        for bad in [["--lr", "0"], ["--strip-lr", "inf"], ["--held-out", "1.5"]] {
            options(&bad).expect_err("it is out of range");
        }
    }

    #[cfg(feature = "torch")]
    #[test]
    fn precision_that_is_asked_for_wins_over_the_fastest() {
        assert_eq!(precision(PrecisionArg::Auto, Precision::Bfloat16), Precision::Bfloat16);
        assert_eq!(precision(PrecisionArg::Single, Precision::Bfloat16), Precision::Single);
        assert_eq!(precision(PrecisionArg::Bfloat16, Precision::Single), Precision::Bfloat16);
    }
}
