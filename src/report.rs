//! Messages to a person on stderr: progress, rejected pages, the summary at the end.

use std::{
    io::{IsTerminal, Write, stderr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use formread::{
    pipeline::{Event, Summary},
    sink::Counts,
};
use formread_raster::{
    error::{Error, PageReject},
    printable, printable_lines,
};
use formread_tools::draft::{Draft, Drafts, PageDraft};
#[cfg(feature = "torch")]
use formread_tools::evaluate::glyphs::{GlyphReport, WriterErrors};
#[cfg(feature = "torch")]
use formread_train::{ConfidenceFit, TrainEvent, TrainReport};
use indicatif::{ProgressBar, ProgressStyle};

/// Time between two progress lines if stderr is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress of a run.
pub struct Progress {
    n_files: u64,
    n_files_done: u64,
    n_pages: u64,
    /// Files of the folder that are no images.
    n_not_images: usize,
    start: Instant,
    last_line: Instant,
    display: Display,
    /// Set when the run is to stop; `None` once that was reported.
    stop: Option<Arc<AtomicBool>>,
}

enum Display {
    Nothing,
    Bar(ProgressBar),
    Lines,
}

impl Progress {
    /// For a run over `n_files` files that ends when `stop` is set. Shows nothing if `quiet`.
    pub fn new(n_files: usize, quiet: bool, stop: Arc<AtomicBool>) -> Self {
        let n_files = n_files as u64;
        let display = match (quiet, stderr().is_terminal()) {
            (true, _) => Display::Nothing,
            (false, false) => Display::Lines,
            (false, true) => {
                let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {msg}, {eta} left")
                    .expect("the template is well formed");
                Display::Bar(ProgressBar::new(n_files).with_style(style))
            }
        };
        let start = Instant::now();
        Self {
            n_files,
            n_files_done: 0,
            n_pages: 0,
            n_not_images: 0,
            start,
            last_line: start,
            display,
            stop: Some(stop),
        }
    }

    /// Updates the display.
    pub fn note(&mut self, event: &Event<'_>) {
        match event {
            Event::Rejected { scan, page, reason, detail } => {
                let line = if detail.is_empty() {
                    format!("{scan}: page {page}: {reason}")
                } else {
                    format!("{scan}: page {page}: {reason}: {detail}")
                };
                self.line(&line);
            }
            Event::Deferred { scan } => {
                self.line(&format!("{scan}: skipped until the next run: it may still be written to"))
            }
            Event::JournalFault { line, why } => {
                self.line(&format!("journal: line {line}: {why}: it and what follows is read anew"));
            }
            Event::PicturesLeftOut { n, max_bytes } => {
                self.line(&format!("{n} pages have no picture: the others have {} MiB", max_bytes >> 20));
            }
            Event::Copy { scan, of } => self.line(&format!("{scan}: same content as {of}, read once")),
            Event::Document { scan, document } => self.line(&format!("{scan}: {}: {document}", document.document)),
            Event::Stored { to, counts } => stored_lines(to, counts).iter().for_each(|line| self.line(line)),
            Event::PageDone => self.n_pages += 1,
            Event::FileDone => self.n_files_done += 1,
        }
        if self.stop.take_if(|stop| stop.load(Ordering::Relaxed)).is_some() {
            self.line("stopping after the pages in hand; a second signal ends the program at once");
        }
        let pages_per_s = self.n_pages as f64 / self.start.elapsed().as_secs_f64().max(1e-3);
        match &self.display {
            Display::Nothing => {}
            Display::Bar(bar) => {
                bar.set_position(self.n_files_done);
                bar.set_message(format!("{} pages, {pages_per_s:.1} pages/s", self.n_pages));
            }
            Display::Lines if self.last_line.elapsed() >= LINE_EVERY && self.n_files_done > 0 => {
                self.last_line = Instant::now();
                let left = self.start.elapsed().mul_f64(self.n_files as f64 / self.n_files_done as f64 - 1.0);
                let Self { n_files, n_files_done, n_pages, .. } = self;
                say(&format!(
                    "{n_files_done} of {n_files} files, {n_pages} pages, {pages_per_s:.1} pages/s, {} left",
                    duration(left)
                ));
            }
            Display::Lines => {}
        }
    }

    /// Names the files of the folder that are not read.
    pub fn note_not_images(&mut self, names: &[String]) {
        self.n_not_images = names.len();
        names.iter().for_each(|name| self.line(&format!("{name}: not-an-image")));
    }

    fn line(&self, line: &str) {
        match &self.display {
            Display::Nothing => {}
            Display::Bar(bar) => bar.println(&*printable(line)),
            Display::Lines => say(&printable(line)),
        }
    }

    /// Removes the bar and writes the summary.
    pub fn finish(self, summary: &Summary) {
        match self.display {
            Display::Nothing => return,
            Display::Bar(bar) => bar.finish_and_clear(),
            Display::Lines => {}
        }
        if self.n_not_images > 0 {
            say(&format!("no image  {:>8} more files of the folder, which are not read", self.n_not_images));
        }
        say(summary_text(summary, self.start.elapsed()).trim_end());
    }
}

/// A progress bar for `n_pages` drawn pages, if stderr is a terminal.
pub fn deck_progress(n_pages: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} pages, {eta} left").expect("the template is well formed");
    let bar = if stderr().is_terminal() { ProgressBar::new(n_pages) } else { ProgressBar::hidden() };
    bar.with_style(style)
}

/// Shows the progress of training.
#[cfg(feature = "torch")]
pub struct TrainProgress {
    start: Instant,
    bar: ProgressBar,
}

#[cfg(feature = "torch")]
impl TrainProgress {
    /// One progress bar per epoch, if stderr is a terminal.
    pub fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {msg}, {eta} left")
            .expect("the template is well formed");
        let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        Self { start: Instant::now(), bar: bar.with_style(style) }
    }

    /// Updates the display.
    pub fn note(&mut self, event: &TrainEvent) {
        match event {
            TrainEvent::Set { name, train, held_out } => {
                self.line(&format!("{name}: {train} to train on, {held_out} held out"));
            }
            TrainEvent::Resumed { net, epochs_done } => {
                self.line(&format!("{net}: resuming after epoch {epochs_done}"));
            }
            TrainEvent::Step { net, epoch, step, n_steps, loss } => {
                if *step == 1 {
                    self.bar.reset();
                }
                self.bar.set_length(*n_steps as u64);
                self.bar.set_position(*step as u64);
                self.bar.set_message(format!("{net}: epoch {epoch}, loss {loss:.4}"));
            }
            TrainEvent::Epoch { net, epoch, epochs, loss, held_out } => {
                let mut line = format!("{net}: epoch {epoch} of {epochs}, loss {loss:.5}");
                for (set, correct, count) in held_out {
                    line += &format!(", {set} {:.2} %", 100.0 * *correct as f64 / (*count).max(1) as f64);
                }
                self.line(&format!("{line}, {}", duration(self.start.elapsed())));
            }
        }
    }

    /// Reports the accuracy on held-out writers.
    pub fn finish(self, report: &TrainReport) {
        self.bar.finish_and_clear();
        for GlyphReport { set, count, correct, accuracy, writers, .. } in &report.held_out {
            let by_writer = WriterErrors::of(writers).map(|errors| format!("; {errors}")).unwrap_or_default();
            say(&format!("held out of {set}: {correct} of {count}, {:.2} %{by_writer}", 100.0 * accuracy));
        }
        if let Some(errors) = WriterErrors::of(report.held_out.iter().flat_map(|set| &set.writers)) {
            say(&format!("held out, {errors}"));
        }
        let ConfidenceFit { is_fitted, n_fields, n_wrong, .. } = report.confidence;
        let outcome = if is_fitted { "fitted to" } else { "not fitted, too few wrong readings:" };
        say(&format!("confidence model: {outcome} {n_fields} drawn fields of held-out digits, {n_wrong} read wrong"));
        say(&format!("weights {}, {}", report.weights.sha256(), duration(self.start.elapsed())));
    }

    fn line(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }
}

/// Reports what was drafted from a page, and where it is.
pub fn drafted(PageDraft { page, n_pages, draft, .. }: &PageDraft, out: &Path, preview: &Path) {
    if let Some(document) = &draft.document {
        say(&format!("page {page} is {document}"));
    }
    let n_marks = draft.fields.iter().filter(|field| field.shape.is_mark()).count();
    let n_cells: usize = draft.fields.iter().map(|field| field.layout.cells().len()).sum();
    let Draft { fields, writing_lines, left_out, flaws, n_pages: n_used, .. } = draft;
    say(&format!(
        "{} fields of {} cells or boxes, {n_marks} boxes to tick, from {n_used} of {n_pages} pages: {}",
        fields.len() - n_marks,
        n_cells - n_marks,
        out.display()
    ));
    if !writing_lines.is_empty() {
        say(&format!("{} writing lines are in it as comments", writing_lines.len()));
    }
    if !left_out.is_empty() {
        say(&format!("{} more are in it as comments, each with the reason why it is no field", left_out.len()));
    }
    if draft.has_ocr_names {
        say("their names and kinds follow the words that Tesseract read beside them");
    }
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    for flaw in flaws {
        say(&format!("{}: {}", if flaw.is_fatal() { "fault" } else { "risk" }, flaw.describe(&names)));
    }
    match (draft.holds(), flaws.is_empty()) {
        (true, true) => {
            say("it lies on its own blank, also turned, lighter, darker, at 150 dpi and as a photo, and is blank there")
        }
        (true, false) => say("it lies on its own blank; see above what does not hold on worse copies"),
        (false, _) => say("it may not be used as it is: it does not hold on its own blank"),
    }
    say(&format!("their numbers and names are shown in {}", preview.display()));
}

/// Reports which pages were left out, and what to do next with the `templates`. `lacks_ocr`: nothing was found that reads words.
pub fn all_drafted(drafts: &Drafts, templates: &[PathBuf], lacks_ocr: bool) {
    for (page, reason) in &drafts.left_out {
        say(&format!("page {page} is not drafted: {reason}"));
    }
    if lacks_ocr && drafts.pages.iter().flat_map(|drafted| &drafted.draft.fields).any(|field| field.caption.is_some()) {
        say(
            "hint: with Tesseract and English for it installed, the printed words name the fields: apt-get install tesseract-ocr",
        );
    }
    let files: Vec<String> = templates.iter().map(|file| file.display().to_string()).collect();
    let (listed, given) = (files.join(" and "), files.join(" "));
    say(&format!("next: review names and kinds in {listed}, then run: formread template check {given} SCANS"));
}

/// The causes of an error. Only the line of a hint begins a line.
pub fn error_text(error: &anyhow::Error) -> String {
    let text = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<Error>() {
        Some(error) => error.to_string(),
        None => printable(&cause.to_string()).into_owned(),
    };
    error.chain().map(text).collect::<Vec<_>>().join(": ")
}

/// What became of the pages of a run in another place for the tables.
pub fn stored_lines(to: &str, counts: &Counts) -> Vec<String> {
    let Counts { n_new, n_replaced, n_unchanged, n_removed, kept, n_kept } = counts;
    let mut lines: Vec<String> =
        kept.iter().map(|page| format!("{to}: {page} stays: a person settled a value on it")).collect();
    let mut line = format!("{to}: {n_new} new pages, {n_replaced} replaced, {n_unchanged} unchanged");
    if *n_removed > 0 {
        line += &format!(", {n_removed} removed, which their files no longer have");
    }
    if *n_kept > 0 {
        line += &format!(", {n_kept} that stay as a person settled them");
    }
    lines.push(line);
    lines
}

/// Writes a line to stderr. An error is ignored: a full disk must not end the run because of its log.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{}", printable_lines(line));
}

/// The counts of a run that took `elapsed`.
fn summary_text(summary: &Summary, elapsed: Duration) -> String {
    let Summary { n_files, n_copies, n_deferred, n_pages, n_accepted, n_review, rejected, documents, .. } = summary;
    let Summary { n_digits, n_pages_read, .. } = summary;
    let n_rejected = summary.n_rejected();
    let mut text = format!("pages     {n_pages:>8} in {n_files} files\n");
    if *n_copies > 0 {
        text += &format!("copies    {n_copies:>8} of these files, with the rows of the first one\n");
    }
    if *n_deferred > 0 {
        text += &format!("skipped   {n_deferred:>8} more files, which may still be written to\n");
    }
    text += &format!("accepted  {n_accepted:>8}\nreview    {n_review:>8}\nrejected  {n_rejected:>8}\n");
    for (reason, n) in rejected {
        text += &format!("  {n:>16} {reason}\n");
    }
    if rejected.contains_key(PageReject::UnknownForm.as_str()) {
        text += "hint: for a form without a template, draft one: formread template new BLANK --out FORM.toml\n";
        text += "hint: if it has one, see where it does not fit: formread template show FORM.toml SCAN --out FIT.png\n";
    }
    text +=
        &format!("balance   {n_pages:>8} = {n_accepted} + {n_review} + {n_rejected}, each page once in the table\n");
    if !documents.is_empty() {
        text += &format!("documents {:>8}\n", documents.values().sum::<u64>());
    }
    for (verdict, n) in documents {
        text += &format!("  {n:>16} {verdict}\n");
    }
    text += &format!("digits    {n_digits:>8}\n");
    if n_pages_read < n_pages {
        text += &format!("{} pages from copies or the interrupted run\n", n_pages - n_pages_read);
    }
    let pages_per_s = *n_pages_read as f64 / elapsed.as_secs_f64().max(1e-3);
    text + &format!("{pages_per_s:.1} pages/s, {} in total\n", duration(elapsed))
}

/// `7 s`, `3 min 20 s` or `2 h 5 min`.
fn duration(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lists_every_count_and_reason() {
        let summary = Summary {
            n_files: 9,
            n_copies: 1,
            n_deferred: 4,
            n_pages: 12,
            n_accepted: 7,
            n_review: 2,
            rejected: [("unreadable".to_owned(), 1), ("unknown-form".to_owned(), 2)].into(),
            documents: [("complete".to_owned(), 3), ("incomplete".to_owned(), 1)].into(),
            n_digits: 300,
            n_pages_read: 10,
        };
        let text = summary_text(&summary, Duration::from_secs(5));
        for part in [
            "12 in 9 files",
            "rejected         3",
            "2 unknown-form\n",
            "\nhint: for a form without a template, draft one: ",
            "1 unreadable",
            "2 pages",
            "2.0 pages/s",
            "12 = 7 + 2 + 3,",
            "1 of these files",
            "4 more files",
            "documents        4\n",
            "3 complete\n",
            "1 incomplete\n",
        ] {
            assert!(text.contains(part), "{part:?} is missing:\n{text}");
        }
    }

    #[test]
    fn duration_is_short() {
        let texts = [7, 200, 7_500].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(texts, ["7 s", "3 min 20 s", "2 h 5 min"]);
    }
}
