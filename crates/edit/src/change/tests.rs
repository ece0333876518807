//! Each change of a text with comments: what it gives, byte for byte.

use super::*;

const HEAD: &str = "# The form of the office.\nname = \"t\" # its name\ntitle = \"t\"\npage = [200, 100]\n\
                    rules = [\n    \"total = a + b\", # the sum\n]\n";
const A: &str = "\n# What Ann wrote.\n[[field]]\nname = \"a\" # first\nkind = \"integer\"\ndigits = [1, 6]\n\
                 comb = { at = [10, 20], cell = [5, 8], groups = [2, 4], gap = 3 } # measured twice\n";
const B: &str = "\n# Part two\n\n# What Ben wrote.\n[[field]]\nkind = \"amount\" # money\nname = \"b\"\ndecimals = 2\n\
                 box = [ 60, 20, 40.5, 8 ]\n";
const TOTAL: &str = "\n[[field]]\nname = \"total\"\nkind = \"integer\"\ncells = [\n    [120, 20, 6, 8],\n    \
                     [128, 20, 6, 8], # smudged\n    [140, 20, 6, 8],\n]\n# The end.\n";

fn form() -> String {
    [HEAD, A, B, TOTAL].concat()
}

/// The text after a change.
#[track_caller]
fn changed(text: &str, change: serde_json::Value) -> Changed {
    let change: Change = serde_json::from_value(change).expect("it is a change");
    apply(text, &change).unwrap_or_else(|error| panic!("{change:?}: {error}"))
}

#[track_caller]
fn refused(text: &str, change: serde_json::Value) -> String {
    let change: Change = serde_json::from_value(change).expect("it is a change");
    apply(text, &change).expect_err("it is refused").to_string()
}

/// Asserts that a change of the form replaces these parts of its text, and nothing else.
#[track_caller]
fn assert_replaces(change: serde_json::Value, parts: &[(&str, &str)]) -> Changed {
    let changed = changed(&form(), change);
    let expected = parts.iter().fold(form(), |text, (before, after)| {
        assert!(text.contains(before), "{before}");
        text.replacen(before, after, 1)
    });
    assert_eq!(changed.text, expected);
    changed
}

use serde_json::json;

#[test]
fn place_moves_and_resizes_each_layout_and_leaves_other_numbers_as_written() {
    assert_replaces(
        json!({ "do": "place", "field": 0, "bounds": [10.1, 20, 33, 8] }),
        &[(
            "at = [10, 20], cell = [5, 8], groups = [2, 4], gap = 3",
            "at = [10.1, 20], cell = [5, 8], groups = [2, 4], gap = 3",
        )],
    );
    assert_replaces(
        json!({ "do": "place", "field": 0, "bounds": [10, 20, 66, 9] }),
        &[("cell = [5, 8], groups = [2, 4], gap = 3", "cell = [10, 9], groups = [2, 4], gap = 6")],
    );
    assert_replaces(
        json!({ "do": "place", "field": 1, "bounds": [60.004, 21, 40.5, 8] }),
        &[("box = [ 60, 20, 40.5, 8 ]", "box = [ 60, 21, 40.5, 8 ]")],
    );
    assert_replaces(
        json!({ "do": "place", "field": 2, "bounds": [121, 20, 26, 8] }),
        &[
            ("[120, 20, 6, 8]", "[121, 20, 6, 8]"),
            ("[128, 20, 6, 8], # smudged", "[129, 20, 6, 8], # smudged"),
            ("[140, 20, 6, 8]", "[141, 20, 6, 8]"),
        ],
    );
    let off = refused(&form(), json!({ "do": "place", "field": 1, "bounds": [190, 20, 40, 8] }));
    assert!(off.contains("off the page"), "{off}");
}

#[test]
fn add_writes_a_box_after_a_field_under_a_name_that_is_free() {
    let field = |name: &str| format!("\n[[field]]\nname = \"{name}\"\nkind = \"integer\"\nbox = [60, 40, 30.5, 8]\n");
    let add = json!({ "do": "add", "bounds": [60, 40.001, 30.5, 8], "after": 1 });
    let once = changed(&form(), add.clone());
    assert_eq!(once.text, [HEAD, A, B, &field("new_field"), TOTAL].concat());
    assert_eq!(once.field, Some(2));
    let twice = changed(&once.text, add);
    assert_eq!(twice.text, [HEAD, A, B, &field("new_field_2"), &field("new_field"), TOTAL].concat());
}

#[test]
fn delete_takes_the_fields_own_comment_and_leaves_the_heading_above_it() {
    let free = form().replace("total = a + b", "total = a");
    let gone = changed(&free, json!({ "do": "delete", "field": 1 }));
    assert_eq!(gone.text, [&HEAD.replace("a + b", "a"), A, "\n# Part two\n", TOTAL].concat());
    assert_eq!(gone.field, Some(1));
    let named = refused(&form(), json!({ "do": "delete", "field": 1 }));
    assert!(named.contains("b is in the rule \"total = a + b\""), "{named}");
    let last = [HEAD, A].concat().replace("\"total = a + b\", # the sum\n", "");
    assert!(refused(&last, json!({ "do": "delete", "field": 0 })).contains("it is the last field"));
}

#[test]
fn order_moves_a_field_with_its_comments() {
    let later = changed(&form(), json!({ "do": "order", "field": 0, "to": 1 }));
    assert_eq!(later.text, [HEAD, B, A, TOTAL].concat());
    assert_eq!(later.field, Some(1));
    let back = changed(&later.text, json!({ "do": "order", "field": 1, "to": 0 }));
    assert_eq!(back.text, form());
    let last = changed(&form(), json!({ "do": "order", "field": 0, "to": 99 }));
    let (total, end) = TOTAL.split_at(TOTAL.find("# The end").expect("it is there"));
    assert_eq!(last.text, [HEAD, B, total, A, end].concat());
}

#[test]
fn order_moves_a_field_whose_comb_is_a_table_of_its_own_and_passes_a_barcode() {
    let inner = "\n[[field]]\nname = \"a\"\nkind = \"code\"\n[field.comb] # of the box\nat = [10, 20]\ncell = [5, 8]\ngroups = [2]\n";
    let barcode = "\n[[barcode]]\nat = [100, 60, 20, 20]\nsays = \"x\"\nsymbology = \"qr\"\n";
    let head = "name = \"t\"\ntitle = \"t\"\npage = [200, 100]\n";
    let later = changed(&[head, inner, barcode, B].concat(), json!({ "do": "order", "field": 0, "to": 1 }));
    assert_eq!(later.text, [head, B, barcode, inner].concat());
    let moved = changed(&later.text, json!({ "do": "place", "field": 1, "bounds": [12, 20, 10, 8] }));
    assert_eq!(moved.text, later.text.replace("at = [10, 20]", "at = [12, 20]"));
}

#[test]
fn rename_changes_the_field_and_the_rules_and_no_other_form() {
    assert_replaces(
        json!({ "do": "rename", "field": 0, "name": "ann" }),
        &[("\"total = a + b\"", "\"total = ann + b\""), ("name = \"a\" # first", "name = \"ann\" # first")],
    );
    let others = form().replace("total = a + b", "total = a-b.a + 0.5 * a - a-1.a within 1");
    let renamed = changed(&others, json!({ "do": "rename", "field": 0, "name": "x" }));
    assert!(renamed.text.contains("\"total = a-b.a + 0.5 * x - a-1.a within 1\""), "{}", renamed.text);
    assert!(
        refused(&form(), json!({ "do": "rename", "field": 0, "name": "b" })).contains("another field has this name")
    );
    assert!(refused(&form(), json!({ "do": "rename", "field": 0, "name": "a b" })).contains("field name"));
}

#[test]
fn kind_takes_the_keys_that_do_not_belong_to_it_and_names_them() {
    let code = assert_replaces(
        json!({ "do": "kind", "field": 1, "kind": "code" }),
        &[("kind = \"amount\" # money", "kind = \"code\" # money"), ("decimals = 2\n", "")],
    );
    assert_eq!(code.dropped, ["decimals = 2"]);
    let date = assert_replaces(
        json!({ "do": "kind", "field": 0, "kind": "date" }),
        &[
            ("\"integer\"", "\"date\""),
            ("digits = [1, 6]\n", ""),
            ("# measured twice\n", "# measured twice\norder = \"dmy\"\n"),
        ],
    );
    assert_eq!(date.dropped, ["digits = [1, 6]"]);
    assert!(refused(&form(), json!({ "do": "kind", "field": 0, "kind": "mark" })).contains("a mark with cells"));
    assert!(refused(&form(), json!({ "do": "kind", "field": 2, "kind": "date" })).contains("digits of a date"));
}

#[test]
fn set_gives_and_takes_keys() {
    assert_replaces(
        json!({ "do": "set", "field": 0, "key": "digits", "value": [2, 6] }),
        &[("digits = [1, 6]", "digits = [2, 6]")],
    );
    assert_replaces(json!({ "do": "set", "field": 0, "key": "digits", "value": null }), &[("digits = [1, 6]\n", "")]);
    let end = "box = [ 60, 20, 40.5, 8 ]\n";
    for (key, value, line) in [
        ("required", json!(true), "required = true"),
        ("point", json!("written"), "point = \"written\""),
        ("range", json!([0, 12.5]), "range = [0, 12.5]"),
        ("allowed", json!(["1.00", "2.00"]), "allowed = [\"1.00\", \"2.00\"]"),
        ("printed", json!(["bottom"]), "printed = [\"bottom\"]"),
    ] {
        assert_replaces(
            json!({ "do": "set", "field": 1, "key": key, "value": value }),
            &[(end, &format!("{end}{line}\n"))],
        );
    }
    assert!(refused(&form(), json!({ "do": "set", "field": 0, "key": "digits", "value": 9 })).contains("digits"));
    assert!(refused(&form(), json!({ "do": "set", "field": 0, "key": "name", "value": "x" })).contains("unknown key"));
}

#[test]
fn split_makes_two_fields_of_one() {
    let comb = changed(&form(), json!({ "do": "split", "field": 0 }));
    let left = A.replace("digits = [1, 6]\n", "").replace("groups = [2, 4], gap = 3", "groups = [2]");
    let right =
        "\n[[field]]\nname = \"a_2\"\nkind = \"integer\"\ncomb = { at = [23, 20], cell = [5, 8], groups = [4] }\n";
    assert_eq!(comb.dropped, ["digits = [1, 6]", "digits = [1, 6]"]);
    let without_gap = comb.text.replace(", gap = 3", "");
    assert_eq!(without_gap, [HEAD, &left, right, B, TOTAL].concat());
    let within = changed(&form(), json!({ "do": "split", "field": 0, "at": 3 }));
    assert!(within.text.contains("groups = [2, 1]") && within.text.contains("at = [28, 20]"), "{}", within.text);
    assert!(within.text.contains("groups = [3]"), "{}", within.text);
    let boxed = changed(&form(), json!({ "do": "split", "field": 1, "at": 10 }));
    assert!(boxed.text.contains("box = [ 60, 20, 10, 8 ]"), "{}", boxed.text);
    assert!(boxed.text.contains("name = \"b_2\"\ndecimals = 2\nbox = [ 70, 20, 30.5, 8 ]"), "{}", boxed.text);
    let cells = changed(&form(), json!({ "do": "split", "field": 2, "at": 1 }));
    assert!(cells.text.contains("cells = [[120, 20, 6, 8]]"), "{}", cells.text);
    assert!(refused(&form(), json!({ "do": "split", "field": 2, "at": 3 })).contains("split after 3 of 3 cells"));
    assert!(refused(&form(), json!({ "do": "split", "field": 1, "at": 41 })).contains("split at 41"));
}

#[test]
fn merge_joins_what_split_has_parted() {
    for at in [2, 3] {
        let parted = changed(&form(), json!({ "do": "split", "field": 0, "at": at }));
        let joined = changed(&parted.text, json!({ "do": "merge", "field": 0, "with": 1 }));
        let comb = if at == 2 { "groups = [2, 4], gap = 3" } else { "cells = [[10, 20, 5, 8], [15, 20, 5, 8]" };
        assert!(joined.text.contains(comb), "{}", joined.text);
        assert!(!joined.text.contains("a_2") && joined.text.contains("name = \"a\" # first"), "{}", joined.text);
    }
    let parted = changed(&form(), json!({ "do": "split", "field": 1 }));
    let joined = changed(&parted.text, json!({ "do": "merge", "field": 1, "with": 2 }));
    assert_eq!(joined.text, form());
    assert!(refused(&form(), json!({ "do": "merge", "field": 0, "with": 1 })).contains("one is a box"));
    assert!(refused(&form(), json!({ "do": "merge", "field": 2, "with": 0 })).contains("a is in the rule"));
}

#[test]
fn cells_make_a_comb_of_a_box_and_a_box_of_a_comb() {
    assert_replaces(
        json!({ "do": "cells", "field": 1, "groups": [4, 1] }),
        &[("box = [ 60, 20, 40.5, 8 ]\n", "comb = { at = [60, 20], cell = [8.1, 8], groups = [4, 1] }\n")],
    );
    let boxed = changed(&form(), json!({ "do": "cells", "field": 0, "groups": [] }));
    assert!(boxed.text.contains("digits = [1, 6]\nbox = [10, 20, 33, 8]\n"), "{}", boxed.text);
    assert_replaces(json!({ "do": "cells", "field": 0, "groups": [2, 5] }), &[("groups = [2, 4]", "groups = [2, 5]")]);
}

#[test]
fn rules_are_added_changed_and_removed_among_their_comments() {
    assert_replaces(json!({ "do": "add-rule", "text": "a <= 9" }), &[("# the sum\n", "# the sum\n    \"a <= 9\",\n")]);
    assert_replaces(json!({ "do": "set-rule", "rule": 0, "text": "total = a" }), &[("total = a + b", "total = a")]);
    let bare = form().replace("b\", # the sum", "b\" # the sum");
    let added = changed(&bare, json!({ "do": "add-rule", "text": "a <= 9" }));
    assert_eq!(added.text, bare.replace("b\" # the sum", "b\", # the sum\n    \"a <= 9\""));
    let none = changed(&form(), json!({ "do": "delete-rule", "rule": 0 }));
    assert!(!none.text.contains("rules") && !none.text.contains("total = a"), "{}", none.text);
    let again = changed(&none.text, json!({ "do": "add-rule", "text": "total = a" }));
    assert!(again.text.contains("page = [200, 100]\nrules = [\"total = a\"]\n"), "{}", again.text);
    let two = changed(&again.text, json!({ "do": "add-rule", "text": "a <= b" }));
    assert!(two.text.contains("rules = [\"total = a\", \"a <= b\"]\n"), "{}", two.text);
    assert!(refused(&form(), json!({ "do": "add-rule", "text": "a = nobody" })).contains("nobody"));
    assert!(refused(&form(), json!({ "do": "set-rule", "rule": 1, "text": "a = b" })).contains("no such rule"));
}

#[test]
fn text_that_is_not_toml_or_has_other_tables_is_refused_with_its_line() {
    let broken = form().replace("digits = [1, 6]", "digits = [1, ");
    let change: Change = serde_json::from_value(json!({ "do": "delete", "field": 0 })).expect("it is a change");
    let error = apply(&broken, &change).expect_err("it is not TOML");
    assert!(error.location().line.is_some_and(|line| (14..=15).contains(&line)), "{error}");
    let inline = "name = \"t\"\ntitle = \"t\"\npage = [100, 100]\nfield = [{ name = \"a\", kind = \"code\", box = [1, 1, 9, 9] }]\n";
    assert!(refused(inline, json!({ "do": "place", "field": 0, "bounds": [2, 2, 9, 9] })).contains("[[field]]"));
    assert!(refused(&form(), json!({ "do": "delete", "field": 3 })).contains("no such field"));
}

#[test]
fn cells_without_end_are_refused() {
    assert!(refused(&form(), json!({ "do": "cells", "field": 0, "groups": [40, 40] })).contains("cells: 80"));
    let endless = json!({ "do": "cells", "field": 1, "groups": [usize::MAX, 2] });
    assert!(refused(&form(), endless).contains("cells: "));
    let text = form().replace("groups = [2, 4]", "groups = [999999999999]");
    assert!(refused(&text, json!({ "do": "split", "field": 0 })).contains("cells in groups"));
}

#[test]
fn change_that_changes_nothing_or_is_taken_back_gives_the_same_bytes_for_each_form_of_the_library() {
    for text in [
        include_str!("../../../../pipelines/c1-2019.toml"),
        include_str!("../../../../pipelines/mtc-antenatal.toml"),
        include_str!("../../../../pipelines/nist-hsf.toml"),
        include_str!("../../../../pipelines/tax-return.toml"),
        include_str!("../../../../fixtures/signs/cash-book.toml"),
        include_str!("../../../../fixtures/marks/ballot.toml"),
        include_str!("../../../../fixtures/walk/cash.toml"),
    ] {
        let fields = parse_template(text).expect("it is a template").fields;
        for (idx, field) in fields.iter().enumerate() {
            let mut document = Document::parse(text).expect("it is TOML");
            let bounds =
                layout::Layout::read(document.field(idx).expect("it is there")).expect("it has a place").bounds();
            let same = changed(text, json!({ "do": "place", "field": idx, "bounds": bounds }));
            assert_eq!(same.text, text, "{}", field.name);
            let there = changed(text, json!({ "do": "order", "field": idx, "to": 0 }));
            let back = changed(&there.text, json!({ "do": "order", "field": 0, "to": idx }));
            assert_eq!(back.text, text, "{}", field.name);
            let there = changed(text, json!({ "do": "rename", "field": idx, "name": "another_name" }));
            let back = changed(&there.text, json!({ "do": "rename", "field": idx, "name": field.name }));
            assert_eq!(back.text, text, "{}", field.name);
        }
    }
}
