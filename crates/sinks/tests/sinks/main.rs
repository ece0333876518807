//! Every sink against the CSV tables: what is loaded is dumped to the same bytes, a repeat changes nothing, and a value that a
//! person settled stays. The tests of PostgreSQL need a server program; where there is none they are reported as ignored.

mod faults;
mod scale;
mod server;
mod tables;
mod values;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use formread_raster::{error::Result, fsio::commit_all};
use formread_sinks::{
    Committed, Counts, CsvRestore, CsvTables, Destination, Permissions, Sink, Source, TableFiles, documents_path,
    fields_path, run_path,
};
use libtest_mimic::{Arguments, Failed, Trial};

use server::Server;
use tables::{Run, judge};

static SERVER: OnceLock<Server> = OnceLock::new();

/// The server of all tests but those that stop it.
fn server() -> &'static Server {
    let programs = || server::programs().expect("the test is ignored without a server");
    SERVER.get_or_init(|| Server::start(programs()))
}

/// A kind of sink, and a temporary folder.
struct Place {
    dir: tempfile::TempDir,
    destination: Destination,
    /// The argument that leads to it.
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Parquet,
    Postgres,
}

impl Place {
    fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let in_folder = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let text = match kind {
            Kind::Sqlite => in_folder("numbers.sqlite"),
            Kind::Parquet => in_folder("numbers.parquet"),
            Kind::Postgres => server().database(),
        };
        let destination = Destination::parse(&text, []).expect("it is a place");
        Self { dir, destination, text }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the tables of `run`, and loads them.
    fn load(&self, run: &Run, permissions: Permissions) -> Result<Counts> {
        let out = self.out("out.csv");
        run.write(&out);
        load(&out, run, &self.destination, permissions)
    }

    /// Asserts that a dump has the bytes of the tables that were loaded last.
    #[track_caller]
    fn assert_dumped(&self) {
        let (out, dumped) = (self.out("out.csv"), self.out("dumped.csv"));
        let mut sink: Box<dyn Sink> = Box::new(CsvRestore::new(&dumped));
        self.destination.source().and_then(|mut source| source.send(&mut *sink)).expect("it can be read");
        sink.prepare().and_then(|()| sink.commit()).and_then(|done| commit_all(done.files)).expect("it can be written");
        for of in [Path::to_owned as fn(&Path) -> PathBuf, fields_path, documents_path, run_path] {
            let [want, found] = [of(&out), of(&dumped)].map(|path| fs::read_to_string(path).ok());
            assert!(want == found, "{}\n{}", of(&out).display(), difference(&want, &found));
        }
    }
}

fn difference(want: &Option<String>, found: &Option<String>) -> String {
    let (Some(want), Some(found)) = (want, found) else {
        return format!("there: {}, dumped: {}", want.is_some(), found.is_some());
    };
    let lines = want.lines().zip(found.lines()).find(|(want, found)| want != found);
    format!("{} and {} lines; first: {lines:?}", want.lines().count(), found.lines().count())
}

fn load(out: &Path, run: &Run, to: &Destination, permissions: Permissions) -> Result<Counts> {
    let mut tables = CsvTables::new(TableFiles::open(out, None)?, &run.templates)?;
    let mut sink = to.sink(permissions)?;
    tables.send(&mut *sink)?;
    sink.prepare()?;
    let Committed { counts, files } = sink.commit()?;
    commit_all(files)?;
    Ok(counts)
}

fn n_contents(run: &Run) -> u64 {
    let mut seen = std::collections::HashSet::new();
    let first =
        run.files.iter().filter(|file| file.content.as_ref().is_none_or(|content| seen.insert(content.clone())));
    first.map(|file| file.pages.len() as u64).sum()
}

/// The value of a field, settled by a person.
fn settle(run: &mut Run, (file, page, field): (usize, usize, usize), value: &str) {
    let content = run.files[file].content.clone();
    for copy in run.files.iter_mut().filter(|copy| copy.content.is_some() && copy.content == content) {
        let rows = &mut copy.pages[page];
        let row = &mut rows.fields[field];
        (row.state, row.value, row.confidence, row.reason) =
            ("accepted".to_owned(), value.to_owned(), String::new(), String::new());
        judge(rows);
    }
}

fn loaded_is_dumped_to_the_same_bytes_and_a_repeat_changes_nothing(kind: Kind) {
    load_and_dump(kind, &[(1, 1, 1), (2, 4, 60), (3, 30, 200)]);
}

fn torture_300_forms_are_dumped_to_the_same_bytes(kind: Kind) {
    load_and_dump(kind, &[(4, 300, 2_000)]);
}

/// Loads runs by chance, of this seed and these numbers of forms and files, and dumps them.
fn load_and_dump(kind: Kind, runs: &[(u64, usize, usize)]) {
    for &(seed, n_forms, n_files) in runs {
        let place = Place::new(kind);
        let run = Run::by_chance(seed, n_forms, n_files);
        place.destination.check(&run.templates).expect("it can be written to");
        let counts = place.load(&run, Permissions::default()).expect("it can be written");
        let n_pages = if kind == Kind::Parquet { counts.n_new } else { n_contents(&run) };
        assert_eq!(counts, Counts { n_new: n_pages, ..Counts::default() });
        place.assert_dumped();
        let before = (kind != Kind::Postgres).then(|| fs::read(&place.text).expect("it is a file"));
        let counts = place.load(&run, Permissions::default()).expect("it can be written");
        assert_eq!(counts, Counts { n_unchanged: n_pages, ..Counts::default() });
        if let Some(before) = before {
            assert!(before == fs::read(&place.text).expect("it is a file"), "a repeat leaves the file as it is");
        }
        place.assert_dumped();
    }
}

fn run_without_documents_is_dumped_without_them(kind: Kind) {
    let place = Place::new(kind);
    let mut run = Run::by_chance(5, 2, 8);
    run.has_documents = false;
    place.load(&run, Permissions::default()).expect("it can be written");
    place.assert_dumped();
}

fn renamed_folder_adds_names_and_no_numbers(kind: Kind) {
    let place = Place::new(kind);
    let mut run = Run::by_chance(6, 3, 40);
    place.load(&run, Permissions::default()).expect("it can be written");
    for file in run.files.iter_mut().filter(|file| file.content.is_some()) {
        file.name = format!("renamed/{}", file.name);
        file.pages.iter_mut().for_each(|page| page.scan.clone_from(&file.name));
    }
    let counts = place.load(&run, Permissions::default()).expect("it can be written");
    assert_eq!(counts, Counts { n_unchanged: n_contents(&run), ..Counts::default() });
    place.assert_dumped();
}

fn reading_that_changed_is_replaced_and_a_page_that_is_gone_is_removed(kind: Kind) {
    let place = Place::new(kind);
    let mut run = Run::by_chance(7, 3, 40);
    place.load(&run, Permissions::default()).expect("it can be written");
    let is_alone = |run: &Run, i: usize| {
        run.files[i].content.is_some()
            && run.files.iter().filter(|file| file.content == run.files[i].content).count() == 1
            && run.files[i].pages.len() > 1
    };
    let alone: Vec<usize> = (0..run.files.len()).filter(|&i| is_alone(&run, i)).collect();
    let with_fields = alone.iter().find(|&&i| !run.files[i].pages[0].fields.is_empty()).expect("there are such files");
    run.files[*with_fields].pages[0].fields[0].bounds[2] += 1;
    let shorter = alone.iter().find(|i| *i != with_fields).expect("there are several such files");
    run.files[*shorter].pages.pop();
    let counts = place.load(&run, Permissions::default()).expect("it can be written");
    assert_eq!((counts.n_new, counts.n_replaced, counts.n_removed, counts.n_kept), (0, 1, 1, 0), "{counts:?}");
    place.assert_dumped();
}

fn value_of_a_person_stays_unless_it_is_asked_for(kind: Kind) {
    let place = Place::new(kind);
    let machine = Run::by_chance(8, 3, 40);
    let at = machine.first_accepted("integer");
    let mut settled = machine.clone();
    settle(&mut settled, at, "7");
    let overwrite = Permissions { overwrite: true, overwrite_settled: false };
    place.load(&machine, overwrite).expect("it can be written");
    let counts = place.load(&settled, overwrite).expect("a person's value replaces a machine's");
    place.assert_dumped();
    if kind == Kind::Parquet {
        let error = place.load(&machine, overwrite).expect_err("a value would be lost").to_string();
        assert!(error.contains("1 values that a person settled would be lost"), "{error}");
    } else {
        assert_eq!((counts.n_replaced, counts.n_kept), (1, 0));
        let counts = place.load(&machine, overwrite).expect("it can be written");
        assert_eq!((counts.n_replaced, counts.n_kept, counts.kept.len()), (0, 1, 1), "{counts:?}");
    }
    // the dump still has the value
    settled.write(&place.out("out.csv"));
    place.assert_dumped();
    // another person's value takes its place
    let mut again = machine.clone();
    settle(&mut again, at, "8");
    place.load(&again, overwrite).expect("it can be written");
    place.assert_dumped();
    let all = Permissions { overwrite: true, overwrite_settled: true };
    place.load(&machine, all).expect("it was asked for");
    place.assert_dumped();
}

fn copies_that_differ_are_refused(kind: Kind) {
    let place = Place::new(kind);
    let mut run = Run::by_chance(9, 1, 3);
    run.files[1] = run.files[0].clone();
    run.files[1].name = "copy.tif".to_owned();
    run.files[1].pages.iter_mut().for_each(|page| page.scan = "copy.tif".to_owned());
    place.load(&run, Permissions::default()).expect("copies are alike");
    let page = run.files[1].pages.iter_mut().find(|page| !page.fields.is_empty()).expect("some page was read");
    page.fields[0].bounds[0] += 1;
    let permissions = Permissions { overwrite: true, overwrite_settled: true };
    let error = place.load(&run, permissions).expect_err("they differ").to_string();
    assert!(error.contains("files of the same content differ: copy.tif"), "{error}");
}

fn tables_that_contradict_each_other_change_nothing(kind: Kind) {
    let place = Place::new(kind);
    let run = Run::by_chance(10, 2, 30);
    place.load(&run, Permissions::default()).expect("it can be written");
    let out = place.out("out.csv");
    let tables = [out.clone(), fields_path(&out), run_path(&out)];
    for path in &tables {
        let text = fs::read_to_string(path).expect("it was written");
        let forged = match text.rsplit_once("accepted") {
            Some((before, after)) => format!("{before}blank{after}"),
            None => text.replacen("\"pages\": 1", "\"pages\": 2", 1),
        };
        fs::write(path, &forged).expect("it is writable");
        let permissions = Permissions { overwrite: true, overwrite_settled: true };
        load(&out, &run, &place.destination, permissions).expect_err("they contradict each other");
        fs::write(path, &text).expect("it is writable");
    }
    let mut other = run.clone();
    other.templates[0].title.push('x');
    let error =
        load(&out, &other, &place.destination, Permissions::default()).expect_err("another template").to_string();
    assert!(error.contains("another template: form-0"), "{error}");
    place.assert_dumped();
}

fn several_runs_share_the_tables_and_the_last_is_dumped(kind: Kind) {
    let place = Place::new(kind);
    let [one, two] = [11, 12].map(|seed| Run::by_chance(seed, 2, 20));
    for run in [&one, &two, &one] {
        place.load(run, Permissions::default()).expect("it can be written");
        place.assert_dumped();
    }
}

type Test = (&'static str, fn(Kind), &'static [Kind]);

fn main() {
    use Kind::{Parquet, Postgres, Sqlite};

    const ALL: &[Kind] = &[Sqlite, Parquet, Postgres];
    const DATABASES: &[Kind] = &[Sqlite, Postgres];
    const TESTS: [Test; 16] = [
        (
            "loaded_is_dumped_to_the_same_bytes_and_a_repeat_changes_nothing",
            loaded_is_dumped_to_the_same_bytes_and_a_repeat_changes_nothing,
            ALL,
        ),
        ("run_without_documents_is_dumped_without_them", run_without_documents_is_dumped_without_them, ALL),
        ("renamed_folder_adds_names_and_no_numbers", renamed_folder_adds_names_and_no_numbers, DATABASES),
        (
            "reading_that_changed_is_replaced_and_a_page_that_is_gone_is_removed",
            reading_that_changed_is_replaced_and_a_page_that_is_gone_is_removed,
            DATABASES,
        ),
        ("value_of_a_person_stays_unless_it_is_asked_for", value_of_a_person_stays_unless_it_is_asked_for, ALL),
        ("copies_that_differ_are_refused", copies_that_differ_are_refused, ALL),
        ("tables_that_contradict_each_other_change_nothing", tables_that_contradict_each_other_change_nothing, ALL),
        (
            "several_runs_share_the_tables_and_the_last_is_dumped",
            several_runs_share_the_tables_and_the_last_is_dumped,
            DATABASES,
        ),
        ("sums_of_amounts_are_those_of_the_decimals", values::sums_of_amounts_are_those_of_the_decimals, ALL),
        (
            "tables_of_another_shape_are_refused_and_left_alone",
            faults::tables_of_another_shape_are_refused_and_left_alone,
            DATABASES,
        ),
        ("missing_privilege_is_named_with_what_to_do", faults::missing_privilege_is_named_with_what_to_do, &[Postgres]),
        ("server_that_is_not_there_is_named", faults::server_that_is_not_there_is_named, &[Sqlite]),
        (
            "load_into_a_server_that_stops_has_nothing_or_all",
            faults::load_into_a_server_that_stops_has_nothing_or_all,
            &[Postgres],
        ),
        (
            "torture_20_immediate_stops_of_the_server_leave_nothing_or_all",
            faults::torture_20_immediate_stops_of_the_server_leave_nothing_or_all,
            &[Postgres],
        ),
        ("torture_300_forms_are_dumped_to_the_same_bytes", torture_300_forms_are_dumped_to_the_same_bytes, ALL),
        ("torture_million_fields", scale::torture_million_fields, ALL),
    ];
    let has_server = server::programs().is_some();
    if !has_server {
        eprintln!("no PostgreSQL server is installed: its tests are ignored");
    }
    let trial = |(name, test, kinds): Test| {
        kinds.iter().map(move |&kind| {
            let run = move || -> std::result::Result<(), Failed> {
                test(kind);
                Ok(())
            };
            Trial::test(format!("{kind:?}::{name}").to_lowercase(), run)
                .with_ignored_flag(name.starts_with("torture") || kind == Postgres && !has_server)
        })
    };
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, TESTS.into_iter().flat_map(trial).collect());
    // a static is not dropped: the server would go on
    if let Some(server) = SERVER.get() {
        server.crash();
        let _ = fs::remove_dir_all(server.socket());
    }
    conclusion.exit();
}
