//! The command line as a user and a script meet it.

use std::{fs, path::Path};

use crate::util::{STRIP, call, call_with_input, formread, names, talk, write_strips};

#[test]
fn batch_with_a_bad_file_finishes_with_status_1() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in/deep"), 0..3);
    fs::write(dir.path().join("in/bad.png"), b"no picture").expect("it is writable");
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP, "--overlay", "seen"]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert!(output.stdout.is_empty(), "stdout is for data");
    let talk = talk(&output);
    assert!(talk.contains("bad.png: page 1: unreadable: ") && talk.contains("1 unreadable"), "{talk}");

    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "scan,page,form,verdict,attention,digits");
    assert_eq!(lines[1], "bad.png,1,,rejected,unreadable,");
    assert!(lines[2].starts_with("deep/00.png,1,strip,"), "{table}");
    assert_eq!(lines.len(), 5);
    let fields = fs::read_to_string(dir.path().join("out.fields.csv")).expect("it was written");
    assert_eq!(fields.lines().count(), 4);
    assert!(fields.starts_with("scan,page,form,field,state,value,guess,confidence,reason,x0,y0,x1,y1\n"));
    assert_eq!(
        names(dir.path()),
        ["in", "out.csv", "out.fields.csv", "out.readings.jsonl", "out.run.json", "seen"],
        "nothing else is left behind"
    );
    assert_eq!(names(&dir.path().join("seen")).len(), 3);
}

#[test]
fn quiet_batch_without_rejects_is_status_0_and_prints_nothing() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..2);
    let output = call_with_input(
        dir.path(),
        &["run", "-", "out.csv", "--pipeline", STRIP, "--quiet", "--jobs", "1"],
        "in/01.png\nin/00.png\n",
    );
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(output.stderr.is_empty() && output.stdout.is_empty());
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    let scans: Vec<_> = table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(scans, ["in/01.png", "in/00.png"], "a list keeps its order");
}

#[test]
fn command_that_cannot_run_is_status_2_and_writes_nothing() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..1);
    fs::write(dir.path().join("bad.toml"), "name = \"x\"\nwidht = 3\n").expect("it is writable");
    let page = "name = \"cover\"\ntitle = \"t\"\nwhole_image = true\ndocument = { name = \"tax\", page = 1, of = 2 }\n\
                [[field]]\nname = \"a\"\nkind = \"integer\"\n";
    fs::write(dir.path().join("page.toml"), page).expect("it is writable");
    fs::write(dir.path().join("bad.safetensors"), "not weights").expect("it is writable");
    fs::write(dir.path().join("taken.csv"), "precious").expect("it is writable");
    let before = names(dir.path());
    struct Case {
        args: &'static [&'static str],
        says: &'static str,
    }
    let cases = [
        Case { args: &[], says: "Usage" },
        Case { args: &["run", "in"], says: "OUT.csv" },
        Case { args: &["run", "in", "out.csv", "--resume", "--overwrite"], says: "cannot be used with" },
        Case { args: &["run", "nowhere", "out.csv"], says: "nowhere" },
        Case { args: &["run", "in", "out.csv", "--pipeline", "bad.toml"], says: "bad.toml:2: " },
        Case { args: &["run", "in", "out.csv", "--pipeline", "none.toml"], says: "none.toml" },
        Case {
            args: &["run", "in", "out.csv", "--pipeline", "page.toml"],
            says: "and no template for page 2\nhint: give ",
        },
        Case { args: &["run", "in", "out.csv", "--model", "bad.safetensors"], says: "bad." },
        Case { args: &["run", "in", "no/such/out.csv"], says: "no/such/out.csv" },
        Case { args: &["run", "in", "taken.csv"], says: "hint: replace it with --overwrite" },
        Case { args: &["run", "in", "taken.csv", "--resume"], says: "hint: " },
        Case { args: &["eval", "values", "out.csv", "truth.csv"], says: "out.csv" },
        Case { args: &["bench", "nowhere"], says: "nowhere" },
        Case { args: &["explain", "in/00.png"], says: "--out" },
        Case { args: &["explain", "nowhere", "--out", "sheet.png"], says: "nowhere" },
        Case { args: &["explain", "in", "--out", "sheet.png"], says: "not a file" },
        Case { args: &["explain", "in/00.png", "--page", "2", "--out", "sheet.png"], says: "hint: the file has 1" },
        Case {
            args: &["explain", "in/00.png", "--field", "x", "--out", "sheet.png", "--pipeline", STRIP],
            says: "hint: its fields are digits",
        },
    ];
    for Case { args, says } in cases {
        let output = call(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", talk(&output));
        assert!(talk(&output).contains(says), "{args:?} does not say {says:?}: {}", talk(&output));
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(names(dir.path()), before, "{args:?}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("taken.csv")).expect("it is there"), "precious");
}

#[test]
fn overwritten_output_has_the_same_bytes() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..12);
    let mut tables = Vec::new();
    for jobs in ["1", "3"] {
        let args = ["run", "in", "out.csv", "--pipeline", STRIP, "--overwrite", "--jobs", jobs];
        let output = call(dir.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        let read = |name: &str| fs::read(dir.path().join(name)).expect("it was written");
        tables.push((read("out.csv"), read("out.fields.csv")));
    }
    assert_eq!(tables[0], tables[1]);
}

#[test]
fn eval_values_prints_the_keys_other_programs_read() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..2);
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    fs::write(dir.path().join("truth.csv"), "scan,page,digits\n00.png,1,1111\n01.png,1,?\n").expect("it is writable");

    let output = call(dir.path(), &["eval", "values", "out.csv", "truth.csv", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let score: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    for key in ["fields", "forced_correct", "accepted", "accepted_wrong", "blank_correct"] {
        assert!(score[key].is_u64(), "{key}: {score}");
    }
    assert_eq!(score["fields"], 1);
    let output = call(dir.path(), &["eval", "values", "out.csv", "truth.csv"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("all fields"));
}

/// Tables of a run over `n` strips that were read as 17, all of them right or, where `wrong`, the last one not.
fn write_tables(folder: &Path, n: usize, wrong: bool) {
    let mut pages = "scan,page,form,verdict,attention,digits\n".to_owned();
    let mut fields = "scan,page,form,field,state,value,guess,confidence,reason,x0,y0,x1,y1\n".to_owned();
    let mut truth = "scan,page,digits\n".to_owned();
    for i in 0..n {
        pages += &format!("{i:02}.png,1,strip,accepted,,17\n");
        fields += &format!("{i:02}.png,1,strip,digits,accepted,17,17,0.9999,,0,0,160,64\n");
        truth += &format!("{i:02}.png,1,{}\n", if wrong && i + 1 == n { "12" } else { "17" });
    }
    for (name, text) in [("t.csv", pages), ("t.fields.csv", fields), ("truth.csv", truth)] {
        fs::write(folder.join(name), text).expect("it is writable");
    }
}

#[test]
fn calibrate_writes_levels_for_run_or_nothing() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_tables(dir.path(), 12, false);
    let calibrate = |budget: &str| {
        let args = ["calibrate", "t.csv", "truth.csv", "--max-field-error", budget, "--out", "levels.toml", "--json"];
        call(dir.path(), &args)
    };
    let output = calibrate("0.01");
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("12 samples in all") && talk(&output).contains("299 samples"), "{}", talk(&output));
    assert_eq!(names(dir.path()), ["t.csv", "t.fields.csv", "truth.csv"], "no file where there is no level");
    assert_eq!(calibrate("2").status.code(), Some(2), "no share");

    let output = calibrate("0.25");
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    assert_eq!((&found["fields"][0]["stands_on"], &found["fields"][0]["accepted"]), (&"field".into(), &12.into()));

    write_strips(&dir.path().join("in"), 0..2);
    let states = |levels: &str| {
        fs::write(dir.path().join("used.toml"), levels).expect("it is writable");
        let args = ["run", "in", "out.csv", "--pipeline", STRIP, "--overwrite", "--acceptance", "used.toml"];
        let output = call(dir.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        let table = fs::read_to_string(dir.path().join("out.fields.csv")).expect("it was written");
        table.lines().skip(1).filter_map(|line| line.split(',').nth(4).map(str::to_owned)).collect::<Vec<_>>()
    };
    let levels = fs::read_to_string(dir.path().join("levels.toml")).expect("it was written");
    assert!(levels.contains("least_confidence = 0.5\n"), "{levels}");
    let lax = levels.replace("least_confidence = 0.5\n", "least_confidence = 0\n");
    assert_eq!(states(&lax), ["accepted"; 2]);
    let (head, _) = levels.split_once("\n[pooled]").expect("it has a pooled level");
    assert_eq!(states(head), ["review"; 2], "what is not listed is not accepted where there is no pooled level");

    fs::write(dir.path().join("bad.toml"), "budget = 0.1\ncertainty = 7\n").expect("it is writable");
    let output = call(dir.path(), &["run", "in", "no.csv", "--pipeline", STRIP, "--acceptance", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("bad.toml:2: ") && !dir.path().join("no.csv").exists(), "{}", talk(&output));
}

#[test]
fn eval_values_writes_a_report_with_the_fields_cut_from_the_scans() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_tables(dir.path(), 3, true);
    write_strips(&dir.path().join("in"), 0..3);
    let report = |more: &[&str]| {
        let args = [&["eval", "values", "t.csv", "truth.csv", "--html", "report.html"], more].concat();
        let output = call(dir.path(), &args);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        fs::read_to_string(dir.path().join("report.html")).expect("it was written")
    };
    assert_eq!(report(&["--scans", "in"]).matches("src=\"data:image/png;base64,").count(), 1);
    assert!(!report(&[]).contains("<img"), "without scans there are no pictures");
    assert!(report(&["--scans", "in", "--crops", "0"]).contains("1 more"));
    let output = call(dir.path(), &["eval", "values", "t.csv", "truth.csv", "--scans", "in"]);
    assert_eq!(output.status.code(), Some(2), "pictures need a report");
}

#[test]
fn bench_prints_the_keys_other_programs_read() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..4);
    let output = call(dir.path(), &["bench", "in", "--pipeline", STRIP, "--jobs", "2", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let speed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    assert_eq!((&speed["pages"], &speed["jobs"]), (&4.into(), &2.into()));
    for key in ["decode_pages_per_s", "read_pages_per_s", "ratio", "digits_per_s"] {
        assert!(speed[key].as_f64().is_some_and(|v| v.is_finite() && v >= 0.0), "{key}: {speed}");
    }
    assert!(speed.get("peak_rss_mb").is_some());
    let stages = speed["stages"].as_array().expect("every stage was timed");
    let shares: f64 = stages.iter().map(|stage| stage["share"].as_f64().expect("a share")).sum();
    assert!(stages.len() == 6 && (shares - 1.0).abs() < 1e-9, "{speed}");
}

/// Both precisions read the same values, and the record contains which one was used.
#[test]
fn record_contains_the_precision_of_the_nets() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scan = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scans/office/page-0001.jpg");
    let read = |precision: &str| {
        let output = call(dir.path(), &["run", scan, "out.csv", "--overwrite", "--precision", precision]);
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        let text = |name: &str| fs::read_to_string(dir.path().join(name)).expect("it was written");
        let record: serde_json::Value = serde_json::from_str(&text("out.run.json")).expect("it is JSON");
        assert_eq!(record["options"]["compute"]["precision"], precision);
        text("out.csv")
    };
    assert_eq!(read("single"), read("bfloat16"));
}

/// The explanation has the values of the run, and the hashes by which anybody can check what they came from.
#[test]
fn explain_agrees_with_run_and_traces_it() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scans = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scans/office");
    let scan = format!("{scans}/page-0001.jpg");
    let output = call(dir.path(), &["run", &scan, "out.csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let record = fs::read_to_string(dir.path().join("out.run.json")).expect("it was written");
    let record: serde_json::Value = serde_json::from_str(&record).expect("it is JSON");
    let fields = fs::read_to_string(dir.path().join("out.fields.csv")).expect("it was written");
    let rows: Vec<Vec<&str>> = fields.lines().skip(1).map(|line| line.split(',').collect()).collect();

    let output = call(dir.path(), &["explain", &scan, "--out", "sheet.png", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(output.stderr.is_empty());
    let explained: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    let fields = explained["fields"].as_array().expect("it has fields");
    assert_eq!(fields.len(), rows.len());
    for (field, row) in fields.iter().zip(&rows) {
        let confidence = field["confidence"].as_f64().expect("it is a number");
        let said = [&field["name"], &field["state"], &field["value"], &field["guess"]];
        assert_eq!(said.map(|word| word.as_str().expect("it is a word")), row[3..7], "{row:?}");
        assert_eq!(format!("{confidence:.4}"), row[7], "{row:?}");
        assert_eq!(field["bounds"][0].as_i64().map(|x| x.to_string()).as_deref(), Some(row[9]));
    }
    assert_eq!((&explained["weights"], &explained["version"]), (&record["weights"], &record["version"]));
    assert_eq!(explained["sha256"], record["scans"][0]["sha256"]);
    let templates = record["templates"].as_array().expect("they are listed");
    assert!(templates.contains(&explained["form"]), "{}", explained["form"]);
    assert!(image::open(dir.path().join("sheet.png")).expect("it is a picture").height() > 1000);

    let one = rows[0][3];
    let output = call(dir.path(), &["explain", &scan, "--out", "one.png", "--field", one]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with(&format!("scan      {scan}\n")), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("field ")).count(), 1, "{text}");

    fs::write(dir.path().join("bad.png"), "no picture").expect("it is writable");
    let output = call(dir.path(), &["explain", "bad.png", "--out", "bad-sheet.png"]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("rejected: unreadable: "));
    assert!(dir.path().join("bad-sheet.png").exists());
}

/// An explanation judges as the run did: with the same levels it has the same states and the same identity.
#[test]
fn explain_with_the_levels_of_the_run_judges_as_the_run() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let scan = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scans/office/page-0001.jpg");
    let plain = judge(dir.path(), scan, &[]);
    fs::write(dir.path().join("levels.toml"), LEVELS_WITHOUT_POOL).expect("it is writable");
    let strict = judge(dir.path(), scan, &["--acceptance", "levels.toml"]);
    assert_ne!(plain.0, strict.0, "no field has a level, so none is accepted");
    assert_ne!(plain.1, strict.1, "levels are part of the identity");
}

/// Levels for no field.
const LEVELS_WITHOUT_POOL: &str = "budget = 0.1\ncertainty = 0.95\n";

/// The state of each field, and the identity, on which run and explanation agree.
fn judge(folder: &Path, scan: &str, levels: &[&str]) -> (Vec<String>, String) {
    let output = call(folder, &[&["run", scan, "out.csv", "--overwrite"], levels].concat());
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("it was written");
    let record: serde_json::Value = serde_json::from_str(&text("out.run.json")).expect("it is JSON");
    let of_run: Vec<String> = text("out.fields.csv").lines().skip(1).map(|row| cell(row, 4)).collect();

    let output = call(folder, &[&["explain", scan, "--out", "sheet.png", "--json"], levels].concat());
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let explained: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let state = |field: &serde_json::Value| field["state"].as_str().expect("it is text").to_owned();
    let of_explain: Vec<String> = explained["fields"].as_array().expect("it has fields").iter().map(state).collect();
    assert_eq!(of_run, of_explain);
    assert_eq!(record["identity"], explained["identity"]);
    (of_run, record["identity"].as_str().expect("it is text").to_owned())
}

fn cell(row: &str, idx: usize) -> String {
    row.split(',').nth(idx).expect("the row has it").to_owned()
}

/// Every option with its help, as in `fixtures/golden/help`; `make golden` renews it.
#[test]
fn help_is_as_in_the_golden_files() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/help");
    let commands = [
        "",
        "run",
        "explain",
        "train",
        "eval values",
        "eval glyphs",
        "eval paired",
        "calibrate",
        "bench",
        "load",
        "dump",
        "review",
        "review status",
        "review apply",
        "review truth",
        "review samples",
        "synth",
        "template new",
        "template list",
        "template show",
        "template check",
        "template edit",
        "template schema",
    ];
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = formread(dir.path()).args(&args).env("COLUMNS", "100").output().expect("it can be started");
        let found = String::from_utf8(output.stdout).expect("help is text");
        let path = golden.join(format!("{}.txt", format!("formread {command}").trim().replace(' ', "-")));
        if std::env::var("GOLDEN").as_deref() == Ok("renew") {
            fs::create_dir_all(&golden).and_then(|()| fs::write(&path, &found)).expect("the checkout is writable");
        }
        let wanted = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, wanted, "{} differs: renew it with make golden", path.display());
    }
}

#[test]
fn help_goes_to_stdout_with_status_0() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["eval", "values", "--help"],
        &["bench", "--help"],
        &["explain", "--help"],
    ] {
        let output = call(dir.path(), args);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}
