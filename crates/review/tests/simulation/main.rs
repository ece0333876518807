//! Simulated people review drawn runs: what is settled wrong, how many fields they are asked, and how many twice; by keys alone, and with
//! groups of like digits.

use std::{collections::HashMap, fs, path::Path, time::Duration};

use formread_core::{
    assemble::{
        AcceptTable, Alternative, FieldState, FieldValue, PageReading, PageRecord, ReviewReason, RuleParams,
        UnconstrainedReading, reconcile,
    },
    form::{FormTemplate, parse_template},
    rows::PageRows,
};
use formread_raster::geometry::Rect;
use formread_review::{Answer, Event, Review, RunPaths, Settings, Status, final_pages};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod groups;

const FIELDS: [&str; 5] = ["a", "b", "c", "d", "sum"];

fn template(has_sum: bool) -> FormTemplate {
    let rules = if has_sum { "rules = [\"sum = a + b + c + d\"]\n" } else { "" };
    let field = |(i, name): (usize, &&str)| {
        format!("[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [10, {}, 50, 8]\n", 10 * i + 10)
    };
    let fields: String = FIELDS.iter().enumerate().map(field).collect();
    let text = format!("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n{rules}{fields}");
    parse_template(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// Another number that is easily taken for this one: one digit differs.
fn slip(number: &str, chance: &mut impl Rng) -> String {
    let at = chance.random_range(0..number.len());
    let digit = (number.as_bytes()[at] - b'0' + chance.random_range(1..10)) % 10;
    let mut digits = number.as_bytes().to_vec();
    digits[at] = b'0' + digit;
    let text: String = digits.into_iter().map(char::from).collect();
    text.parse::<u64>().map_or(text, |number| number.to_string())
}

/// A calibrated machine: of the readings at probability p, a share of p is right.
fn read(name: &str, truth: &str, share_of_doubtful: f64, chance: &mut impl Rng) -> FieldValue {
    let is_doubtful = chance.random_bool(share_of_doubtful);
    let best = if is_doubtful { chance.random_range(0.3..0.96) } else { 1.0 - chance.random_range(0.0001..0.02) };
    // three others, of which each has half of what is left, and some that are not listed
    let shares = [best, (1.0 - best) * 0.5, (1.0 - best) * 0.25, (1.0 - best) * 0.15];
    let mut draw: f64 = chance.random();
    let place_of_truth = shares.iter().position(|share| {
        draw -= share;
        draw < 0.0
    });
    let mut texts: Vec<String> = Vec::new();
    while texts.len() < shares.len() {
        let text = if Some(texts.len()) == place_of_truth { truth.to_owned() } else { slip(truth, chance) };
        if !texts.contains(&text) && (text != truth || Some(texts.len()) == place_of_truth) {
            texts.push(text);
        }
    }
    let state = match best >= 0.97 {
        true => FieldState::Accepted,
        false => FieldState::Review(ReviewReason::LowConfidence),
    };
    let alternatives =
        texts.iter().zip(shares).map(|(text, probability)| Alternative { text: text.clone(), probability });
    let guess = texts[0].clone();
    FieldValue {
        name: name.to_owned(),
        state: state.clone(),
        guess: guess.clone(),
        alternatives: alternatives.collect(),
        unconstrained: UnconstrainedReading { state, guess, confidence: best, is_settled: false },
        correction: None,
        confidence: best,
        bounds: Rect::from_xywh(10.0, 20.0, 60.0, 20.0),
        quarter_turns: 0,
        residual_px: None,
    }
}

type Truth = HashMap<(String, String), String>;

/// A drawn run.
#[derive(Clone, Copy)]
struct Deck {
    has_sum: bool,
    n_pages: u32,
    share_of_doubtful: f64,
}

/// Writes a run into a folder.
fn write_run(folder: &Path, deck: Deck, chance: &mut impl Rng) -> Truth {
    let Deck { has_sum, n_pages, share_of_doubtful } = deck;
    let template = template(has_sum);
    let mut truth = Truth::new();
    let (mut lines, mut scans) = (Vec::new(), Vec::new());
    for i in 0..n_pages {
        let scan = format!("{i:05}.png");
        let mut numbers: Vec<u64> = (0..4).map(|_| chance.random_range(0..1000)).collect();
        numbers.push(numbers.iter().sum());
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let fields =
            FIELDS.iter().zip(&numbers).map(|(name, number)| read(name, number, share_of_doubtful, chance)).collect();
        let reading = PageReading::Read { form: "t".to_owned(), fields, residual_px: 0.0, has_writing_outside: false };
        let mut record = [PageRecord { page: 1, reading }];
        reconcile(std::slice::from_ref(&template), &mut record, &AcceptTable::default(), &RuleParams::default());
        lines.push(serde_json::to_string(&PageRows::new(&scan, &record[0])).expect("it is plain data"));
        scans.push(serde_json::json!({ "scan": scan, "sha256": null, "pages": 1 }));
        for (name, number) in FIELDS.iter().zip(numbers) {
            truth.insert((scan.clone(), (*name).to_owned()), number);
        }
    }
    let level = serde_json::json!({ "min_confidence": 0.97, "min_confidence_corrected": 0.99 });
    let run = serde_json::json!({
        "identity": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "templates": [{ "name": "t", "fingerprint": template.fingerprint() }],
        "options": { "accept": { "otherwise": level, "by_field": {} } },
        "scans": scans,
    });
    fs::write(folder.join("out.run.json"), run.to_string()).expect("the folder is writable");
    fs::write(folder.join("out.readings.jsonl"), lines.join("\n") + "\n").expect("the folder is writable");
    truth
}

fn open(folder: &Path, has_sum: bool, events: &[Event]) -> Review {
    let (record, readings) = (folder.join("out.run.json"), folder.join("out.readings.jsonl"));
    let paths = RunPaths { record: &record, readings: &readings };
    Review::open(paths, vec![template(has_sum)], events).unwrap_or_else(|error| panic!("{error}"))
}

/// How people err.
#[derive(Clone, Copy)]
struct Slips {
    /// Share of the answers that are wrong.
    share: f64,
    /// Share of these that give the machine's most likely wrong reading.
    like_the_machine: f64,
    /// Share of the odd digits of a group that are overlooked. `None`: there are no groups.
    overlooked: Option<f64>,
}

impl Slips {
    fn of(share: f64, like_the_machine: f64) -> Self {
        Self { share, like_the_machine, overlooked: None }
    }
}

/// Reviews a run with three people until nobody is asked anything. Returns all events.
fn review_all(review: &mut Review, truth: &Truth, slips: Slips, chance: &mut impl Rng) -> Vec<Event> {
    let now = Duration::from_secs(1);
    let people = ["ann", "ben", "cem"];
    for (session, who) in (1..).zip(people) {
        review.queue().open(session, who, now);
    }
    let mut events = Vec::new();
    loop {
        let n_before = events.len();
        for session in 1..=people.len() as u64 {
            let id = events.len().to_string();
            if let Some(event) = groups::look_through(review, session, &id, truth, slips, chance) {
                events.push(event);
                continue;
            }
            let Some(&idx) = review.deal_fields(session, 0, now).first() else { continue };
            let (scan, field) = review.name_of(idx).unwrap_or_else(|| panic!("the item {idx} has a field"));
            let right = &truth[&(scan.clone(), field.clone())];
            let said = if !chance.random_bool(slips.share) {
                right.clone()
            } else if chance.random_bool(slips.like_the_machine) {
                review
                    .machine_readings(idx)
                    .into_iter()
                    .find(|text| text != right)
                    .unwrap_or_else(|| slip(right, chance))
            } else {
                slip(right, chance)
            };
            let event = review.answer(session, idx, &id, Answer::Value(said), now).expect("the files are whole");
            events.extend(event.expect("it was asked"));
        }
        if events.len() == n_before {
            return events;
        }
    }
}

struct Measured {
    status: Status,
    wrong_settled: u64,
    wrong_freed: u64,
    wrong_by_groups: u64,
    /// Fields that may be in groups, and those of them that were settled wrong, however that was.
    may_be_grouped: u64,
    wrong_that_may_be: u64,
    n_answers: u64,
    /// Of all answers and groups: a key for each digit or crop that was struck, and one to send.
    keys: u64,
}

fn keys_of(event: &Event) -> u64 {
    1 + match event {
        Event::Answer(given) => given.answer.text().len() as u64,
        Event::Group(given) => given.shown.iter().filter(|shown| shown.is_struck).count() as u64,
        _ => 0,
    }
}

fn measure(deck: Deck, slips: Slips, settings: Settings, seed: u64) -> Measured {
    let has_sum = deck.has_sum;
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let truth = write_run(dir.path(), deck, &mut chance);
    let mut events = vec![Event::Settings(settings)];
    let mut review = open(dir.path(), has_sum, &events);
    let may_be_grouped = groups::fields_in_doubt(&review);
    if slips.overlooked.is_some() {
        groups::add_digits(&mut review, &truth);
    }
    events.extend(review_all(&mut review, &truth, slips, &mut chance));
    let status = review.status().expect("the files are whole");
    // a review that is opened again knows the same
    let again = open(dir.path(), has_sum, &events);
    assert_eq!(again.status().expect("the files are whole"), status);
    let (mut wrong_settled, mut wrong_freed, mut wrong_by_groups, mut wrong_that_may_be) = (0, 0, 0, 0);
    let collect = |review: &Review| {
        let mut pages = Vec::new();
        final_pages(review, |page| {
            pages.push(page);
            Ok(())
        })
        .expect("the files are whole");
        pages
    };
    let pages = collect(&review);
    assert_eq!(collect(&again), pages);
    for page in pages {
        for row in &page.rows.fields {
            let is_wrong = row.state == "accepted" && row.value != truth[&(page.rows.scan.clone(), row.field.clone())];
            let is_read = row.confidence.is_empty();
            let is_freed = !is_read && page.settled.iter().any(|settled| settled.field == row.field);
            wrong_settled += u64::from(is_wrong && is_read);
            wrong_freed += u64::from(is_wrong && is_freed);
            let is_of_groups = page.settled.iter().any(|settled| settled.field == row.field && settled.rule == "group");
            wrong_by_groups += u64::from(is_wrong && is_of_groups);
            let may_be = may_be_grouped.contains(&(page.rows.scan.clone(), row.field.clone()));
            wrong_that_may_be += u64::from(is_wrong && may_be);
        }
    }
    assert_eq!((status.unread, status.contested), (0, 0), "nothing is left");
    let keys = events[1..].iter().map(keys_of).sum();
    let (n_answers, may_be_grouped) = (status.answers, may_be_grouped.len() as u64);
    Measured { n_answers, keys, status, wrong_settled, wrong_freed, wrong_by_groups, may_be_grouped, wrong_that_may_be }
}

/// Several decks of one kind.
#[derive(Default)]
struct Sums {
    for_review: u64,
    settled: u64,
    freed: u64,
    wrong_settled: u64,
    wrong_freed: u64,
    answers: u64,
    by_groups: u64,
    wrong_by_groups: u64,
    may_be_grouped: u64,
    wrong_that_may_be: u64,
    void: u64,
    groups: u64,
    keys: u64,
}

impl Sums {
    fn of(deck: Deck, slips: Slips, seeds: impl Iterator<Item = u64>) -> Self {
        let mut sums = Self::default();
        for seed in seeds {
            let of = measure(deck, slips, Settings::default(), seed);
            sums.for_review += of.status.fields_for_review;
            sums.settled += of.status.settled;
            sums.freed += of.status.freed_by_rules;
            sums.wrong_settled += of.wrong_settled;
            sums.wrong_freed += of.wrong_freed;
            sums.answers += of.n_answers;
            sums.by_groups += of.status.groups.settled;
            sums.wrong_by_groups += of.wrong_by_groups;
            sums.may_be_grouped += of.may_be_grouped;
            sums.wrong_that_may_be += of.wrong_that_may_be;
            sums.groups += of.status.groups.read;
            sums.void += of.status.groups.void;
            sums.keys += of.keys;
        }
        sums
    }

    /// Fields that were settled wrong, of a thousand reviewed.
    fn wrong(&self) -> f64 {
        1000.0 * (self.wrong_settled + self.wrong_freed) as f64 / (self.settled + self.freed) as f64
    }

    /// Answers beside the first one to each field, as a share of these.
    fn second_looks(&self) -> f64 {
        (self.answers + self.by_groups - self.settled) as f64 / self.settled as f64
    }

    /// Share of the fields for review that nobody was asked.
    fn saved(&self) -> f64 {
        self.freed as f64 / self.for_review as f64
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { for_review, settled, freed, wrong_settled, wrong_freed, .. } = self;
        let (wrong, second, saved) = (self.wrong(), 100.0 * self.second_looks(), 100.0 * self.saved());
        write!(
            f,
            "{for_review} for review, {settled} settled, {freed} freed ({saved:.1} %); wrong {wrong_settled} + {wrong_freed}: {wrong:.2} in \
             1,000; second looks {second:.1} %"
        )
    }
}

#[test]
fn people_who_err_alike_settle_few_fields_wrong_and_are_asked_few_twice() {
    let mut too_many = false;
    for has_sum in [false, true] {
        for (like_the_machine, max_wrong) in [(0.5, 2.0), (0.0, 0.3)] {
            let deck = Deck { has_sum, n_pages: 12_000, share_of_doubtful: 0.2 };
            let sums = Sums::of(deck, Slips::of(0.005, like_the_machine), 100..104);
            println!("sum {has_sum}, like the machine {like_the_machine}: {sums}");
            too_many |= sums.wrong() > max_wrong || sums.second_looks() > 0.2;
        }
    }
    assert!(!too_many, "see above");
}

#[test]
fn rules_solved_after_each_answer_save_fields() {
    let deck = Deck { has_sum: true, n_pages: 2000, share_of_doubtful: 0.4 };
    let sums = Sums::of(deck, Slips::of(0.0, 0.0), 3..6);
    println!("{sums}");
    assert!(sums.saved() >= 0.3 && sums.wrong() <= 0.3, "{sums}");
}

#[test]
fn bound_of_an_audit_covers_the_true_rate() {
    let none = Slips::of(0.0, 0.0);
    let n_draws = 40;
    let mut covered = 0;
    for seed in 0..n_draws {
        let settings = Settings { audit: 150, ..Settings::default() };
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let truth = write_run(dir.path(), Deck { has_sum: false, n_pages: 400, share_of_doubtful: 0.2 }, &mut chance);
        let mut review = open(dir.path(), false, &[Event::Settings(settings)]);
        review_all(&mut review, &truth, none, &mut chance);
        let (mut accepted, mut wrong) = (0, 0);
        for document in 0..review.run().n_documents() {
            for page in review.run().pages(document).expect("the files are whole") {
                for row in page.fields.iter().filter(|row| row.state == "accepted") {
                    accepted += 1;
                    wrong += u64::from(row.value != truth[&(page.scan.clone(), row.field.clone())]);
                }
            }
        }
        let audit = review.status().expect("the files are whole").audit;
        assert_eq!((audit.drawn, audit.read), (150, 150));
        covered += u64::from(wrong as f64 / accepted as f64 <= audit.error_at_most);
    }
    println!("the bound covers in {covered} of {n_draws} draws");
    assert!(covered as f64 >= 0.95 * n_draws as f64, "{covered}");
}

#[test]
fn same_people_in_any_order_and_an_undo_give_the_same_tables() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let truth = write_run(dir.path(), Deck { has_sum: true, n_pages: 60, share_of_doubtful: 0.3 }, &mut chance);
    let none = Slips::of(0.0, 0.0);
    let mut review = open(dir.path(), true, &[]);
    let mut events = review_all(&mut review, &truth, none, &mut chance);
    let before = review.status().expect("the files are whole");
    // each of them takes back an answer and gives it again
    for session in 1..=3 {
        let undone = review.undo(session, Duration::from_secs(2)).expect("the files are whole");
        let Ok(event) = undone else { continue };
        events.push(event);
        let idx = *review.queue().deal(session, 1, Duration::from_secs(2)).first().expect("it is asked again");
        let (scan, field) = review.name_of(idx).expect("it has a field");
        let answer = Answer::Value(truth[&(scan, field)].clone());
        let id = format!("again-{session}");
        let event = review.answer(session, idx, &id, answer, Duration::from_secs(3)).expect("the files are whole");
        events.extend(event.expect("it was asked"));
    }
    assert_eq!(review.status().expect("the files are whole"), before);
    assert_eq!(open(dir.path(), true, &events).status().expect("the files are whole"), before);
}
