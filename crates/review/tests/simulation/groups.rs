//! Groups of like digits in a drawn run: what they settle, and how often it is wrong, for people who overlook odd digits.

use std::{collections::HashSet, fs, time::Duration};

use formread_review::{
    DigitPicture, Event, FieldDigits, FinalPage, PageDigits, Review, Settings, ShownDigit, final_pages,
};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Deck, FIELDS, Slips, Sums, Truth, open, review_all, write_run};

/// The number as it is written, with as many digits as the truth.
fn written(number: &str, truth: &str) -> String {
    format!("{number:0>width$}", width = truth.len())
}

/// The fields that may be in groups, by scan and name.
pub fn fields_in_doubt(review: &Review) -> HashSet<(String, String)> {
    let of = |document| {
        let scan = review.run().scan(document).0.to_owned();
        let wanted = review.digits_wanted(document).expect("the files are whole").into_iter();
        let name = move |field: u32| (scan.clone(), FIELDS[field as usize].to_owned());
        wanted.filter(|wanted| !wanted.is_known).map(move |wanted| name(wanted.place.field))
    };
    (0..review.run().n_documents()).flat_map(of).collect()
}

/// Cuts the digits of all fields that may be in groups.
pub fn add_digits(review: &mut Review, truth: &Truth) {
    for document in 0..review.run().n_documents() {
        let (mut digits, scan) = (PageDigits::default(), review.run().scan(document).0.to_owned());
        for wanted in review.digits_wanted(document).expect("the files are whole") {
            let number =
                written(&wanted.value, &truth[&(scan.clone(), FIELDS[wanted.place.field as usize].to_owned())]);
            let picture = |byte: u8| DigitPicture { digit: byte - b'0', png: Vec::new().into() };
            let of =
                FieldDigits { place: wanted.place, value: wanted.value, digits: number.bytes().map(picture).collect() };
            if wanted.is_known { digits.known.push(of) } else { digits.in_doubt.push(of) }
        }
        review.add_digits(document, digits).expect("the files are whole");
    }
}

/// Looks through the group before a session, if there is one.
pub fn look_through(
    review: &mut Review,
    session: u64,
    id: &str,
    truth: &Truth,
    slips: Slips,
    chance: &mut impl Rng,
) -> Option<Event> {
    let now = Duration::from_secs(1);
    let (asked, overlooked) = (review.deal_group(session, now)?, slips.overlooked?);
    let shown = review.shown(session);
    assert_eq!(shown.len(), asked.crops);
    let mut struck = Vec::new();
    for (i, crop) in shown.iter().enumerate() {
        let truth = &truth[&(crop.scan.clone(), crop.field.clone())];
        let digit = written(truth, truth).as_bytes()[usize::from(crop.position)] - b'0';
        assert!(!crop.is_stranger || crop.value != *truth || digit != asked.digit, "a stranger is of another digit");
        let is_odd = digit != asked.digit;
        if if is_odd { !chance.random_bool(overlooked) } else { chance.random_bool(slips.share) } {
            struck.push(i);
        }
    }
    review.answer_group(session, asked.group, id, &struck, now).expect("the files are whole").expect("it was asked")
}

#[test]
#[ignore = "four decks for each of eight kinds of people"]
fn torture_groups_against_keys() {
    let deck = Deck { has_sum: false, n_pages: 12_000, share_of_doubtful: 0.2 };
    let of = |overlooked| {
        let sums = Sums::of(deck, Slips { overlooked, ..Slips::of(0.005, 0.5) }, 100..104);
        let Sums { by_groups, wrong_by_groups, groups, void, keys, may_be_grouped, wrong_that_may_be, .. } = sums;
        println!(
            "overlooked {overlooked:?}: {sums}; {by_groups} by {groups} groups, {wrong_by_groups} of them wrong, {void} void; \
             {keys} keys; of {may_be_grouped} that may be in groups {wrong_that_may_be} wrong"
        );
        sums
    };
    let keyed = of(None);
    let all = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3].map(|share| of(Some(share)));
    assert!(all.iter().all(|sums| sums.second_looks() <= 0.2));
    assert!(all[0].keys * 10 < keyed.keys * 9 && all[0].wrong_by_groups == 0, "people who overlook nothing save keys");
    assert!(
        all[4].wrong_by_groups * 1000 > 2 * all[4].by_groups,
        "who overlooks one in 20 settles more wrong than by keys"
    );
    assert!(all[6].by_groups * 10 < all[0].by_groups, "who overlooks much settles little");
}

/// A deck with many fields that may be in groups, and people who key without slips.
const DOUBTFUL: Deck = Deck { has_sum: false, n_pages: 400, share_of_doubtful: 0.4 };

fn final_table(review: &Review) -> Vec<FinalPage> {
    let mut pages = Vec::new();
    let take = |page| {
        pages.push(page);
        Ok(())
    };
    final_pages(review, take).expect("the files are whole");
    pages
}

#[test]
fn field_whose_digits_passed_is_settled_as_read_with_the_rule_group() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let mut chance = ChaCha8Rng::seed_from_u64(11);
    let truth = write_run(dir.path(), DOUBTFUL, &mut chance);
    let mut review = open(dir.path(), false, &[]);
    add_digits(&mut review, &truth);
    let slips = Slips { overlooked: Some(0.0), ..Slips::of(0.0, 0.0) };
    let events = review_all(&mut review, &truth, slips, &mut chance);
    let status = review.status().expect("the files are whole");
    let pages = final_table(&review);
    let mut n = 0;
    for page in &pages {
        for row in page.settled.iter().filter(|row| row.rule == "group") {
            assert_eq!(row.value, row.machine);
            assert_eq!(row.value, truth[&(page.rows.scan.clone(), row.field.clone())], "odd digits were struck");
            assert!(row.readers[0].ends_with(&format!("={}", row.value)) && row.readers[1].is_empty(), "{row:?}");
            n += 1;
        }
    }
    assert!(n > 50 && n == status.groups.settled, "{n}: {status}");
    assert!(status.groups.struck > 0 && status.groups.void == 0, "{status}");
    assert_eq!(status.settled, status.fields_for_review, "freed by no rule");
    // the journal as it is stored
    let stored: Vec<Event> = events
        .iter()
        .map(|event| {
            serde_json::from_str(&serde_json::to_string(event).expect("it is JSON")).expect("it was written so")
        })
        .collect();
    let again = open(dir.path(), false, &stored);
    assert_eq!((final_table(&again), again.status().expect("the files are whole")), (pages, status));
}

#[test]
fn groups_of_who_strikes_nothing_and_of_who_strikes_all_settle_nothing() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let truth = write_run(dir.path(), DOUBTFUL, &mut ChaCha8Rng::seed_from_u64(12));
    let now = Duration::from_secs(1);
    for strikes in [false, true] {
        let mut review = open(dir.path(), false, &[]);
        add_digits(&mut review, &truth);
        review.queue().open(1, "ann", now);
        let mut n = 0;
        while let Some(asked) = review.deal_group(1, now) {
            let struck: Vec<usize> = (0..asked.crops).filter(|_| strikes).collect();
            let event = review.answer_group(1, asked.group, &n.to_string(), &struck, now).expect("the files are whole");
            assert!(event.expect("it was asked").is_some());
            n += 1;
        }
        let status = review.status().expect("the files are whole");
        assert!(n > 3 && status.groups.read == n, "{status}");
        assert_eq!((status.groups.void, status.settled), (if strikes { 0 } else { n }, 0));
        assert_eq!(status.unread, status.fields_for_review, "all are keyed, blind");
        assert!(!review.deal_fields(1, 0, now).is_empty());
    }
}

#[test]
fn group_taken_back_leaves_nothing_and_its_digits_come_again() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let truth = write_run(dir.path(), DOUBTFUL, &mut ChaCha8Rng::seed_from_u64(13));
    let now = Duration::from_secs(1);
    let mut review = open(dir.path(), false, &[]);
    add_digits(&mut review, &truth);
    let before = review.status().expect("the files are whole");
    for (session, who) in [(1, "ann"), (2, "ben")] {
        review.queue().open(session, who, now);
    }
    let asked = review.deal_group(1, now).expect("there is one");
    let mut shown = review.shown(1);
    let of_ben = review.deal_group(2, now).map(|_| review.shown(2)).expect("there is another");
    let name = |shown: &ShownDigit| (shown.scan.clone(), shown.field.clone());
    let in_doubt = |shown: &[ShownDigit]| -> Vec<(String, String)> {
        shown.iter().filter(|shown| !shown.is_stranger).map(name).collect()
    };
    assert!(in_doubt(&of_ben).iter().all(|field| !in_doubt(&shown).contains(field)), "nobody gets what another has");
    let strangers: Vec<usize> = (0..shown.len()).filter(|i| shown[*i].is_stranger).collect();
    let give = |review: &mut Review, id: &str| {
        let given = review.answer_group(1, asked.group, id, &strangers, now).expect("the files are whole");
        given.map(|event| event.is_some())
    };
    assert_eq!(give(&mut review, "one"), Ok(true));
    assert_eq!(give(&mut review, "one"), Ok(false), "it was sent twice");
    assert!(give(&mut review, "two").is_err(), "it is before nobody any more");
    assert_eq!(review.status().expect("the files are whole").groups.digits as usize, in_doubt(&shown).len());
    let undone = review.undo(1, now).expect("the files are whole").expect("there is one");
    assert!(matches!(undone, Event::Undo { .. }));
    assert_eq!(review.status().expect("the files are whole"), before);
    review.deal_group(1, now).expect("it comes again");
    let mut again = review.shown(1);
    for shown in [&mut shown, &mut again] {
        shown.retain(|shown| !shown.is_stranger);
        shown.sort_by_key(name);
    }
    assert_eq!(again, shown);
}

#[test]
fn fields_with_other_faults_and_those_of_two_people_are_in_no_group() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_run(dir.path(), DOUBTFUL, &mut ChaCha8Rng::seed_from_u64(14));
    let n_wanted = |settings: Settings| {
        let review = open(dir.path(), false, &[Event::Settings(settings)]);
        let wanted =
            (0..DOUBTFUL.n_pages).flat_map(|document| review.digits_wanted(document).expect("the files are whole"));
        wanted.filter(|wanted| !wanted.is_known).count()
    };
    assert!(n_wanted(Settings::default()) > 50);
    assert_eq!(n_wanted(Settings { second_look_percent: 100, ..Settings::default() }), 0);
    assert_eq!(n_wanted(Settings { two_person: vec!["*".to_owned()], ..Settings::default() }), 0);
    let path = dir.path().join("out.readings.jsonl");
    let lines = fs::read_to_string(&path).expect("it was written");
    for reason in ["unexplained-ink", "struck-out", "not-a-number", "frame-not-found", "failed-check:a < b"] {
        fs::write(&path, lines.replace("\"low-confidence\"", &format!("\"{reason}\""))).expect("it is writable");
        assert_eq!(n_wanted(Settings::default()), 0, "{reason}");
    }
}
