//! A PostgreSQL server that lives as long as a test: a cluster of its own in a temporary folder, on a socket there.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The user that runs the server where the test is run by root, whom PostgreSQL refuses: nobody.
const NOBODY: u32 = 65534;
const DEBIAN: &str = "/usr/lib/postgresql";

/// A running server. It is stopped, and its folder removed, when it is dropped.
pub struct Server {
    programs: PathBuf,
    dir: tempfile::TempDir,
    n_databases: AtomicU32,
}

/// The folder of `initdb`: on the PATH, or where Debian puts it, the newest version first.
pub fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> =
        fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    versions.sort();
    let folders = std::env::split_paths(&on_path).chain(versions.into_iter().rev());
    let needed = ["initdb", "pg_ctl", "createdb", "psql"];
    folders.into_iter().find(|folder| needed.iter().all(|program| folder.join(program).is_file()))
}

impl Server {
    /// Makes a cluster and starts its server.
    pub fn start(programs: PathBuf) -> Self {
        let dir = tempfile::Builder::new().prefix("fr-pg-").tempdir_in("/tmp").expect("/tmp is writable");
        if is_root() {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("root may give files away");
        }
        let server = Self { programs, dir, n_databases: AtomicU32::new(0) };
        let data = server.data();
        server.call("initdb", &["-D", &data, "-U", "formread", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        server.launch();
        server
    }

    fn data(&self) -> String {
        self.dir.path().join("data").to_string_lossy().into_owned()
    }

    /// The folder of the socket.
    pub fn socket(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server of the cluster.
    pub fn launch(&self) {
        let options = format!("-k {} -c listen_addresses=''", self.dir.path().display());
        let log = self.dir.path().join("log").to_string_lossy().into_owned();
        self.call("pg_ctl", &["-D", &self.data(), "-w", "-s", "-l", &log, "-o", &options, "start"]);
    }

    /// Stops the server as a crash does, without a word to its clients.
    pub fn crash(&self) {
        self.call("pg_ctl", &["-D", &self.data(), "-w", "-s", "-m", "immediate", "stop"]);
    }

    /// Makes a database, and returns its URL.
    pub fn database(&self) -> String {
        let name = format!("taxes{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        self.call("createdb", &["-h", &self.socket().to_string_lossy(), "-U", "formread", &name]);
        self.url("formread", &name)
    }

    /// The URL of a database for a user.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@/{database}?host={}", self.socket().display())
    }

    /// What `psql` prints for a statement, without headings.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        self.call("psql", &[url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql])
    }

    fn call(&self, program: &str, args: &[&str]) -> String {
        let mut command = Command::new(self.programs.join(program));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null()).env_remove("PGPASSFILE");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        // a file, because the server inherits it and never ends
        let talk = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        let (stdout, stderr) = (talk.reopen().expect("it is there"), talk.reopen().expect("it is there"));
        let said = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
        command.stdout(said.reopen().expect("it is there")).stderr(stderr);
        drop(stdout);
        let status = command.status().unwrap_or_else(|error| panic!("{program}: {error}"));
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        assert!(status.success(), "{program} {args:?}: {}{}", text(said.path()), text(talk.path()));
        text(said.path())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut command = Command::new(self.programs.join("pg_ctl"));
        command.args(["-D", &self.data(), "-w", "-s", "-m", "immediate", "stop"]).current_dir("/tmp");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let _ = command.status();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // this process owns its folder in /proc
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
