//! One source -> several destinations, all or nothing as far as that can be.

use formread_raster::{error::Result, fsio::Change};

use crate::{
    destination::{Destination, Permissions},
    rows::{Committed, Counts, Source},
};

/// What was stored where.
#[derive(Debug)]
pub struct Stored<'a> {
    /// The pages of each destination.
    pub counts: Vec<(&'a Destination, Counts)>,
    /// Files that wait for their names.
    pub files: Vec<Change>,
}

/// Sends the run of `source` to every destination. First all are prepared, then servers commit, then files that are databases.
/// What is left are files that the caller gives their names, together with its own.
///
/// # Errors
/// Where a destination fails. If that is before the first commit, nothing has changed; otherwise a repeat completes the others
/// and changes nothing in those that were committed.
pub fn store<'a>(source: &mut dyn Source, to: &'a [Destination], permissions: Permissions) -> Result<Stored<'a>> {
    let mut order: Vec<&Destination> = to.iter().collect();
    order.sort_by_key(|destination| !destination.is_server());
    let mut prepared = Vec::new();
    for destination in order {
        let mut sink = destination.sink(permissions)?;
        source.send(&mut *sink)?;
        sink.prepare()?;
        prepared.push((destination, sink));
    }
    let mut stored = Stored { counts: Vec::new(), files: Vec::new() };
    for (destination, sink) in prepared {
        let Committed { counts, files } = sink.commit()?;
        stored.counts.push((destination, counts));
        stored.files.extend(files);
    }
    Ok(stored)
}
