//! Helper: a server of the review of `out.csv`, which is asked as its page asks it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::util::formread;

/// A server.
pub struct Server {
    child: Child,
    host: String,
}

impl Server {
    /// Starts `formread review out.csv` with these arguments.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = formread(folder);
        command.args(["review", "out.csv"]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let mut address = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut address).expect("the first line is the address");
        let host = address.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        assert!(host.starts_with("127.0.0.1:"), "{address}");
        Self { child, host }
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it is reached.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Posts JSON. Returns the status, the cookie that was set, and the answer.
    pub fn post(&self, path: &str, cookie: &str, body: &Value) -> (u16, String, Value) {
        post(&self.host, path, cookie, body).expect("it answers")
    }

    /// Begins a session: its cookie.
    pub fn enter(&self, token: &str) -> String {
        let (status, cookie, _) = self.post("/api/enter", "", &json!({ "token": token }));
        assert_eq!(status, 200);
        cookie
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Posts JSON. `None` where nobody answers.
pub fn post(host: &str, path: &str, cookie: &str, body: &Value) -> Option<(u16, String, Value)> {
    let body = body.to_string();
    let head = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let (status, cookie, reply) = request(host, &format!("POST {path}"), cookie, &(head + "\r\n" + &body))?;
    Some((status, cookie, serde_json::from_slice(&reply).unwrap_or(Value::Null)))
}

/// Gets what is at `path`: the status and the bytes. `None` where nobody answers.
pub fn get(host: &str, path: &str, cookie: &str) -> Option<(u16, Vec<u8>)> {
    let (status, _, reply) = request(host, &format!("GET {path}"), cookie, "\r\n")?;
    Some((status, reply))
}

/// Sends a request, which ends with `rest`: more headers, an empty line and the body.
fn request(host: &str, what: &str, cookie: &str, rest: &str) -> Option<(u16, String, Vec<u8>)> {
    let mut stream = TcpStream::connect(host).ok()?;
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\nConnection: close\r\n"
    );
    stream.write_all((head + rest).as_bytes()).ok()?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).ok()?;
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&reply[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let cookies = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
    Some((status, cookie, reply.split_off(end + 4)))
}

/// A list of reviewers in the folder; the token of each is his name.
pub fn list_reviewers(folder: &Path, names: &[&str]) {
    let hash = |token: &str| formread_raster::hash::sha256(token.as_bytes());
    let list: String = names.iter().map(|name| format!("{name} {}\n", hash(name))).collect();
    std::fs::write(folder.join("reviewers"), list).expect("the folder is writable");
}
