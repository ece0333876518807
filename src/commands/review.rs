//! `formread review`

mod samples;

use std::{
    env,
    path::{Path, PathBuf},
    sync::mpsc,
};

use anyhow::{Context as _, Result, ensure};
use formread::{
    pipeline::OutputLock,
    sink::{
        CsvSink, CsvTables, Destination, Permissions, SettledTable, Stored, TableFiles, TruthTable, documents_path,
        field_columns, fields_path, readings_path, run_path, settled_path, store,
    },
};
use formread_page::scans::Scan;
use formread_raster::{
    error::Error,
    fsio::{Change, commit_all},
};
use formread_review::{
    Context, DigitSource, Event, Journal, Review, RunPaths, ServeOptions, Settings, SettledRow, final_pages,
    identities, read_journal, serve,
};
use formread_serve::People;

use super::{SUCCESS, check_no_input, print, run::stop_on_signals, say_address};
use crate::{
    cli::{ApplyArgs, ContextArg, OfRunArgs, ReviewCommand, ReviewSubcommand, ServeArgs, TruthArgs},
    options,
    report::{say, stored_lines},
};

pub fn review(command: &ReviewCommand) -> Result<u8> {
    match (&command.command, &command.serve) {
        (Some(ReviewSubcommand::Status(args)), _) => status(args),
        (Some(ReviewSubcommand::Apply(args)), _) => apply(args),
        (Some(ReviewSubcommand::Truth(args)), _) => truth(args),
        (Some(ReviewSubcommand::Samples(args)), _) => samples::samples(args),
        (None, ServeArgs { out: Some(out), scans: Some(scans), .. }) => serve_page(out, scans, &command.serve),
        (None, _) => anyhow::bail!("no table, or no scans are given"),
    }
}

/// The journal of a review: `out.review.jsonl` beside `out.csv`.
fn journal_path(out: &Path) -> PathBuf {
    let mut name = out.file_stem().unwrap_or_default().to_owned();
    name.push(".review.jsonl");
    out.with_file_name(name)
}

fn serve_page(out: &Path, scans: &Path, args: &ServeArgs) -> Result<u8> {
    let ServeArgs { listen, proxy, audit, two_person, second_looks, .. } = args;
    let reviewers = match (&args.reviewers, &args.who) {
        (Some(list), _) => People::read(list)?,
        (None, Some(who)) => People::One(who.clone()),
        (None, None) => People::One(user()?),
    };
    let scans: Vec<Scan> = options::scans(scans)?;
    let (record, readings) = (run_path(out), readings_path(out));
    let paths = RunPaths { record: &record, readings: &readings };
    let (identity, readings_sha256) = identities(paths)?;
    let (journal, mut events) = Journal::open(&journal_path(out), identity, readings_sha256)?;
    let settings = Event::Settings(Settings {
        audit: *audit,
        two_person: two_person.clone(),
        second_look_percent: if reviewers.is_listed() { *second_looks } else { 0 },
    });
    events.push(settings.clone());
    let mut review = Review::open(paths, options::all_templates(&args.pipeline)?, &events)?;
    if args.context != ContextArg::Page {
        let n_hidden = review.hide_pages();
        if n_hidden > 0 {
            say(&format!("{n_hidden} fields of rejected pages are not asked\nhint: they need --context page"));
        }
    }
    let decoder = options::decoder(&args.limits)?;
    let groups = match args.groups {
        true => {
            let templates = review.run().rules.templates.clone();
            let reader = options::reader_of(templates, args.model.as_deref(), options::limits(&args.limits))?;
            Some(DigitSource::new(reader, &scans, Some(decoder.clone())))
        }
        false => None,
    };
    let (sender, receiver) = mpsc::channel();
    journal.append(settings, Box::new(move |stored| drop(sender.send(stored))));
    receiver.recv().context("the journal is closed")?.map_err(Error::usage)?;
    let options = ServeOptions {
        listen: *listen,
        proxy: proxy.clone(),
        reviewers,
        context: match args.context {
            ContextArg::None => Context::None,
            ContextArg::Strip => Context::Strip,
            ContextArg::Page => Context::Page,
        },
        scans,
        limits: options::limits(&args.limits),
        decoder: Some(decoder),
        groups,
        stop: stop_on_signals()?,
    };
    serve(review, journal, options, say_address)?;
    Ok(SUCCESS)
}

/// The name of the user.
fn user() -> Result<String> {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok());
    user.filter(|user| !user.is_empty()).context("the name of the user is not known\nhint: give it with --who")
}

/// The review of a run as its journal has it.
fn open(args: &OfRunArgs) -> Result<Review> {
    let (record, readings) = (run_path(&args.out), readings_path(&args.out));
    let paths = RunPaths { record: &record, readings: &readings };
    let (identity, readings_sha256) = identities(paths)?;
    let events = read_journal(&journal_path(&args.out), identity, readings_sha256)?;
    Ok(Review::open(paths, options::all_templates(&args.pipeline)?, &events)?)
}

fn status(args: &OfRunArgs) -> Result<u8> {
    print(&open(args)?.status()?, &args.output)?;
    Ok(SUCCESS)
}

fn check_absent(paths: &[PathBuf], is_overwriting: bool) -> Result<()> {
    if let Some(path) = paths.iter().find(|path| !is_overwriting && path.exists()) {
        anyhow::bail!("already exists: {}\nhint: replace it with --overwrite, or choose another name", path.display());
    }
    Ok(())
}

fn apply(args: &ApplyArgs) -> Result<u8> {
    let ApplyArgs { of, table, overwrite, also } = args;
    let to: Vec<Destination> = also.also.iter().map(|text| options::destination(text)).collect::<Result<_>>()?;
    let finals = [table.clone(), fields_path(table), settled_path(table)];
    let whole: Vec<PathBuf> = to.iter().filter(|to| to.holds_one_run()).flat_map(Destination::files).collect();
    check_no_file_of_run(&of.out, finals.iter().chain(&whole))?;
    let locks = [table].into_iter().chain(&whole).map(|path| OutputLock::acquire(path));
    let _locks = locks.collect::<formread::Result<Vec<_>>>()?;
    check_absent(&finals, *overwrite)?;
    check_absent(&whole, *overwrite)?;
    let review = open(of)?;
    let mut sink = CsvSink::create(table, columns(&review)?)?;
    let mut settled = SettledTable::create(table)?;
    let mut n_pages = 0;
    final_pages(&review, |page| {
        n_pages += 1;
        let number = page.rows.page.to_string();
        for SettledRow { field, machine, value, readers: [first, second, third], rule } in &page.settled {
            let of = [&page.rows.scan, &number, &page.rows.form, field, machine, value, first, second, third, rule];
            settled.write(of.map(String::as_str))?;
        }
        sink.write(&page.rows)
    })?;
    let n_stored = sink.read_back()?.collect::<formread::Result<Vec<_>>>()?.len();
    ensure!(n_stored == n_pages, "defect of the program, please report it: {n_stored} pages are stored, not {n_pages}");
    let permissions = Permissions { overwrite: *overwrite, overwrite_settled: also.overwrite_settled };
    let mut changes = store_also(&review, &of.out, &sink, &to, permissions)?;
    changes.push(settled.finish()?);
    changes.extend(sink.finish()?);
    commit_all(changes)?;
    print(&review.status()?, &of.output)?;
    Ok(SUCCESS)
}

/// Sends the final tables to other places, with the record and the documents of the run: review changes neither.
fn store_also(
    review: &Review,
    out: &Path,
    sink: &CsvSink,
    to: &[Destination],
    permissions: Permissions,
) -> Result<Vec<Change>> {
    if to.is_empty() {
        return Ok(Vec::new());
    }
    let (pages, fields) = sink.reopen()?;
    let files = TableFiles { pages, fields, ..TableFiles::open(out, None)? };
    let mut tables = CsvTables::new(files, &review.run().rules.templates)?;
    let Stored { counts, files } = store(&mut tables, to, permissions)?;
    counts.iter().flat_map(|(to, counts)| stored_lines(&to.to_string(), counts)).for_each(|line| say(&line));
    Ok(files)
}

/// Checks that no output is a file of the run: the review could not be opened again.
fn check_no_file_of_run<'a>(out: &Path, outputs: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    let of_run = files_of_run(out);
    outputs.into_iter().try_for_each(|output| check_no_input(output, of_run.iter().map(PathBuf::as_path)))
}

/// The files of a run and of its review.
fn files_of_run(out: &Path) -> [PathBuf; 6] {
    [out.to_owned(), fields_path(out), documents_path(out), readings_path(out), run_path(out), journal_path(out)]
}

/// The columns of the forms that the run has found.
fn columns(review: &Review) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for document in 0..review.run().n_documents() {
        for page in review.pages(document)? {
            if !found.contains(&page.form) {
                found.push(page.form);
            }
        }
    }
    let templates = &review.run().rules.templates;
    Ok(field_columns(templates.iter().filter(|template| found.contains(&template.name))))
}

fn truth(args: &TruthArgs) -> Result<u8> {
    let table = std::slice::from_ref(&args.table);
    check_no_file_of_run(&args.of.out, table)?;
    check_absent(table, args.overwrite)?;
    let review = open(&args.of)?;
    let mut table = TruthTable::create(&args.table, columns(&review)?)?;
    formread_review::truth(&review, args.audited_only, |page| table.write(&page.scan, page.page, &page.fields))?;
    table.finish()?;
    Ok(SUCCESS)
}
