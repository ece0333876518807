//! `formread template`: the JSON schema for editors, and the commands as users and scripts call them.

use std::{fs, path::Path};

use formread_core::form::template_schema;
#[cfg(feature = "torch")]
use formread_core::form::{Field, FormTemplate, known_templates, parse_template};
#[cfg(feature = "torch")]
use formread_tools::synth::print_blank;
use serde_json::Value;

#[cfg(feature = "torch")]
use crate::util::{call, talk};

/// Adds to `errors` what is wrong with `value` under `schema`. `at` is the path of the value.
///
/// Checks the keywords of JSON Schema that the schema of templates uses. Any other keyword panics, so that none is ignored.
fn validate(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let mut error = |text: String| errors.push(format!("{at}: {text}"));
    let Some(keywords) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            error("no value is allowed here".to_owned());
        }
        return;
    };
    if let Some(kind) = keywords.get("type") {
        let has_type = match kind.as_str().expect("a schema has one type") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("{at}: an unknown type: {other}"),
        };
        if !has_type {
            error(format!("{value} is not of type {kind}"));
            return;
        }
    }
    let number = value.as_f64();
    let length = value.as_array().map(Vec::len);
    for (keyword, argument) in keywords {
        match keyword.as_str() {
            "type" | "$schema" | "title" | "description" | "default" | "format" | "definitions" | "properties" => {}
            "$ref" => {
                let path =
                    argument.as_str().and_then(|path| path.strip_prefix('#')).expect("it points into the schema");
                let target = root.pointer(path).unwrap_or_else(|| panic!("{path} does not exist"));
                validate(root, target, value, at, errors);
                return;
            }
            "enum" => {
                if !argument.as_array().expect("it is a list").contains(value) {
                    error(format!("{value} is none of {argument}"));
                }
            }
            "pattern" => {
                // The schema has three patterns, each a class of characters, repeated.
                let is_allowed = |c: char| match argument.as_str().expect("it is text") {
                    "^[A-Za-z0-9][A-Za-z0-9_-]*$" => c.is_ascii_alphanumeric() || matches!(c, '-' | '_'),
                    "^[A-Za-z0-9_]+$" => c.is_ascii_alphanumeric() || c == '_',
                    "^[0-9.-]+$" => c.is_ascii_digit() || matches!(c, '.' | '-'),
                    other => panic!("{at}: an unknown pattern: {other}"),
                };
                let text = value.as_str().unwrap_or_default();
                if text.is_empty() || !text.chars().all(is_allowed) {
                    error(format!("{value} does not match {argument}"));
                }
            }
            "minimum" if number.is_some() && number < argument.as_f64() => {
                error(format!("{value} is below {argument}"))
            }
            "maximum" if number.is_some() && number > argument.as_f64() => {
                error(format!("{value} is above {argument}"))
            }
            "minItems" if length.is_some_and(|n| (n as u64) < argument.as_u64().expect("it is a count")) => {
                error(format!("fewer than {argument}"));
            }
            "maxItems" if length.is_some_and(|n| (n as u64) > argument.as_u64().expect("it is a count")) => {
                error(format!("more than {argument}"));
            }
            "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "required" => {
                for key in argument.as_array().expect("it is a list") {
                    if value.get(key.as_str().expect("it is a key")).is_none() {
                        error(format!("{key} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                let known = &keywords["properties"];
                for key in value.as_object().expect("it is a table").keys() {
                    if known.get(key).is_none() && argument == &Value::Bool(false) {
                        error(format!("{key} is not known"));
                    }
                }
            }
            "items" => {
                let mut inner = Vec::new();
                for (i, item) in value.as_array().expect("it is a list").iter().enumerate() {
                    validate(root, argument, item, &format!("{at}[{i}]"), &mut inner);
                }
                inner.into_iter().for_each(&mut error);
            }
            "anyOf" => {
                let fits = |choice: &Value| {
                    let mut inner = Vec::new();
                    validate(root, choice, value, at, &mut inner);
                    inner.is_empty()
                };
                if !argument.as_array().expect("it is a list").iter().any(fits) {
                    error(format!("{value} matches no alternative"));
                }
            }
            other => panic!("{at}: an unknown keyword: {other}"),
        }
    }
    if let (Some(properties), Some(table)) = (keywords.get("properties"), value.as_object()) {
        for (key, inner) in table {
            if let Some(schema) = properties.get(key) {
                validate(root, schema, inner, &format!("{at}.{key}"), errors);
            }
        }
    }
}

/// What is wrong with the text of a template under the schema.
fn schema_errors(text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).expect("it is TOML");
    let (schema, mut errors) = (template_schema(), Vec::new());
    validate(&schema, &schema, &value, "template", &mut errors);
    errors
}

#[test]
fn template_in_the_repository_is_valid_under_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n = 0;
    for folder in ["pipelines", "fixtures/signs"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder exists") {
            let path = entry.expect("the folder can be listed").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let errors = schema_errors(&fs::read_to_string(&path).expect("it is text"));
                assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
                n += 1;
            }
        }
    }
    assert!(n >= 6, "{n} templates");
}

#[test]
fn malformed_template_is_invalid_under_the_schema() {
    let good = "name = \"t\"\ntitle = \"t\"\nunit = { dpi = 300 }\npage = [100, 100]\nversion = \"2\"\n\
                document = { name = \"tax\", page = 2, of = 3 }\n[[field]]\nname = \"f\"\nkind = \"integer\"\nbox = [5, 5, 40, 8]\ndigits = [1, 3]\nprinted = [\"top\"]\n";
    assert!(schema_errors(good).is_empty(), "{:?}", schema_errors(good));
    for (from, to, expected) in [
        ("title = \"t\"", "titel = \"t\"", "titel is not known"),
        ("title = \"t\"", "", "\"title\" is missing"),
        ("name = \"t\"", "name = \"T t\"", "does not match"),
        ("\"integer\"", "\"intger\"", "is none of"),
        ("[5, 5, 40, 8]", "[5, 5, 40]", "fewer than 4"),
        ("[5, 5, 40, 8]", "\"there\"", "is not of type \"array\""),
        ("\"top\"", "\"up\"", "is none of"),
        ("[1, 3]", "\"three\"", "matches no alternative"),
        ("dpi = 300", "dpi = 3", "matches no alternative"),
        ("page = 2,", "page = 0,", "0 is below 1"),
        ("name = \"tax\", page", "name = \"ta x\", page", "does not match"),
        (", of = 3", "", "\"of\" is missing"),
    ] {
        assert!(good.contains(from), "{from}");
        let errors = schema_errors(&good.replacen(from, to, 1));
        assert!(errors.iter().any(|error| error.contains(expected)), "{to}: {errors:?}");
    }
}

#[cfg(feature = "torch")]
const GOOD: &str = "name = \"order\"\ntitle = \"An order\"\nversion = \"7\"\npage = [210, 297]\nframes = [[15, 15, 180, 260]]\n\
                    lines = [[15, 40, 195, 40], [15, 47, 195, 47], [15, 60, 195, 60], [70, 40, 70, 90]]\n\n[[field]]\nname = \"a\"\nkind = \"integer\"\n\
                    digits = [1, 6]\nbox = [80, 140, 50, 10]\n";

#[cfg(feature = "torch")]
#[test]
fn template_commands_list_check_and_show_templates() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("it is writable");
    write("good.toml", GOOD);
    write("bad.toml", &GOOD.replace("[80, 140", "[800, 140"));
    write("page.toml", &format!("document = {{ name = \"orders\", page = 2, of = 2 }}\n{GOOD}"));
    write(
        "poor.toml",
        &format!("{GOOD}\n[[field]]\nname = \"b\"\nkind = \"integer\"\ndigits = [1, 6]\nbox = [80, 145, 50, 10]\n"),
    );
    struct Case {
        args: &'static [&'static str],
        status: i32,
        stdout: &'static str,
        stderr: &'static str,
    }
    let cases = [
        Case { args: &["list"], status: 0, stdout: "tax-return", stderr: "" },
        Case { args: &["list", "good.toml"], status: 0, stdout: "An order\n", stderr: "" },
        Case { args: &["list", "page.toml"], status: 0, stdout: "An order, page 2 of 2 of orders\n", stderr: "" },
        Case { args: &["list", "bad.toml"], status: 2, stdout: "", stderr: "bad.toml:12: " },
        Case { args: &["schema"], status: 0, stdout: "additionalProperties", stderr: "" },
        Case { args: &["check", "good.toml"], status: 0, stdout: "0 faults, 0 risks", stderr: "" },
        Case {
            args: &["check", "poor.toml"],
            status: 1,
            stdout: "poor.toml:14: fault: overlap: field b: ",
            stderr: "",
        },
        Case { args: &["check", "page.toml"], status: 1, stdout: "page.toml:1: fault: document: ", stderr: "" },
        Case {
            args: &["check", "bad.toml"],
            status: 1,
            stdout: "bad.toml:12: fault: malformed: field a: ",
            stderr: "",
        },
        Case { args: &["check", "good.toml", "none"], status: 2, stdout: "", stderr: "none" },
        Case { args: &["check", "none.toml"], status: 2, stdout: "", stderr: "none.toml" },
        Case { args: &["check", "scans"], status: 2, stdout: "", stderr: "no template is given" },
        Case { args: &["check", "good.toml", "--simulate", "3"], status: 2, stdout: "", stderr: "--glyphs" },
        Case { args: &["check", "good.toml", "--dpi", "7"], status: 2, stdout: "", stderr: "hint: from 50 to 1200" },
        Case {
            args: &["show", "good.toml", "--out", "a.png"],
            status: 0,
            stdout: "",
            stderr: "order 7: An order; 1 fields",
        },
        Case {
            args: &["show", "page.toml", "--out", "a.png"],
            status: 0,
            stdout: "",
            stderr: "order 7: An order, page 2 of 2 of orders; 1 fields",
        },
        Case { args: &["show", "good.toml", "a.png", "--out", "b.png"], status: 0, stdout: "", stderr: "residual 0." },
        Case {
            args: &["show", "good.toml", "a.png", "--page", "2", "--out", "c.png"],
            status: 2,
            stdout: "",
            stderr: "hint: the file has 1",
        },
    ];
    for Case { args, status, stdout, stderr } in cases {
        let output = call(dir.path(), &[&["template"], args].concat());
        let written = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {written}{}", talk(&output));
        assert!(written.contains(stdout), "{args:?} does not print {stdout:?}: {written}");
        assert!(talk(&output).contains(stderr), "{args:?} does not print {stderr:?}: {}", talk(&output));
    }
    assert!(dir.path().join("b.png").exists() && !dir.path().join("c.png").exists());

    let json = |args: &[&str]| -> Value {
        let output = call(dir.path(), &[&["template"], args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", talk(&output)))
    };
    let list = json(&["list"]);
    assert!(
        list["templates"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "c1-2019" && one["cells"] == 23))
    );
    let report = json(&["check", "poor.toml", "a.png"]);
    assert_eq!(report["findings"][0]["kind"], "overlap");
    assert_eq!(
        (&report["findings"][0]["line"], &report["pages"][0]["scan"]),
        (&Value::from(14), &Value::from("a.png"))
    );
}

/// Pages are simulated with the digits of the fixtures. The forecast has an entry for each field.
#[cfg(feature = "torch")]
#[test]
fn template_check_with_simulated_pages_returns_a_forecast() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::write(dir.path().join("good.toml"), GOOD).expect("it is writable");
    for (i, (mut ink, digit)) in crate::util::digits_of_fixtures().into_iter().enumerate() {
        let folder = dir.path().join(format!("digits/{digit}"));
        fs::create_dir_all(&folder).expect("it is writable");
        image::imageops::invert(&mut ink);
        ink.save(folder.join(format!("{i}.png"))).expect("it is writable");
    }
    let args = ["template", "check", "good.toml", "--simulate", "4", "--glyphs", "digits", "--dpi", "200", "--json"];
    let output = call(dir.path(), &args);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", talk(&output)));
    let forecast = &report["forecasts"][0];
    assert_eq!((&forecast["form"], &forecast["pages"]), (&Value::from("order"), &Value::from(4)));
    assert_eq!(
        (&forecast["fields"][0]["name"], &forecast["fields"][0]["fields"]),
        (&Value::from("a"), &Value::from(4))
    );
    assert_eq!(forecast["rejected"], serde_json::json!({}), "{report}");
}

/// The template of the guide that is written by hand has ten lines, has no findings, and reads pages that are drawn with it.
#[cfg(feature = "torch")]
#[test]
fn template_of_ten_lines_by_hand_is_checked_and_reads() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/templates.md"));
    let guide = guide.expect("the page exists");
    let text = guide.split("cat > meter.toml <<'TOML'\n").nth(1).and_then(|rest| rest.split("TOML\n").next());
    let text = text.expect("the page has the template");
    assert_eq!(text.lines().count(), 10, "{text}");
    fs::write(dir.path().join("meter.toml"), text).expect("it is writable");
    for (i, (mut ink, digit)) in crate::util::digits_of_fixtures().into_iter().enumerate() {
        let folder = dir.path().join(format!("digits/{digit}"));
        fs::create_dir_all(&folder).expect("it is writable");
        image::imageops::invert(&mut ink);
        ink.save(folder.join(format!("{i}.png"))).expect("it is writable");
    }
    let output = call(dir.path(), &["template", "check", "meter.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let args = ["template", "check", "meter.toml", "--simulate", "12", "--glyphs", "digits", "--dpi", "200", "--json"];
    let output = call(dir.path(), &args);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", talk(&output)));
    let (forecast, reading) = (&report["forecasts"][0], &report["forecasts"][0]["fields"][0]);
    assert_eq!(
        (&forecast["rejected"], &reading["name"]),
        (&serde_json::json!({}), &Value::from("reading")),
        "{report}"
    );
    let accepted = reading["accepted"].as_u64().unwrap_or(0);
    assert!(accepted >= 6 && reading["accepted_wrong"] == 0, "{report}");
}

/// A template is drafted from a blank form and fits it. Neither an existing template nor the scan is overwritten.
#[cfg(feature = "torch")]
#[test]
fn blank_form_is_drafted_as_a_template_that_fits_it() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let form = known_templates().expect("the templates parse").into_iter().find(|form| form.name == "tax-return");
    let form = form.expect("the template exists");
    let blank = print_blank(&form, 200.0, 1).expect("the resolution is in range");
    blank.save(dir.path().join("blank.png")).expect("it is writable");
    let new = |args: &[&str]| call(dir.path(), &[&["template", "new"], args].concat());

    let output = new(&["blank.png", "--out", "my-form.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    assert!(talk(&output).contains("template check my-form.toml"), "{}", talk(&output));
    let text = fs::read_to_string(dir.path().join("my-form.toml")).expect("it was written");
    let drafted = parse_template(&text).expect("it is a template");
    let cells = |form: &FormTemplate| {
        let mut cells: Vec<usize> = form.fields.iter().map(|field| field.layout.cells().len()).collect();
        cells.sort_unstable();
        cells
    };
    assert_eq!((drafted.name.as_str(), cells(&drafted)), ("my-form", cells(&form)));
    assert!(dir.path().join("my-form.toml.png").exists());
    let output = call(dir.path(), &["template", "show", "my-form.toml", "blank.png", "--out", "on.png"]);
    assert!(output.status.success() && talk(&output).contains("frames found 19 of 19"), "{}", talk(&output));

    fs::write(dir.path().join("my-form.toml"), "precious").expect("it is writable");
    let output = new(&["blank.png", "--out", "my-form.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(talk(&output).contains("my-form.toml\nhint: "), "{}", talk(&output));
    assert_eq!(fs::read_to_string(dir.path().join("my-form.toml")).expect("it is there"), "precious");
    assert!(new(&["blank.png", "--out", "my-form.toml", "--overwrite"]).status.success());

    let scan = fs::read(dir.path().join("blank.png")).expect("it was written");
    assert!(new(&["blank.png", "--out", "blank.toml", "--overwrite"]).status.success());
    assert_eq!(fs::read(dir.path().join("blank.png")).expect("it is there"), scan, "a scan is not overwritten");

    let white = image::GrayImage::from_pixel(800, 1100, image::Luma([255]));
    white.save(dir.path().join("white.png")).expect("it is writable");
    for args in [
        ["white.png", "--out", "white.toml", "--page", "1"],
        ["blank.png", "--out", "none.toml", "--page", "2"],
        ["blank.png", "--out", "---.toml", "--page", "1"],
        ["gone.png", "--out", "none.toml", "--page", "1"],
    ] {
        let output = new(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", talk(&output));
        assert!(!dir.path().join(args[2]).exists(), "{args:?}");
    }
}

/// All pages of a PDF become the pages of one document, with the fields of the templates that were made from it; a page that shows
/// the form of another one once more is left out.
#[cfg(feature = "torch")]
#[test]
fn pages_of_a_file_are_drafted_as_one_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let read =
        |path: &Path| parse_template(&fs::read_to_string(path).expect("it was written")).expect("it is a template");
    let pdf = root.join("fixtures/forms/us-1040-2019.pdf");
    let new = |args: &[&str]| call(dir.path(), &[&["template", "new"], args].concat());
    let output = new(&[&pdf.to_string_lossy(), "--out", "us-1040.toml"]);
    let messages = talk(&output);
    assert_eq!(output.status.code(), Some(0), "{messages}");
    assert!(messages.contains("page 2 is page 2 of 2 of us-1040"), "{messages}");
    assert!(messages.contains("template check us-1040-1.toml us-1040-2.toml"), "{messages}");
    assert!(!dir.path().join("us-1040.toml").exists());
    for page in 1..=2 {
        let name = format!("us-1040-{page}");
        let drafted = read(&dir.path().join(format!("{name}.toml")));
        let document = drafted.document.as_ref().expect("it is a page of a document");
        assert_eq!((document.name.as_str(), document.page, document.of), ("us-1040", page, 2));
        assert_eq!(drafted.name, name);
        assert!(dir.path().join(format!("{name}.toml.png")).exists());
        let kept = read(&root.join(format!("fixtures/forms/{name}.toml")));
        let is_near = |a: &Field, b: &Field| {
            (a.layout.bounds().centre() - b.layout.bounds().centre()).norm() < 1.0
                && a.layout.cells().len() == b.layout.cells().len()
        };
        // the three parts of a social security number were joined by a person
        let missing: Vec<&str> = kept
            .fields
            .iter()
            .filter(|field| !drafted.fields.iter().any(|other| is_near(field, other)))
            .map(|field| field.name.as_str())
            .filter(|name| !name.contains("ssn"))
            .collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
    let again = new(&[&pdf.to_string_lossy(), "--out", "us-1040.toml"]);
    assert_eq!(again.status.code(), Some(2), "a page of the document is there: {}", talk(&again));

    let copies = root.join("fixtures/scans/feeder/file-0001.tif");
    let output = new(&[&copies.to_string_lossy(), "--out", "copies.toml"]);
    let messages = talk(&output);
    assert!(messages.contains("page 2 is not drafted: it shows the same form as page 1"), "{messages}");
    assert!(dir.path().join("copies.toml").exists() && !dir.path().join("copies-1.toml").exists(), "{messages}");
}

#[cfg(feature = "torch")]
#[test]
fn edit_starts_only_with_a_template_that_has_places_and_only_on_this_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let [template, blank] = ["cash.toml", "blank.png"].map(|name| {
        let path = dir.path().join(name);
        fs::copy(root.join("fixtures/walk").join(name), &path).expect("the fixture is there");
        path.to_string_lossy().into_owned()
    });
    let strip = root.join("pipelines/strip.toml").to_string_lossy().into_owned();
    fs::write(dir.path().join("broken.toml"), "name = \"t\"\ntitle = 1\n").expect("the folder is writable");
    for (args, reason) in [
        (vec![template.as_str(), &blank, "--listen", "0.0.0.0:0"], "listens beyond this machine: 0.0.0.0:0"),
        (vec![&template, &blank, "--page", "2"], "no page 2"),
        (vec![&strip, &blank], "it has no places"),
        (vec!["broken.toml", &blank], "broken.toml:2: malformed template"),
        (vec!["absent.toml", &blank], "absent.toml"),
        (vec![&template, &template], "the output is an input"),
    ] {
        let output = call(dir.path(), &[&["template", "edit"], &args[..]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{args:?}");
        assert!(talk(&output).contains(reason), "{args:?}: {}", talk(&output));
    }
}
