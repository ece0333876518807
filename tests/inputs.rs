//! Folders and lists of scans, and outputs that are no files, as a user meets them.

use std::{fs, io::Write, path::Path, process::Stdio};

use image::{ExtendedColorType, ImageFormat};

use crate::util::{STRIP, call, formread, names, talk, write_strips};

fn scans_in(table: &Path) -> Vec<String> {
    let table = fs::read_to_string(table).expect("it was written");
    table.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_file_of_a_folder_is_a_row_or_is_named() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let folder = dir.path().join("in");
    write_strips(&folder, 0..2);
    let strip = image::open(folder.join("00.png")).expect("it is a picture");
    strip.save_with_format(folder.join("SCAN0001"), ImageFormat::Tiff).expect("it is writable");
    strip.to_rgb8().save_with_format(folder.join("page.gif"), ImageFormat::Gif).expect("it is writable");
    fs::write(folder.join("IMG_4.HEIC"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").expect("it is writable");
    fs::write(folder.join("notes.txt"), "call back on Monday").expect("it is writable");
    fs::write(folder.join(".hidden"), "").expect("it is writable");
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    let scans = scans_in(&dir.path().join("out.csv"));
    assert_eq!(scans, ["00.png", "01.png", "IMG_4.HEIC", "SCAN0001", "page.gif"]);
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    assert!(table.contains("IMG_4.HEIC,1,,rejected,unsupported-format,"), "{table}");
    let talk = talk(&output);
    assert!(talk.contains("notes.txt: not-an-image\n") && !talk.contains(".hidden"), "{talk}");
    assert!(talk.contains("no image         1 more files"), "{talk}");
}

#[test]
fn empty_folder_or_list_is_status_2() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::create_dir(dir.path().join("empty")).expect("it is writable");
    fs::create_dir(dir.path().join("texts")).expect("it is writable");
    fs::write(dir.path().join("texts/a.txt"), "no image").expect("it is writable");
    let before = names(dir.path());
    for (scans, message) in [
        ("empty", "no scans in the folder: empty: it is empty"),
        ("texts", "no scans in the folder: texts: none of its 1 files is an image"),
        ("-", "no scans in the list on standard input"),
    ] {
        let output = call(dir.path(), &["run", scans, "out.csv", "--pipeline", STRIP]);
        assert_eq!(output.status.code(), Some(2), "{scans}");
        assert!(talk(&output).contains(message), "{}", talk(&output));
        assert_eq!(names(dir.path()), before, "{scans}");
    }
}

#[test]
fn list_with_a_mark_or_in_utf_16_is_read() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..2);
    let text = "in/01.png\r\nin/00.png\r\n";
    let utf_16 = format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for list in [format!("\u{FEFF}{text}").into_bytes(), utf_16] {
        let mut command = formread(dir.path());
        command.args(["run", "-", "out.csv", "--pipeline", STRIP, "--overwrite"]);
        let mut child =
            command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program can be started");
        child.stdin.take().expect("it is piped").write_all(&list).expect("the program reads it");
        let output = child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
        assert_eq!(scans_in(&dir.path().join("out.csv")), ["in/01.png", "in/00.png"]);
    }
}

#[cfg(unix)]
#[test]
fn name_with_control_characters_is_escaped_on_the_terminal() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let name = "a\u{1b}[2J\u{7}\nformread: all is well\u{202e}.png";
    fs::create_dir(dir.path().join("in")).expect("it is writable");
    fs::write(dir.path().join("in").join(name), "no picture").expect("it is writable");
    fs::write(dir.path().join("in").join(name).with_extension("txt"), "no image").expect("it is writable");
    fs::write(dir.path().join("bad\u{1b}.toml"), "\"\\u001b[2J\" = 1\n").expect("it is writable");
    let run = ["run", "in", "out.csv", "--pipeline", STRIP, "--rejects", "rejects"];
    let template = ["template", "check", "bad\u{1b}.toml"];
    let missing = ["run", "in\u{1b}[2J\nformread: all is well", "other.csv"];
    for (args, status) in [(&run[..], 1), (&template, 1), (&missing, 2)] {
        let output = call(dir.path(), args);
        assert_eq!(output.status.code(), Some(status), "{}", talk(&output));
        for shown in [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes)) {
            let is_control = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!shown.contains(is_control), "{shown:?}");
            assert!(
                !shown.lines().any(|line| line == "formread: all is well" || line.starts_with("formread: all")),
                "{shown}"
            );
        }
    }
    let notes = walkdir::WalkDir::new(dir.path().join("rejects")).into_iter().flatten();
    let note = notes.map(|entry| entry.into_path()).find(|path| path.to_string_lossy().ends_with(".txt"));
    let note = fs::read_to_string(note.expect("the reasons are written")).expect("it is text");
    assert!(note.starts_with("scan a\\u{1b}[2J") && !note.contains('\u{1b}'), "{note}");
}

#[test]
fn output_that_is_an_input_is_refused_and_kept() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..2);
    fs::copy(STRIP, dir.path().join("strip.toml")).expect("it is writable");
    let scan = fs::read(dir.path().join("in/00.png")).expect("it is there");
    let template = fs::read(dir.path().join("strip.toml")).expect("it is there");
    let commands: [&[&str]; 6] = [
        &["run", "in", "in/00.png", "--pipeline", "strip.toml", "--overwrite"],
        &["run", "in/00.png", "in/../in/00.png", "--pipeline", "strip.toml", "--overwrite"],
        &["run", "in", "strip.toml", "--pipeline", "strip.toml", "--overwrite"],
        &["explain", "in/00.png", "--out", "in/00.png", "--pipeline", "strip.toml"],
        &["explain", "in/00.png", "--out", "strip.toml", "--pipeline", "strip.toml"],
        &["template", "new", "in/00.png", "--out", "in/00.png", "--name", "a", "--overwrite"],
    ];
    for args in commands {
        let output = call(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", talk(&output));
        assert!(talk(&output).contains("the output is an input: "), "{args:?}: {}", talk(&output));
        assert_eq!(fs::read(dir.path().join("in/00.png")).expect("it is there"), scan, "{args:?}");
        assert_eq!(fs::read(dir.path().join("strip.toml")).expect("it is there"), template, "{args:?}");
        assert_eq!(names(dir.path()), ["in", "strip.toml"], "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn output_that_is_no_file_is_refused_and_kept() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    write_strips(&dir.path().join("in"), 0..1);
    let out = dir.path().join("out.csv");
    let target = dir.path().join("target.csv");
    fs::write(&target, "precious").expect("it is writable");
    for name in ["out.csv", "out.fields.csv", "out.readings.jsonl", "out.run.json"] {
        let path = dir.path().join(name);
        std::os::unix::fs::symlink(&target, &path).expect("there are links");
        let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP, "--overwrite"]);
        assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
        assert!(talk(&output).contains(&format!("not a file but a link: {name}")), "{}", talk(&output));
        assert!(talk(&output).lines().count() <= 6, "{}", talk(&output));
        assert!(path.is_symlink(), "it is kept");
        fs::remove_file(&path).expect("it is there");
    }
    assert_eq!(fs::read_to_string(&target).expect("it is there"), "precious");
    fs::create_dir(&out).expect("it is writable");
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP, "--overwrite"]);
    assert_eq!(output.status.code(), Some(2), "{}", talk(&output));
    assert!(talk(&output).contains("not a file but a folder: out.csv"), "{}", talk(&output));
}

#[test]
fn jpeg_that_lost_bytes_is_unreadable_and_one_without_its_end_is_read() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let folder = dir.path().join("in");
    write_strips(&folder, 0..1);
    let strip = image::open(folder.join("00.png")).expect("it is a picture").to_luma8();
    fs::remove_file(folder.join("00.png")).expect("it is there");
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90);
    encoder.encode(&strip, strip.width(), strip.height(), ExtendedColorType::L8).expect("it can be coded");
    let at = jpeg.len() - 300;
    let files = [
        ("a-whole.jpg", jpeg.clone(), false),
        ("b-lost.jpg", [&jpeg[..at], &jpeg[at + 150..]].concat(), true),
        ("c-no-end.jpg", jpeg[..jpeg.len() - 2].to_vec(), false),
        ("d-cut.jpg", jpeg[..at].to_vec(), true),
        ("e-line-end.jpg", [b"\r\n", &jpeg[..]].concat(), false),
    ];
    for (name, bytes, _) in &files {
        fs::write(folder.join(name), bytes).expect("it is writable");
    }
    let output = call(dir.path(), &["run", "in", "out.csv", "--pipeline", STRIP]);
    assert_eq!(output.status.code(), Some(1), "{}", talk(&output));
    let table = fs::read_to_string(dir.path().join("out.csv")).expect("it was written");
    for (line, (name, _, is_damaged)) in table.lines().skip(1).zip(&files) {
        assert!(line.starts_with(name), "{line}");
        assert_eq!(line.contains("rejected,unreadable"), *is_damaged, "{line}");
    }
}

#[test]
fn readings_that_are_left_alone_do_not_refuse_a_run() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let dir = dir.path();
    write_strips(&dir.join("in"), 0..2);
    let args = ["run", "in", "out.csv", "--pipeline", STRIP];
    let written = || {
        ["out.csv", "out.fields.csv", "out.run.json", "out.readings.jsonl"]
            .map(|name| fs::read(dir.join(name)).expect("it was written"))
    };
    let run = |args: &[&str]| call(dir, args).status.code();
    assert_eq!(run(&args), Some(0));
    let want = written();
    for flag in [&[][..], &["--resume"]] {
        for name in ["out.csv", "out.fields.csv", "out.run.json"] {
            fs::remove_file(dir.join(name)).expect("it was written");
        }
        assert_eq!(run(&[&args, flag].concat()), Some(0), "{flag:?}");
        assert_eq!(written(), want);
        assert_eq!(run(&[&args, flag].concat()), Some(2), "with a table there is something to lose");
    }
}
