//! `formread template`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use formread_core::form;
use formread_edit::EditOptions;
use formread_page::scans::read_file;
use formread_raster::{error::Error, fsio::write_atomic};
use formread_tools::{
    draft::{FormFiles, PageDraft},
    synth::read_glyphs,
    template::{self, CheckParams, CheckReport, TemplateFile, TemplateList},
};

use super::{
    SOME_FOUND, SOME_REJECTED, SUCCESS, check_no_input, print, print_text, run::stop_on_signals, save_png, say_address,
};
use crate::{
    cli::{CheckArgs, EditArgs, ListArgs, NewArgs, ShowArgs, TemplateCommand},
    options,
    report::{self, say},
};

pub fn template(command: &TemplateCommand) -> Result<u8> {
    match command {
        TemplateCommand::New(args) => new(args),
        TemplateCommand::List(args) => list(args),
        TemplateCommand::Show(args) => show(args),
        TemplateCommand::Check(args) => check(args),
        TemplateCommand::Edit(args) => edit(args),
        TemplateCommand::Schema => schema(),
    }
}

fn new(args: &NewArgs) -> Result<u8> {
    let files = options::form_files(args)?;
    let name = options::form_name(args)?;
    let page = args.page.map(|page| page.get() as usize);
    let form = FormFiles::open(&files, page, options::limits(&args.limits))?;
    let of_pages = (1..=form.n_pages()).filter(|_| form.n_pages() > 1).map(Some);
    for path in [None].into_iter().chain(of_pages).flat_map(|page| draft_files(&args.out, page)) {
        if !args.overwrite && path.exists() {
            let error = Error::usage(format!("already exists: {}", path.display()));
            return Err(error.with_hint("replace it with --overwrite, or choose another name").into());
        }
        check_no_input(&path, files.iter().map(|(file, _)| Path::new(file)))?;
    }
    let ocr = options::ocr(args)?;
    let drafts = form.draft(&name, ocr.as_ref())?;
    let written_to =
        |drafted: &PageDraft| draft_files(&args.out, drafted.draft.document.as_ref().map(|document| document.page));
    for drafted in &drafts.pages {
        let (draft, [out, preview]) = (&drafted.draft, written_to(drafted));
        let shown = template::show_on_page(&draft.template()?, &drafted.blank);
        save_png(&template::with_captions(shown.picture, &draft.caption_pictures()), &preview)?;
        write_atomic(&out, draft.to_toml().as_bytes()).with_context(|| out.display().to_string())?;
        report::drafted(drafted, &out, &preview);
    }
    let templates: Vec<PathBuf> = drafts.pages.iter().map(|drafted| written_to(drafted)[0].clone()).collect();
    report::all_drafted(&drafts, &templates, args.ocr.is_none() && ocr.is_none());
    Ok(if drafts.pages.iter().all(|drafted| drafted.draft.holds()) { SUCCESS } else { SOME_FOUND })
}

/// The template and the picture of a draft: `form.toml` and `form.toml.png`, or `form-2.toml` and `form-2.toml.png` if it is page 2
/// of a document. No scan of a blank form has such a name.
fn draft_files(out: &Path, page: Option<usize>) -> [PathBuf; 2] {
    let template = match (page, out.file_stem(), out.extension()) {
        (Some(page), Some(stem), extension) => {
            let mut name = stem.to_owned();
            name.push(format!("-{page}"));
            if let Some(extension) = extension {
                name.push(".");
                name.push(extension);
            }
            out.with_file_name(name)
        }
        _ => out.to_owned(),
    };
    let preview = template.with_added_extension("png");
    [template, preview]
}

fn list(args: &ListArgs) -> Result<u8> {
    print(&TemplateList::new(&options::all_templates(&args.templates)?), &args.output)?;
    Ok(SUCCESS)
}

fn show(args: &ShowArgs) -> Result<u8> {
    check_no_input(&args.out, [args.template.as_path()].into_iter().chain(args.scan.as_deref()))?;
    let form = options::template(&args.template)?;
    let shown = match &args.scan {
        None => template::show_blank(&form, args.dpi)?,
        Some(scan) => {
            let limits = options::limits(&args.limits);
            let in_scan = |error: Error| error.in_file(scan.to_string_lossy());
            let bytes = read_file(scan, &limits).map_err(in_scan)?;
            template::show_on_scan(&form, &bytes, args.page.get(), &limits).map_err(in_scan)?
        }
    };
    save_png(&shown.picture, &args.out)?;
    for line in &shown.caption {
        say(line);
    }
    Ok(if shown.is_placed { SUCCESS } else { SOME_REJECTED })
}

fn check(args: &CheckArgs) -> Result<u8> {
    let (files, scans) = options::checked_paths(&args.paths)?;
    let scans = scans.map(options::scans).transpose()?;
    let (mut report, mut checked) = (CheckReport::default(), Vec::new());
    for file in files {
        match TemplateFile::parse(&file.to_string_lossy(), &options::template_text(file)?) {
            Ok(file) => checked.push(file),
            Err(finding) => report.findings.push(*finding),
        }
    }
    let known = form::known_templates()?;
    report.findings.extend(template::check(&checked, &known, &CheckParams { dpi: args.dpi })?);
    if let Some(scans) = scans.filter(|_| !checked.is_empty()) {
        let (pages, findings) = template::check_scans(&checked, &scans, &options::limits(&args.limits));
        report.pages = pages;
        report.findings.extend(findings);
    }
    if let (Some(n_pages), Some(glyphs)) = (args.simulate, &args.glyphs) {
        let glyphs = read_glyphs(glyphs)?;
        let is_checked = |name: &str| checked.iter().any(|file| file.template.name == name);
        let others = known.iter().filter(|other| !is_checked(&other.name));
        let all: Vec<_> = others.chain(checked.iter().map(|file| &file.template)).cloned().collect();
        for file in &checked {
            let others = all.iter().filter(|other| other.name != file.template.name).cloned();
            let templates = others.chain([file.template.clone()]).collect();
            let reader = options::reader_of(templates, args.model.as_deref(), formread_page::Limits::default())?;
            let progress = report::deck_progress(n_pages);
            let options = options::simulate_options(args, n_pages);
            let (forecast, findings) = template::simulate(file, &reader, &glyphs, &options, || progress.inc(1))?;
            progress.finish_and_clear();
            report.forecasts.push(forecast);
            report.findings.extend(findings);
        }
    }
    let report = report.sorted();
    print(&report, &args.output)?;
    Ok(if report.findings.is_empty() { SUCCESS } else { SOME_FOUND })
}

fn edit(args: &EditArgs) -> Result<u8> {
    check_no_input(&args.template, [args.blank.as_path()])?;
    let (blank, page) = options::page_of(&args.blank, args.page, &args.limits)?;
    let options = EditOptions {
        listen: args.listen,
        template: args.template.clone(),
        blank,
        page: args.page.get(),
        limits: options::limits(&args.limits),
        known: form::known_templates()?,
        stop: stop_on_signals()?,
    };
    formread_edit::serve(&page, options, say_address)?;
    Ok(SUCCESS)
}

fn schema() -> Result<u8> {
    print_text(&(serde_json::to_string_pretty(&form::template_schema())? + "\n"))?;
    Ok(SUCCESS)
}
