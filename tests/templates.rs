//! `formread template`: the schema that editors are given, and the commands as a user and a script meet them.

use std::{fs, path::Path};

use formread_core::form::template_schema;
#[cfg(feature = "torch")]
use formread_core::form::{FormTemplate, known_templates, parse_template};
#[cfg(feature = "torch")]
use formread_tools::synth::print_blank;
use serde_json::Value;

#[cfg(feature = "torch")]
use crate::util::{call, talk};

/// What is wrong with `value`, by the keywords of JSON Schema that the schema uses; an unknown one is wrong as well, so that
/// nothing passes because it was not looked at.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str, faults_out: &mut Vec<String>) {
    let mut fault = |what: String| faults_out.push(format!("{at}: {what}"));
    let Some(keywords) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            fault("nothing may stand here".to_owned());
        }
        return;
    };
    if let Some(kind) = keywords.get("type") {
        let is = match kind.as_str().expect("one type a place") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("{at}: an unknown type: {other}"),
        };
        if !is {
            fault(format!("{value} is no {kind}"));
            return;
        }
    }
    let number = value.as_f64();
    let length = value.as_array().map(Vec::len);
    for (keyword, said) in keywords {
        match keyword.as_str() {
            "type" | "$schema" | "title" | "description" | "default" | "format" | "definitions" | "properties" => {}
            "$ref" => {
                let path = said.as_str().and_then(|path| path.strip_prefix('#')).expect("it points into the schema");
                let there = root.pointer(path).unwrap_or_else(|| panic!("{path} is not there"));
                faults(root, there, value, at, faults_out);
                return;
            }
            "enum" => {
                if !said.as_array().expect("it lists").contains(value) {
                    fault(format!("{value} is none of {said}"));
                }
            }
            "pattern" => {
                // three patterns are used, each a run of some characters
                let allowed = |c: char| match said.as_str().expect("it is text") {
                    "^[a-z0-9][a-z0-9-]*$" => c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
                    "^[A-Za-z0-9_]+$" => c.is_ascii_alphanumeric() || c == '_',
                    "^[0-9.-]+$" => c.is_ascii_digit() || matches!(c, '.' | '-'),
                    other => panic!("{at}: an unknown pattern: {other}"),
                };
                let text = value.as_str().unwrap_or_default();
                if text.is_empty() || !text.chars().all(allowed) {
                    fault(format!("{value} is not like {said}"));
                }
            }
            "minimum" if number.is_some() && number < said.as_f64() => fault(format!("{value} is below {said}")),
            "maximum" if number.is_some() && number > said.as_f64() => fault(format!("{value} is above {said}")),
            "minItems" if length.is_some_and(|n| (n as u64) < said.as_u64().expect("it counts")) => {
                fault(format!("fewer than {said}"));
            }
            "maxItems" if length.is_some_and(|n| (n as u64) > said.as_u64().expect("it counts")) => {
                fault(format!("more than {said}"));
            }
            "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "required" => {
                for key in said.as_array().expect("it lists") {
                    if value.get(key.as_str().expect("it is a key")).is_none() {
                        fault(format!("{key} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                let known = &keywords["properties"];
                for key in value.as_object().expect("it is a table").keys() {
                    if known.get(key).is_none() && said == &Value::Bool(false) {
                        fault(format!("{key} is not known"));
                    }
                }
            }
            "items" => {
                let mut inner = Vec::new();
                for (i, item) in value.as_array().expect("it is a list").iter().enumerate() {
                    faults(root, said, item, &format!("{at}[{i}]"), &mut inner);
                }
                inner.into_iter().for_each(&mut fault);
            }
            "anyOf" => {
                let fits = |choice: &Value| {
                    let mut inner = Vec::new();
                    faults(root, choice, value, at, &mut inner);
                    inner.is_empty()
                };
                if !said.as_array().expect("it lists").iter().any(fits) {
                    fault(format!("{value} is none of what it may be"));
                }
            }
            other => panic!("{at}: an unknown keyword: {other}"),
        }
    }
    if let (Some(properties), Some(table)) = (keywords.get("properties"), value.as_object()) {
        for (key, inner) in table {
            if let Some(schema) = properties.get(key) {
                faults(root, schema, inner, &format!("{at}.{key}"), faults_out);
            }
        }
    }
}

fn faults_of(text: &str) -> Vec<String> {
    let value: Value = toml::from_str(text).expect("it is TOML");
    let (schema, mut found) = (template_schema(), Vec::new());
    faults(&schema, &schema, &value, "template", &mut found);
    found
}

#[test]
fn every_template_is_valid_under_the_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n = 0;
    for folder in ["pipelines", "fixtures/signs"] {
        for entry in fs::read_dir(root.join(folder)).expect("it is part of the repository") {
            let path = entry.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let found = faults_of(&fs::read_to_string(&path).expect("it is text"));
                assert!(found.is_empty(), "{}: {found:#?}", path.display());
                n += 1;
            }
        }
    }
    assert!(n >= 6, "{n} templates");
}

#[test]
fn what_is_no_template_is_not_valid() {
    let good = "name = \"t\"\ntitle = \"t\"\nunit = { dpi = 300 }\npage = [100, 100]\nversion = \"2\"\n\
                document = { name = \"tax\", page = 2, of = 3 }\n[[field]]\nname = \"f\"\nkind = \"integer\"\nbox = [5, 5, 40, 8]\ndigits = [1, 3]\nprinted = [\"top\"]\n";
    assert!(faults_of(good).is_empty(), "{:?}", faults_of(good));
    for (from, to, says) in [
        ("title = \"t\"", "titel = \"t\"", "titel is not known"),
        ("title = \"t\"", "", "\"title\" is missing"),
        ("name = \"t\"", "name = \"T t\"", "is not like"),
        ("\"integer\"", "\"intger\"", "is none of"),
        ("[5, 5, 40, 8]", "[5, 5, 40]", "fewer than 4"),
        ("[5, 5, 40, 8]", "\"there\"", "is no \"array\""),
        ("\"top\"", "\"up\"", "is none of"),
        ("[1, 3]", "\"three\"", "is none of what it may be"),
        ("dpi = 300", "dpi = 3", "is none of what it may be"),
        ("page = 2,", "page = 0,", "0 is below 1"),
        ("name = \"tax\", page", "name = \"Tax\", page", "is not like"),
        (", of = 3", "", "\"of\" is missing"),
    ] {
        assert!(good.contains(from), "{from}");
        let found = faults_of(&good.replacen(from, to, 1));
        assert!(found.iter().any(|fault| fault.contains(says)), "{to}: {found:?}");
    }
}

#[cfg(feature = "torch")]
const GOOD: &str = "name = \"order\"\ntitle = \"An order\"\nversion = \"7\"\npage = [210, 297]\nframes = [[15, 15, 180, 260]]\n\
                    lines = [[15, 40, 195, 40], [15, 47, 195, 47], [15, 60, 195, 60], [70, 40, 70, 90]]\n\n[[field]]\nname = \"a\"\nkind = \"integer\"\n\
                    digits = [1, 6]\nbox = [80, 140, 50, 10]\n";

#[cfg(feature = "torch")]
#[test]
fn a_template_is_listed_drawn_and_checked() {
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
        talk: &'static str,
    }
    let cases = [
        Case { args: &["list"], status: 0, stdout: "tax-return", talk: "" },
        Case { args: &["list", "good.toml"], status: 0, stdout: "An order\n", talk: "" },
        Case { args: &["list", "page.toml"], status: 0, stdout: "An order, page 2 of 2 of orders\n", talk: "" },
        Case { args: &["list", "bad.toml"], status: 2, stdout: "", talk: "bad.toml:12: " },
        Case { args: &["schema"], status: 0, stdout: "additionalProperties", talk: "" },
        Case { args: &["check", "good.toml"], status: 0, stdout: "0 faults, 0 risks", talk: "" },
        Case { args: &["check", "poor.toml"], status: 1, stdout: "poor.toml:14: fault: overlap: field b: ", talk: "" },
        Case { args: &["check", "page.toml"], status: 1, stdout: "page.toml:1: fault: document: ", talk: "" },
        Case { args: &["check", "bad.toml"], status: 1, stdout: "bad.toml:12: fault: malformed: field a: ", talk: "" },
        Case { args: &["check", "good.toml", "none"], status: 2, stdout: "", talk: "none" },
        Case { args: &["check", "none.toml"], status: 2, stdout: "", talk: "none.toml" },
        Case { args: &["check", "scans"], status: 2, stdout: "", talk: "no template is given" },
        Case { args: &["check", "good.toml", "--simulate", "3"], status: 2, stdout: "", talk: "--glyphs" },
        Case { args: &["check", "good.toml", "--dpi", "7"], status: 2, stdout: "", talk: "hint: from 50 to 1200" },
        Case {
            args: &["show", "good.toml", "--out", "a.png"],
            status: 0,
            stdout: "",
            talk: "order 7: An order; 1 fields",
        },
        Case {
            args: &["show", "page.toml", "--out", "a.png"],
            status: 0,
            stdout: "",
            talk: "order 7: An order, page 2 of 2 of orders; 1 fields",
        },
        Case { args: &["show", "good.toml", "a.png", "--out", "b.png"], status: 0, stdout: "", talk: "residual 0." },
        Case {
            args: &["show", "good.toml", "a.png", "--page", "2", "--out", "c.png"],
            status: 2,
            stdout: "",
            talk: "hint: the file has 1",
        },
    ];
    for Case { args, status, stdout, talk: says } in cases {
        let output = call(dir.path(), &[&["template"], args].concat());
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {told}{}", talk(&output));
        assert!(told.contains(stdout), "{args:?} does not say {stdout:?}: {told}");
        assert!(talk(&output).contains(says), "{args:?} does not say {says:?}: {}", talk(&output));
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
    let survey = json(&["check", "poor.toml", "a.png"]);
    assert_eq!(survey["findings"][0]["kind"], "overlap");
    assert_eq!(
        (&survey["findings"][0]["line"], &survey["pages"][0]["scan"]),
        (&Value::from(14), &Value::from("a.png"))
    );
}

/// The digits of the fixtures write a few pages; what is expected of them is said field by field.
#[cfg(feature = "torch")]
#[test]
fn what_to_expect_of_a_form_is_foretold() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    fs::write(dir.path().join("good.toml"), GOOD).expect("it is writable");
    for (i, (ink, digit)) in crate::util::digits_of_fixtures().into_iter().enumerate() {
        let folder = dir.path().join(format!("digits/{digit}"));
        fs::create_dir_all(&folder).expect("it is writable");
        let mut ink = ink;
        image::imageops::invert(&mut ink);
        ink.save(folder.join(format!("{i}.png"))).expect("it is writable");
    }
    let args = ["template", "check", "good.toml", "--simulate", "4", "--glyphs", "digits", "--dpi", "200", "--json"];
    let output = call(dir.path(), &args);
    let survey: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", talk(&output)));
    let forecast = &survey["forecasts"][0];
    assert_eq!((&forecast["form"], &forecast["pages"]), (&Value::from("order"), &Value::from(4)));
    assert_eq!(
        (&forecast["fields"][0]["name"], &forecast["fields"][0]["fields"]),
        (&Value::from("a"), &Value::from(4))
    );
    assert_eq!(forecast["rejected"], serde_json::json!({}), "{survey}");
}

/// The walk from a blank form: drafted, held to the blank, and never written over.
#[cfg(feature = "torch")]
#[test]
fn a_blank_form_becomes_a_template_that_lies_on_it() {
    let dir = tempfile::tempdir().expect("the temporary folder is writable");
    let form = known_templates().expect("they parse").into_iter().find(|form| form.name == "tax-return");
    let form = form.expect("it is known");
    let blank = print_blank(&form, 200.0, 1).expect("it is in range");
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
    assert_eq!(fs::read(dir.path().join("blank.png")).expect("it is there"), scan, "a scan is not written over");

    let white = image::GrayImage::from_pixel(800, 1100, image::Luma([255]));
    white.save(dir.path().join("white.png")).expect("it is writable");
    for args in [
        ["white.png", "--out", "white.toml", "--page", "1"],
        ["blank.png", "--out", "none.toml", "--page", "2"],
        ["blank.png", "--out", "My Form.toml", "--page", "1"],
        ["gone.png", "--out", "none.toml", "--page", "1"],
    ] {
        let output = new(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", talk(&output));
        assert!(!dir.path().join(args[2]).exists(), "{args:?}");
    }
}
