//! A URL, the environment and the files of PostgreSQL -> a connection.
//!
//! What the URL leaves out comes from the service, then from the environment. A password never comes from the URL, because
//! other users of the machine can see a command line. Over a network the connection is encrypted, and the server must have a
//! certificate that this machine trusts, unless `sslmode=disable`.

use std::{collections::HashMap, fs, io, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use percent_encoding::percent_decode_str;
use postgres::{
    Client, Config, NoTls,
    config::{Host, SslMode},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use formread_raster::{
    error::{Error, Result},
    fsio::read_text_bounded,
};

use super::{fault, passwords::password, service};

/// Where Debian puts the socket.
const SOCKET_FOLDER: &str = "/var/run/postgresql";
const DEFAULT_PORT: u16 = 5432;
/// How long to wait for an answer of the server.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Largest password file and service file, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The environment variables of this process, as far as PostgreSQL knows them.
#[derive(Debug, Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Takes `HOME` and those that begin with `PG` from the variables of the process.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().filter(|(name, _)| name.starts_with("PG") || name == "HOME").collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The file that a variable names, or that of this name in the home folder.
    fn file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        let in_home = || self.get("HOME").map(|home| PathBuf::from(home).join(name));
        self.get(variable).map(PathBuf::from).or_else(in_home)
    }
}

/// A database of a server, and how to connect to it.
#[derive(Clone)]
pub struct Server {
    name: String,
    config: Config,
    /// The certificates to trust; `None`: those of this machine.
    root_certificates: Option<PathBuf>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Server").field(&self.name).finish()
    }
}

impl Server {
    /// Reads a URL, `postgres://…`.
    ///
    /// # Errors
    /// `Usage` where it is malformed or has a password; where a file that it names cannot be read.
    pub fn new(url: &str, environment: &Environment) -> Result<Self> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut own: HashMap<String, String> = HashMap::new();
        let mut rest: Vec<&str> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some((key @ ("service" | "sslmode" | "sslrootcert" | "passfile"), value)) => {
                    let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
                    own.insert(key.to_owned(), value);
                }
                _ => rest.push(part),
            }
        }
        // the parser may repeat what it did not understand, which may be a secret
        let config = Config::from_str(&format!("{base}?{}", rest.join("&")));
        let mut config = config.map_err(|_| {
            Error::usage("malformed URL of a PostgreSQL server").with_hint("such as postgres://user@host:5432/database")
        })?;
        if config.get_password().is_some() {
            let hint =
                "remove it from the command line, which others can see; use PGPASSFILE, a service, or PGPASSWORD";
            return Err(Error::usage("a password in the URL of a PostgreSQL server").with_hint(hint));
        }
        let name = base.to_owned();
        let service = own.get("service").map(String::as_str).or_else(|| environment.get("PGSERVICE"));
        let service = service.map(|service| service_settings(service, environment)).transpose()?.unwrap_or_default();
        let setting = |key: &str, variable: &str| {
            own.get(key).or_else(|| service.get(key)).map(String::as_str).or_else(|| environment.get(variable))
        };
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            let local = if fs::exists(SOCKET_FOLDER).unwrap_or(false) { SOCKET_FOLDER } else { "localhost" };
            config.host(setting("host", "PGHOST").unwrap_or(local));
        }
        if config.get_ports().is_empty()
            && let Some(port) = setting("port", "PGPORT")
        {
            config.port(port.parse().map_err(|_| Error::usage(format!("port of a PostgreSQL server: {port}")))?);
        }
        if config.get_user().is_none()
            && let Some(user) = setting("user", "PGUSER")
        {
            config.user(user);
        }
        if config.get_dbname().is_none()
            && let Some(database) = setting("dbname", "PGDATABASE")
        {
            config.dbname(database);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(TIMEOUT);
        }
        config.application_name("formread").keepalives_idle(TIMEOUT).tcp_user_timeout(3 * TIMEOUT);
        let is_disabled = match setting("sslmode", "PGSSLMODE").unwrap_or("verify-full") {
            "disable" => true,
            "require" | "verify-ca" | "verify-full" => false,
            other => {
                let hint = "verify-full, or disable where nobody can listen";
                return Err(Error::usage(format!("sslmode: {other}")).with_hint(hint));
            }
        };
        // a socket stays on this machine
        let is_encrypted = !is_disabled && !is_local(&config);
        config.ssl_mode(if is_encrypted { SslMode::Require } else { SslMode::Disable });
        let root_certificates = setting("sslrootcert", "PGSSLROOTCERT").filter(|path| *path != "system");
        let root_certificates = root_certificates.map(PathBuf::from);
        let secret = service.get("password").map(String::as_str).or_else(|| environment.get("PGPASSWORD"));
        let secret = match (secret, own.get("passfile")) {
            (Some(secret), _) => Some(secret.to_owned()),
            (None, Some(path)) => password_of(&config, PathBuf::from(path))?,
            (None, None) => match environment.file("PGPASSFILE", ".pgpass") {
                Some(path) => password_of(&config, path)?,
                None => None,
            },
        };
        if let Some(secret) = secret {
            config.password(secret);
        }
        Ok(Self { name, config, root_certificates })
    }

    /// The URL without its options, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connects.
    ///
    /// # Errors
    /// Where the server cannot be reached, does not identify itself, or refuses.
    pub fn connect(&self) -> Result<Client> {
        let client = if self.config.get_ssl_mode() == SslMode::Disable {
            self.config.connect(NoTls)
        } else {
            self.config.connect(MakeRustlsConnect::new(self.tls()?))
        };
        client.map_err(|error| {
            let error = fault(&error);
            let hint = match error.to_string() {
                text if text.contains("TLS") => {
                    "name the certificate to trust in PGSSLROOTCERT; ?sslmode=disable turns encryption off, where nobody can listen"
                }
                _ => "the server must run, and host, port, database, user and password must be right",
            };
            error.with_hint(hint).in_file(&self.name)
        })
    }

    fn tls(&self) -> Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        match &self.root_certificates {
            Some(path) => {
                let here = |error: rustls::pki_types::pem::Error| {
                    Error::from(io::Error::other(error.to_string())).in_file(path.to_string_lossy())
                };
                for certificate in CertificateDer::pem_file_iter(path).map_err(here)? {
                    roots.add(certificate.map_err(here)?).map_err(|error| Error::from(io::Error::other(error)))?;
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(Error::internal)?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

#[cfg(unix)]
fn is_local(config: &Config) -> bool {
    config.get_hostaddrs().is_empty() && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)))
}

#[cfg(not(unix))]
fn is_local(_: &Config) -> bool {
    false
}

fn service_settings(service: &str, environment: &Environment) -> Result<HashMap<String, String>> {
    let path = environment.file("PGSERVICEFILE", ".pg_service.conf").unwrap_or_default();
    let here = |error: Error| error.in_file(path.to_string_lossy());
    let text = read_text_bounded(&path, MAX_FILE_BYTES).map_err(here)?;
    service::settings(&text, service).ok_or_else(|| here(Error::usage(format!("no service of this name: {service}"))))
}

/// The password that a file has for this server. A file that is not there has none.
fn password_of(config: &Config, path: PathBuf) -> Result<Option<String>> {
    let here = |error: Error| error.in_file(path.to_string_lossy());
    let Ok(metadata) = fs::metadata(&path) else { return Ok(None) };
    if !metadata.is_file() {
        return Ok(None);
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0 {
        return Err(here(Error::usage("others can read this password file").with_hint("chmod 600")));
    }
    let text = read_text_bounded(&path, MAX_FILE_BYTES).map_err(here)?;
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let port = config.get_ports().first().copied().unwrap_or(DEFAULT_PORT);
    Ok(config.get_hosts().iter().find_map(|host| match host {
        Host::Tcp(host) => password(&text, host, port, database, user),
        #[cfg(unix)]
        Host::Unix(folder) => password(&text, &folder.to_string_lossy(), port, database, user)
            .or_else(|| password(&text, "localhost", port, database, user)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn password_in_the_url_is_refused_and_not_repeated() {
        for url in [
            "postgres://clerk:s3cret@db/taxes",
            "postgres://db/taxes?user=clerk&password=s3cret",
            "postgres://c:s3cret@[db/?x",
        ] {
            let error = Server::new(url, &Environment::default()).expect_err(url).to_string();
            assert!(!error.contains("s3cret") && error.contains("hint: "), "{error}");
        }
    }

    #[test]
    fn settings_come_from_the_url_then_the_service_then_the_environment() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).expect("the folder is writable");
            #[cfg(unix)]
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("it is ours");
            path.to_string_lossy().into_owned()
        };
        let services = file("services", "[taxes]\nhost=db.example\nport=5433\nuser=of-service\n");
        let passwords = file("passwords", "db.example:5433:archive:clerk:pass\n");
        let environment = environment(&[
            ("PGSERVICEFILE", &services),
            ("PGPASSFILE", &passwords),
            ("PGHOST", "other"),
            ("PGUSER", "x"),
        ]);
        let server = Server::new("postgres://clerk@/archive?service=taxes", &environment).expect("it is complete");
        assert_eq!(server.config.get_hosts(), [Host::Tcp("db.example".to_owned())]);
        assert_eq!((server.config.get_ports(), server.config.get_user()), (&[5433][..], Some("clerk")));
        assert_eq!(server.config.get_password(), Some(&b"pass"[..]));
        assert_eq!(server.config.get_ssl_mode(), SslMode::Require);
        assert!(!format!("{server:?}").contains("pass"), "no secret is shown");
        let error = Server::new("postgres://h/d?sslmode=prefer", &environment).expect_err("it may not encrypt");
        assert!(error.to_string().contains("sslmode: prefer"), "{error}");
        #[cfg(unix)]
        {
            fs::set_permissions(&passwords, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("it is ours");
            let error = Server::new("postgres://h/d", &environment).expect_err("others can read it").to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }
}
