//! Who is at the page: tokens, and the cookies that they are exchanged for.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, header};

use formread_raster::{
    error::{Error, Format, Result},
    fsio::read_text_bounded,
    hash::{Sha256, sha256},
};

/// Largest list of reviewers that is read, bytes.
const MAX_LIST_BYTES: u64 = 1 << 20;
/// Largest number of sessions.
const MAX_SESSIONS: usize = 4096;

/// Who may enter.
#[derive(Debug, Clone)]
pub enum People {
    /// One person, with a token that is made at the start.
    One(String),
    /// People by the SHA-256 of their tokens.
    Listed(HashMap<Sha256, String>),
}

impl People {
    /// Reads a list: a line a person, with a name, a space and the SHA-256 of a token. Empty lines and those that begin with `#` do
    /// not count.
    ///
    /// # Errors
    /// `Format` where a line is not of this form, or a token is listed twice; `Io`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text_bounded(path, MAX_LIST_BYTES);
        text.and_then(|text| Self::parse(&text)).map_err(|error| error.in_file(path.to_string_lossy()))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut listed = HashMap::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let malformed = |detail: &str| Error::format(Format::Reviewers, detail).at_line(number);
            let (who, hash) = line.rsplit_once(' ').ok_or_else(|| malformed("not a name and a SHA-256"))?;
            let hash: Sha256 = serde_json::from_value(hash.into()).map_err(|error| malformed(&error.to_string()))?;
            if listed.insert(hash, who.trim().to_owned()).is_some() {
                return Err(malformed("another line has this token"));
            }
        }
        if listed.is_empty() {
            return Err(Error::format(Format::Reviewers, "it lists nobody"));
        }
        Ok(Self::Listed(listed))
    }

    /// Whether they are listed, so that each has a token of his own.
    pub fn is_listed(&self) -> bool {
        matches!(self, Self::Listed(_))
    }
}

/// Tokens and sessions.
#[derive(Debug)]
pub struct Auth {
    people: HashMap<Sha256, String>,
    token: Option<String>,
    origins: Vec<String>,
    cookie: String,
    /// Whether a proxy encrypts.
    is_encrypted: bool,
    sessions: Mutex<HashMap<Sha256, u64>>,
}

/// 128 random bits, as 32 hexadecimal digits.
fn secret() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Auth {
    /// For a server that is reached by `origins`.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn new(people: People, port: u16, origins: Vec<String>, is_encrypted: bool) -> Result<Self> {
        let (people, token) = match people {
            People::One(who) => {
                let token = secret()?;
                ([(sha256(token.as_bytes()), who)].into(), Some(token))
            }
            People::Listed(people) => (people, None),
        };
        // cookies do not know of ports
        let cookie = format!("formread-{port}");
        Ok(Self { people, token, origins, cookie, is_encrypted, sessions: Mutex::default() })
    }

    /// The origin for people.
    pub fn origin(&self) -> &str {
        self.origins.first().map_or("", String::as_str)
    }

    /// The token that was made.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether a request for this host is for this server.
    pub fn is_host(&self, host: &str) -> bool {
        self.origins.iter().any(|origin| origin.split_once("://").is_some_and(|(_, own)| own == host))
    }

    /// Whether a request from this origin is from its page.
    pub fn is_origin(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }

    /// The person with this token.
    pub fn person(&self, token: &str) -> Option<&str> {
        self.people.get(&sha256(token.as_bytes())).map(String::as_str)
    }

    /// Begins a session: its number, and the cookie that shows it.
    ///
    /// # Errors
    /// Where the system has no random numbers, or there are too many sessions.
    pub fn begin(&self) -> Result<(u64, String)> {
        let secret = secret()?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MAX_SESSIONS {
            return Err(Error::usage("too many sessions").with_hint("start the server again"));
        }
        let session = sessions.len() as u64 + 1;
        sessions.insert(sha256(secret.as_bytes()), session);
        let secure = if self.is_encrypted { "; Secure" } else { "" };
        Ok((session, format!("{}={secret}; HttpOnly; SameSite=Strict; Path=/{secure}", self.cookie)))
    }

    /// The session of a request.
    pub fn session(&self, headers: &HeaderMap) -> Option<u64> {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|cookies| cookies.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let secret = pairs.find(|(name, _)| *name == self.cookie).map(|(_, secret)| secret)?;
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(&sha256(secret.as_bytes())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_of_reviewers_has_a_name_and_a_hash_a_line() {
        let hash = sha256(b"secret");
        let listed = People::parse(&format!("# who\n\nAnn Lee {hash}\n")).expect("it is well formed");
        let auth = Auth::new(listed, 1, vec!["http://127.0.0.1:1".to_owned()], false).expect("there is chance");
        assert_eq!((auth.person("secret"), auth.person("other"), auth.token()), (Some("Ann Lee"), None, None));
        for text in ["", "ann\n", "ann 12\n", &format!("ann {hash}\nben {hash}\n")] {
            assert!(People::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn session_is_that_of_the_cookie() {
        let auth = Auth::new(People::One("ann".to_owned()), 7, vec!["http://127.0.0.1:7".to_owned()], false);
        let auth = auth.expect("there is chance");
        let (session, cookie) = auth.begin().expect("there is room");
        assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        let pair = cookie.split(';').next().expect("it has a value");
        let headers = |text: &str| HeaderMap::from_iter([(header::COOKIE, text.parse().expect("it is a header"))]);
        assert_eq!(auth.session(&headers(&format!("a=b; {pair}"))), Some(session));
        assert_eq!(auth.session(&headers("formread-7=0")), None);
        assert_eq!(auth.person(auth.token().expect("it was made")), Some("ann"));
        assert!(auth.is_host("127.0.0.1:7") && !auth.is_host("example.org") && !auth.is_origin("http://127.0.0.1:8"));
    }
}
