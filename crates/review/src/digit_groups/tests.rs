use super::*;

fn picture(digit: u8) -> DigitPicture {
    DigitPicture { digit, png: vec![digit].into() }
}

fn shown(value: &str, position: u8, is_struck: bool) -> ShownDigit {
    let [scan, field] = ["a.png", "total"].map(str::to_owned);
    let (of, value) = (value.len() as u8, value.to_owned());
    ShownDigit { scan, page: 1, field, value, position, of, is_stranger: false, is_struck }
}

fn look(id: &str, who: &str, value: &str, position: u8, is_passed: bool) -> Look {
    Look { id: id.to_owned(), who: who.to_owned(), shown: shown(value, position, !is_passed), is_passed }
}

/// With `n` fields of the value 71, which are wanted, and two strangers of each digit.
fn groups(n: u32, rivals: &[(u8, u8)]) -> DigitGroups {
    let mut groups = DigitGroups::default();
    for idx in 0..n {
        let place = Place { page: idx, field: 0 };
        let digits = vec![picture(7), picture(1)];
        groups.add(idx, FieldDigits { place, value: "71".to_owned(), digits }, rivals.to_vec());
        groups.want(idx, true);
        groups.open(idx, &|_| false);
    }
    for digit in 0..10 {
        for value in ["first", "second"] {
            let shown = ShownDigit { is_stranger: true, ..shown(value, 0, false) };
            groups.add_stranger(Stranger { shown, picture: picture(digit) });
        }
    }
    groups
}

/// Another order for each group, and always the same.
fn lot(serial: u64, i: usize) -> u64 {
    (serial * 31 + i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn strangers_of(dealt: &Dealt) -> Vec<u8> {
    let known = dealt.crops.iter().filter_map(|crop| match crop {
        Crop::Stranger(stranger) => Some(stranger.picture.digit),
        Crop::InDoubt(..) => None,
    });
    known.collect()
}

#[test]
fn field_is_read_once_each_of_its_digits_has_passed() {
    let looks = [look("1", "ben", "71", 0, true), look("2", "ann", "71", 1, true)];
    assert_eq!(reading_of(&[]), None);
    assert_eq!(reading_of(&looks[..1]), None, "nobody has looked at the 1");
    let reading = reading_of(&looks).expect("all have passed");
    assert_eq!((reading.who.as_str(), reading.answer), ("ann+ben", Answer::Value("71".to_owned())));
    assert_eq!(reading.in_groups, ["ann", "ben"]);
    let struck = [looks[0].clone(), look("2", "ann", "71", 1, false)];
    assert_eq!(reading_of(&struck), None);
    let later = [looks[0].clone(), looks[1].clone(), look("3", "ann", "71", 1, false)];
    assert_eq!(reading_of(&later), None, "once struck, it is keyed");
    let of_other = [looks[0].clone(), look("2", "ann", "11", 1, true)];
    assert_eq!(reading_of(&of_other), None, "the digits are of two values");
}

#[test]
fn group_in_which_a_stranger_was_left_is_void() {
    let stranger = |is_struck| ShownDigit { is_stranger: true, ..shown("5", 0, is_struck) };
    let all = [stranger(true), shown("71", 0, false), stranger(true)];
    assert!(!is_void(&all));
    assert!(is_void(&[all[0].clone(), all[1].clone(), stranger(false)]));
    let mut counts = GroupCounts::default();
    for shown in [all.to_vec(), vec![stranger(false), shown("71", 0, true)]] {
        counts.add(&GivenGroup { id: String::new(), digit: 7, who: String::new(), shown, at: 0 });
    }
    let expected = GroupCounts { read: 2, void: 1, digits: 1, struck: 0, strangers: 3, missed: 1, settled: 0 };
    assert_eq!(counts, expected, "what was struck in a void group is not counted");
}

#[test]
fn group_has_digits_of_different_fields_and_strangers_of_other_digits() {
    let mut groups = groups(40, &[]);
    let dealt = groups.deal(1, &|_| true, &lot).expect("there are enough").clone();
    assert_eq!((dealt.digit, dealt.crops.len()), (1, GROUP_IN_DOUBT + GROUP_STRANGERS));
    assert_eq!(dealt.items().collect::<BTreeSet<_>>().len(), GROUP_IN_DOUBT);
    let strangers = strangers_of(&dealt);
    assert!(strangers.len() == GROUP_STRANGERS && !strangers.contains(&1), "{strangers:?}");
    let is_stranger = |crop: &Crop| matches!(crop, Crop::Stranger(_));
    assert!(dealt.crops.iter().rev().take(GROUP_STRANGERS).any(|crop| !is_stranger(crop)), "they are mixed in");
    for (i, crop) in dealt.crops.iter().enumerate() {
        let png = groups.picture(1, dealt.serial, i).expect("it is shown");
        assert!((png[..] == [1]) != is_stranger(crop), "{crop:?}");
    }
    assert!(groups.picture(2, dealt.serial, 0).is_none(), "it is before another session");
    assert!(groups.picture(1, dealt.serial + 1, 0).is_none());
    // what one has, another does not get
    let of_first: BTreeSet<ItemIdx> = dealt.items().collect();
    let second = groups.deal(2, &|idx| !of_first.contains(&idx), &lot).expect("17 are left").clone();
    assert!(second.items().all(|idx| !of_first.contains(&idx)));
    assert_eq!((second.items().count(), strangers_of(&second).len()), (17, 3));
}

#[test]
fn strangers_are_of_the_digit_that_the_machine_reads_as_well() {
    let mut groups = groups(20, &[(1, 4), (7, 9)]);
    let dealt = groups.deal(1, &|_| true, &lot).expect("there are enough").clone();
    let strangers = strangers_of(&dealt);
    assert_eq!(strangers.iter().filter(|digit| **digit == 4).count(), 2, "{strangers:?}: there are no more of them");
}

#[test]
fn digits_that_passed_are_not_shown_again_and_few_are_no_group() {
    let mut groups = groups(MIN_GROUP as u32, &[]);
    for idx in 0..MIN_GROUP as u32 {
        groups.open(idx, &|position| position == 1);
    }
    groups.set_growing(true);
    assert!(!groups.has_group(&|_| true), "more may come");
    groups.set_growing(false);
    let dealt = groups.deal(1, &|_| true, &lot).expect("the sevens are left");
    assert!(dealt.digit == 7 && dealt.items().count() == MIN_GROUP);
    groups.want(0, false);
    groups.open(0, &|position| position == 1);
    assert!(groups.deal(1, &|_| true, &lot).is_none() && !groups.has_group(&|_| true), "one is not wanted any more");
}

#[test]
fn without_strangers_there_is_no_group() {
    let mut groups = DigitGroups { strangers: Default::default(), ..groups(40, &[]) };
    assert!(!groups.has_group(&|_| true));
    assert!(groups.deal(1, &|_| true, &lot).is_none());
    assert!(groups.dealt(1).is_none());
}

#[test]
fn pictures_of_fields_that_are_done_make_room() {
    let mut groups = DigitGroups::default();
    let large = |groups: &mut DigitGroups, idx: ItemIdx| {
        let png: Arc<[u8]> = vec![0; MAX_DIGIT_BYTES / 2 + 1].into();
        let digits = vec![DigitPicture { digit: 7, png }];
        groups.add(
            idx,
            FieldDigits { place: Place { page: idx, field: 0 }, value: "7".to_owned(), digits },
            Vec::new(),
        );
        groups.want(idx, true);
        groups.open(idx, &|_| false);
    };
    large(&mut groups, 0);
    assert!(!groups.is_full());
    large(&mut groups, 1);
    assert!(groups.is_full(), "both are wanted");
    groups.want(0, false);
    groups.open(0, &|_| true);
    assert!(!groups.is_full(), "one can go");
    large(&mut groups, 2);
    assert_eq!((groups.value(0), groups.value(1), groups.is_full()), (None, Some("7"), true));
}
