//! The answers on disk: one line a change, appended and never altered, bound by hashes. An answer is acknowledged after it was
//! synced; answers that come together are synced together.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, JoinHandle},
};

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Decision};
use formread_raster::{
    error::{Error, Format, Result},
    fsio::{private_options, read_bounded, sync_folder_of},
    hash::Sha256,
    hash_chain::{checked, first_hash, hash_of},
};

/// Largest journal that is read, bytes: about four million answers.
const MAX_JOURNAL_BYTES: u64 = 1 << 30;

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The first line: the run that is reviewed.
    Review {
        /// Of the run's reader.
        identity: Sha256,
        /// SHA-256 of the readings of the run.
        readings: Sha256,
    },
    /// The program was started with these settings.
    Settings(Settings),
    /// Somebody has answered.
    Answer(GivenAnswer),
    /// Somebody has looked through a group of like digits.
    Group(GivenGroup),
    /// Somebody has decided what becomes of a page.
    Page(GivenDecision),
    /// Somebody has taken back an answer, or a decision.
    Undo {
        /// Its identifier.
        id: String,
        /// The person.
        who: String,
        /// Seconds since 1970.
        at: u64,
    },
}

/// An answer to a field, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// The answer's identifier.
    pub id: String,
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// The field.
    pub field: String,
    /// The person.
    pub who: String,
    /// What the person said.
    pub answer: Answer,
    /// Seconds since 1970.
    pub at: u64,
}

/// A group of like digits, and what was struck in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenGroup {
    /// Its identifier.
    pub id: String,
    /// What the machine reads each of its digits as that is no stranger.
    pub digit: u8,
    /// The person.
    pub who: String,
    /// The digits, as they were shown.
    pub shown: Vec<ShownDigit>,
    /// Seconds since 1970.
    pub at: u64,
}

/// A digit of a group, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDigit {
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// The field.
    pub field: String,
    /// The machine's value of the field.
    pub value: String,
    /// Which of the digits that make the value, from 0.
    pub position: u8,
    /// How many digits make it.
    pub of: u8,
    /// Whether it is of a field that is known, and of another digit than the group's.
    #[serde(rename = "stranger")]
    pub is_stranger: bool,
    /// Whether the person struck it.
    #[serde(rename = "struck")]
    pub is_struck: bool,
}

/// A decision on a page, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenDecision {
    /// The decision's identifier.
    pub id: String,
    /// The file.
    pub scan: String,
    /// 1-based page in it.
    pub page: u32,
    /// The person.
    pub who: String,
    /// The decision.
    pub decision: Decision,
    /// Seconds since 1970.
    pub at: u64,
}

/// What decides which fields are asked, and of how many people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many accepted fields are asked as well.
    pub audit: u32,
    /// Fields that two people must read: patterns of their names.
    pub two_person: Vec<String>,
    /// Percentage of the fields for review that a second person reads in any case: what they find is the measure of those settled by one.
    pub second_look_percent: u32,
}

/// What is called when a line is on the disk, or could not be stored.
pub type Stored = Box<dyn FnOnce(Result<(), String>) + Send>;

/// A journal that lines are appended to, by a thread of its own.
#[derive(Debug)]
pub struct Journal {
    lines: Option<Sender<(Option<Event>, Stored)>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Opens the journal at `path`, and reads it. A last line that is not whole was never acknowledged, and is cut off.
    ///
    /// # Errors
    /// `Usage` where another review has it open, or it is of another run; `Format` where a line is not bound to those before it;
    /// `Io`.
    pub fn open(path: &Path, identity: Sha256, readings: Sha256) -> Result<(Self, Vec<Event>)> {
        let at = |error: std::io::Error| Error::from(error).in_file(path.to_string_lossy());
        let mut file = private_options().read(true).write(true).create(true).truncate(false).open(path).map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let error = Error::usage("another review of this table is running").in_file(path.to_string_lossy());
                return Err(error.with_hint("open its address, or stop it"));
            }
            Err(TryLockError::Error(error)) => return Err(at(error)),
        }
        let mut text = Vec::new();
        (&mut file).take(MAX_JOURNAL_BYTES).read_to_end(&mut text).map_err(at)?;
        let Recovered { events, mut hash, end } =
            recover(&text).map_err(|error| error.in_file(path.to_string_lossy()))?;
        file.set_len(end).map_err(at)?;
        file.seek(SeekFrom::Start(end)).map_err(at)?;
        let first = Event::Review { identity, readings };
        match events.first() {
            None => {
                hash = append(&mut file, &[&first], hash).map_err(at)?;
                sync_folder_of(path).map_err(at)?;
            }
            Some(event) if *event == first => {}
            Some(_) => {
                let error = Error::usage("this review is of another run").in_file(path.to_string_lossy());
                return Err(error.with_hint("keep it under another name, then start a new review"));
            }
        }
        let (lines, receiver) = mpsc::channel();
        let path = path.to_owned();
        let writer = thread::spawn(move || write_lines(file, hash, &receiver, &path));
        Ok((Self { lines: Some(lines), writer: Some(writer) }, events))
    }

    /// Appends a line; `stored` is called from another thread when it is on the disk, or could not be stored. Lines are in the order
    /// of the calls.
    pub fn append(&self, event: Event, stored: Stored) {
        self.send(Some(event), stored);
    }

    /// Calls `stored` when all lines before are on the disk, or could not be stored.
    pub fn sync(&self, stored: Stored) {
        self.send(None, stored);
    }

    fn send(&self, event: Option<Event>, stored: Stored) {
        let sent = match &self.lines {
            Some(lines) => lines.send((event, stored)).map_err(|unsent| unsent.0.1),
            None => Err(stored),
        };
        if let Err(stored) = sent {
            stored(Err("the journal is closed".to_owned()));
        }
    }
}

impl Drop for Journal {
    /// Ends when all lines are stored.
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // it does not panic
            let _ = writer.join();
        }
    }
}

/// Reads the journal at `path`, of a review of the run with this identity; nothing where there is none.
///
/// # Errors
/// As [`Journal::open`], which may have it open.
pub fn read_journal(path: &Path, identity: Sha256, readings: Sha256) -> Result<Vec<Event>> {
    let at = |error: Error| error.in_file(path.to_string_lossy());
    if !path.exists() {
        return Ok(Vec::new());
    }
    let events = recover(&read_bounded(path, MAX_JOURNAL_BYTES).map_err(at)?).map_err(at)?.events;
    match events.first() {
        Some(event) if *event != Event::Review { identity, readings } => {
            Err(at(Error::usage("this review is of another run")))
        }
        _ => Ok(events),
    }
}

struct Recovered {
    events: Vec<Event>,
    /// The hash of the last whole line.
    hash: Sha256,
    /// Where it ends.
    end: u64,
}

fn recover(text: &[u8]) -> Result<Recovered> {
    let mut recovered = Recovered { events: Vec::new(), hash: first_hash(), end: 0 };
    let mut lines = text.split_inclusive(|&byte| byte == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        number += 1;
        let bound = line.strip_suffix(b"\n").and_then(|line| checked(line, recovered.hash));
        let event = bound.and_then(|(json, hash)| Some((serde_json::from_slice(json).ok()?, hash)));
        match event {
            Some((event, hash)) => {
                recovered.events.push(event);
                (recovered.hash, recovered.end) = (hash, recovered.end + line.len() as u64);
            }
            // it was cut off
            None if lines.peek().is_none() => break,
            None => {
                let error = Error::format(Format::ReviewJournal, "changed since it was written").at_line(number);
                return Err(error.with_hint("restore it from a copy: an answer that was changed must not be booked"));
            }
        }
    }
    Ok(recovered)
}

/// Appends lines after the one with this hash, and syncs them. Returns the hash of the last one.
fn append(file: &mut File, events: &[&Event], mut hash: Sha256) -> std::io::Result<Sha256> {
    let mut text = Vec::new();
    if events.is_empty() {
        return Ok(hash);
    }
    for event in events {
        let json = serde_json::to_vec(event)?;
        hash = hash_of(hash, &json);
        text.extend_from_slice(format!("{hash} ").as_bytes());
        text.extend_from_slice(&json);
        text.push(b'\n');
    }
    file.write_all(&text)?;
    file.sync_data()?;
    Ok(hash)
}

/// Stores lines as they come, all that wait at once. After a failure nothing is stored any more: a line must not follow a gap.
fn write_lines(mut file: File, mut hash: Sha256, lines: &Receiver<(Option<Event>, Stored)>, path: &Path) {
    let mut failure: Option<String> = None;
    while let Ok(first) = lines.recv() {
        let waiting: Vec<(Option<Event>, Stored)> = std::iter::once(first).chain(lines.try_iter()).collect();
        if failure.is_none() {
            let events: Vec<&Event> = waiting.iter().filter_map(|(event, _)| event.as_ref()).collect();
            match append(&mut file, &events, hash) {
                Ok(last) => hash = last,
                Err(error) => failure = Some(Error::from(error).in_file(path.to_string_lossy()).to_string()),
            }
        }
        let result = failure.clone().map_or(Ok(()), Err);
        waiting.into_iter().for_each(|(_, stored)| stored(result.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use formread_raster::hash::sha256;

    fn answer(id: &str) -> Event {
        let [scan, field, who] = ["a.png", "total", "ann"].map(str::to_owned);
        let answer = Answer::Value("12".to_owned());
        Event::Answer(GivenAnswer { id: id.to_owned(), scan, page: 1, field, who, answer, at: 7 })
    }

    fn open(path: &Path) -> Result<(Journal, Vec<Event>)> {
        Journal::open(path, sha256(b"run"), sha256(b"readings"))
    }

    fn add(journal: &Journal, ids: &[&str]) {
        let (sender, receiver) = mpsc::channel();
        for id in ids {
            let sender = sender.clone();
            journal.append(answer(id), Box::new(move |stored| sender.send(stored).expect("it is awaited")));
        }
        ids.iter().for_each(|_| receiver.recv().expect("it comes").expect("the disk has room"));
    }

    #[test]
    fn lines_are_read_again_and_a_torn_one_is_cut_off() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("out.review.jsonl");
        let (journal, events) = open(&path).expect("the folder is writable");
        assert_eq!(events, []);
        add(&journal, &["1", "2"]);
        assert!(open(&path).expect_err("it is locked").to_string().contains("another review"));
        drop(journal);
        let whole = fs::read(&path).expect("it is there");
        fs::write(&path, &whole[..whole.len() - 9]).expect("it is writable");
        let (journal, events) = open(&path).expect("it is recovered");
        assert_eq!(events[1..], [answer("1")]);
        add(&journal, &["3"]);
        drop(journal);
        let events = read_journal(&path, sha256(b"run"), sha256(b"readings")).expect("it is whole");
        assert_eq!(events[1..], [answer("1"), answer("3")]);
        assert!(read_journal(&path, sha256(b"another"), sha256(b"readings")).is_err());
        assert!(Journal::open(&path, sha256(b"run"), sha256(b"other")).is_err());
    }

    #[test]
    fn line_that_was_changed_is_refused() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let path = dir.path().join("out.review.jsonl");
        let (journal, _) = open(&path).expect("the folder is writable");
        add(&journal, &["1", "2", "3"]);
        drop(journal);
        let text = fs::read_to_string(&path).expect("it is text");
        let lines: Vec<&str> = text.lines().collect();
        let changed = text.replacen("\"12\"", "\"13\"", 1);
        let left_out = [lines[0], lines[2], lines[3], ""].join("\n");
        for text in [changed, left_out] {
            fs::write(&path, text).expect("it is writable");
            let error = open(&path).expect_err("it was changed").to_string();
            assert!(error.contains("changed since it was written"), "{error}");
        }
    }
}
