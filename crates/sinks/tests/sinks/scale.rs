//! How many rows a second, and how much memory: that is printed. Asserted is that all of it is there.

use std::{fs, time::Instant};

use formread_sinks::Permissions;

use super::{Kind, Place, load, tables::Run};

/// Fields of the run that is loaded.
const N_FIELDS: usize = 1_000_000;

/// Loads a million fields, twice, and prints the rates. The rows of pages and fields are counted together.
pub fn torture_million_fields(kind: Kind) {
    let place = Place::new(kind);
    let out = place.out("out.csv");
    let (run, n_rows) = written(&out);
    for what in ["new", "again"] {
        let start = Instant::now();
        load(&out, &run, &place.destination, Permissions::default()).expect("it can be written");
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{kind:?}, {what}: {n_rows} rows in {seconds:.1} s, {:.0} rows/s", n_rows as f64 / seconds);
    }
    place.assert_dumped();
    eprintln!("peak memory of this process: {} MiB", peak_kib() / 1024);
}

/// Writes tables of that many fields. The run that is returned has their templates alone, to save memory.
fn written(out: &std::path::Path) -> (Run, usize) {
    let mut run = Run::by_chance(30, 6, 20_000);
    let n_fields =
        |run: &Run| run.files.iter().flat_map(|file| &file.pages).map(|page| page.fields.len()).sum::<usize>();
    let n = n_fields(&run);
    // as many files again, under other names and contents
    let files = run.files.clone();
    for copy in 1..N_FIELDS.div_ceil(n) {
        run.files.extend(files.iter().map(|file| {
            let mut file = file.clone();
            file.name = format!("{copy}/{}", file.name);
            file.content = file.content.map(|content| format!("{copy} {content}"));
            file.pages.iter_mut().for_each(|page| page.scan.clone_from(&file.name));
            file
        }));
    }
    let n_rows = n_fields(&run) + run.files.iter().map(|file| file.pages.len()).sum::<usize>();
    run.write(out);
    run.files.clear();
    (run, n_rows)
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
