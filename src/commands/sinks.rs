//! `formread load` and `formread dump`

use std::path::{Path, PathBuf};

use anyhow::Result;
use formread::{
    pipeline::OutputLock,
    sink::{
        Committed, CsvRestore, CsvTables, Destination, Permissions, Sink, Stored, TableFiles, documents_path,
        fields_path, run_path, store,
    },
};
use formread_raster::{error::Error, fsio::commit_all};

use super::SUCCESS;
use crate::{
    cli::{DumpArgs, LoadArgs},
    options,
    report::{say, stored_lines},
};

pub fn load(args: &LoadArgs) -> Result<u8> {
    let LoadArgs { out, to, record, pipeline, overwrite, overwrite_settled } = args;
    let to: Vec<Destination> = to.iter().map(|text| options::destination(text)).collect::<Result<_>>()?;
    let templates = options::all_templates(pipeline)?;
    let mut tables = located(out, || CsvTables::new(TableFiles::open(out, record.as_deref())?, &templates))?;
    let permissions = Permissions { overwrite: *overwrite, overwrite_settled: *overwrite_settled };
    let one_run = to.iter().filter(|to| to.holds_one_run()).flat_map(Destination::files);
    let _locks = one_run.map(|path| OutputLock::acquire(&path)).collect::<formread::Result<Vec<_>>>()?;
    let Stored { counts, files } = located(out, || store(&mut tables, &to, permissions))?;
    commit_all(files)?;
    counts.iter().flat_map(|(to, counts)| stored_lines(&to.to_string(), counts)).for_each(|line| say(&line));
    Ok(SUCCESS)
}

pub fn dump(args: &DumpArgs) -> Result<u8> {
    let DumpArgs { from, out, overwrite } = args;
    let from = options::destination(from)?;
    let _lock = OutputLock::acquire(out)?;
    let tables: [PathBuf; 4] = [out.clone(), fields_path(out), documents_path(out), run_path(out)];
    if let Some(existing) = tables.iter().find(|path| path.exists()).filter(|_| !overwrite) {
        let error = Error::usage(format!("already exists: {}", existing.display()));
        return Err(error.with_hint("replace it with --overwrite, or choose another name").into());
    }
    let name = from.to_string();
    let mut sink = Box::new(CsvRestore::new(out));
    located(Path::new(&name), || from.source()?.send(&mut *sink))?;
    sink.prepare()?;
    let Committed { files, .. } = sink.commit()?;
    commit_all(files)?;
    Ok(SUCCESS)
}

/// The fault of a call, located in a file unless it has a place of its own.
fn located<T>(path: &Path, call: impl FnOnce() -> formread::Result<T>) -> formread::Result<T> {
    call().map_err(|error: Error| match error.location().file {
        Some(_) => error,
        None => error.in_file(path.to_string_lossy()),
    })
}
