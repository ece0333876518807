//! The tables of the documentation that are made from sources.
//!
//! - The table of template keys in docs/guide/templates.md is that of `formread template schema`.
//! - Tables of parameters between markers in docs/design are made from the `params.rs` of a stage; each of these files has
//!   its tables.
//!
//! `GOLDEN=renew` writes the keys and parameters anew.

use std::{collections::HashMap, fs};

use serde_json::Value;

use crate::docs::{PARAMETERS_BEGIN, PARAMETERS_END, files, formread, read, renew, root};

/// Around the table of keys in docs/guide/templates.md.
const KEYS_BEGIN: &str = "<!-- keys: written by tests/docs_tables.rs -->\n";
const KEYS_END: &str = "<!-- keys: end -->";

/// The keys of a table of the schema, a row each.
fn key_rows(schema: &Value, table: &Value) -> String {
    let required: Vec<&str> = table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = String::from("| key | value | meaning |\n|---|---|---|\n");
    for (name, property) in table["properties"].as_object().into_iter().flatten() {
        let meaning = property["description"].as_str().unwrap_or_default().replace("\\\"", "\"").replace('|', "\\|");
        let must = if required.contains(&name.as_str()) { " Required." } else { "" };
        rows += &format!("| `{name}` | {} | {meaning}{must} |\n", kind_of(schema, property));
    }
    rows
}

/// What a value must be, in words.
fn kind_of(schema: &Value, property: &Value) -> String {
    if let Some(definition) = definition_of(schema, property) {
        let is_table = definition["type"] == "object";
        return if is_table { "table, see below".to_owned() } else { kind_of(schema, definition) };
    }
    if let Some(words) = property["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`\"{word}\"`")).collect();
        return words.join(", ");
    }
    if let Some(kinds) = property["anyOf"].as_array() {
        return kinds.iter().map(|kind| kind_of(schema, kind)).collect::<Vec<_>>().join(" or ");
    }
    match property["type"].as_str() {
        Some("array") => {
            let items = &property["items"];
            let plural = match items["type"].as_str() {
                Some("number") => "numbers".to_owned(),
                Some("integer") => "integers".to_owned(),
                _ => kind_of(schema, items),
            };
            match (property["minItems"].as_u64(), property["maxItems"].as_u64()) {
                (Some(n), Some(same)) if n == same => format!("{n} {plural}"),
                _ if items["type"] == "array" => format!("list, each {plural}"),
                _ => format!("list of {plural}"),
            }
        }
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some(kind) => kind.to_owned(),
        None => "any".to_owned(),
    }
}

fn definition_of<'a>(schema: &'a Value, property: &Value) -> Option<&'a Value> {
    let name = property["$ref"].as_str().or_else(|| property["items"]["$ref"].as_str())?;
    schema.pointer(name.strip_prefix('#')?)
}

/// A struct of parameters in a source file.
struct ParamStruct {
    name: String,
    /// Its comment.
    title: String,
    /// Of each field the name and the comment.
    fields: Vec<(String, String)>,
}

/// The structs of a source file, with a field a line.
fn param_structs(source: &str) -> Vec<ParamStruct> {
    let (mut comment, mut structs) = (String::new(), Vec::<ParamStruct>::new());
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment += text;
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        let text = std::mem::take(&mut comment).trim().replace("[`", "`").replace("`]", "`").replace('|', "\\|");
        let item =
            line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(")?.split_once(") ").map(|(_, item)| item));
        let Some(item) = item else { continue };
        if let Some(name) = item.strip_prefix("struct ").and_then(|rest| rest.strip_suffix(" {")) {
            structs.push(ParamStruct { name: name.to_owned(), title: text, fields: Vec::new() });
        } else if let (Some(of), Some((name, _))) = (structs.last_mut(), item.split_once(": ")) {
            of.fields.push((name.to_owned(), text));
        }
    }
    structs
}

/// The fields of a struct literal, names and values. `literal` begins after the opening brace.
fn literal_fields(literal: &str) -> Vec<(&str, &str)> {
    let (mut fields, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in literal.char_indices() {
        let is_end = c == '}' && depth == 0;
        if is_end || c == ',' && depth == 0 {
            fields.extend(literal[start..at].split_once(':').map(|(name, value)| (name.trim(), value.trim())));
            start = at + 1;
        }
        match c {
            _ if is_end => break,
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            _ => {}
        }
    }
    fields
}

/// Adds the `literal` of the struct `name` to `values`, and the literals within it that are of one of `structs`.
fn add_values(name: &str, literal: &str, structs: &[ParamStruct], values: &mut HashMap<(String, String), String>) {
    for (field, value) in literal_fields(literal) {
        match value.split_once(" {") {
            Some((kind, inner)) if structs.iter().any(|of| of.name == kind) => add_values(kind, inner, structs, values),
            _ if value.ends_with("::default()") => {}
            _ => {
                let on_one_line = value.split_whitespace().collect::<Vec<_>>().join(" ");
                let on_one_line = on_one_line.replace("[ ", "[").replace(", ]", "]");
                values.insert((name.to_owned(), field.to_owned()), on_one_line);
            }
        }
    }
}

/// Tables of the parameters in a source file: of each struct its title, and of each field its name, its value and its comment.
/// The values are those of `impl Default` of each struct, or of one `const` whose literal has a literal of each struct.
fn parameter_tables(source: &str) -> String {
    let structs = param_structs(source);
    let mut values = HashMap::new();
    for item in source.split("\nimpl Default for ").skip(1) {
        let (name, _) = item.split_once(" {").expect("it is an impl");
        let (_, body) = item.split_once("-> Self {").expect("it has a function");
        let (_, literal) = body.split_once("Self {").expect("it returns a literal");
        add_values(name, literal, &[], &mut values);
    }
    if let Some((_, item)) = source.split_once(" const PARAMS: ") {
        let (name, rest) = item.split_once(" =").expect("it has a value");
        let (_, literal) = rest.split_once(" {").expect("its value is a literal");
        add_values(name, literal, &structs, &mut values);
    }
    let mut tables = String::new();
    for ParamStruct { name, title, fields } in &structs {
        let row = |(field, meaning): &(String, String)| {
            let value = values.get(&(name.clone(), field.clone()))?;
            Some(format!("| `{field}` | `{value}` | {meaning} |\n"))
        };
        let rows: String = fields.iter().filter_map(row).collect();
        if !rows.is_empty() {
            tables += &format!("\n### {name}\n\n{title}\n\n| parameter | value | meaning |\n|---|---|---|\n{rows}");
        }
    }
    tables + "\n"
}

#[test]
fn parameter_tables_equal_the_sources() {
    for page in files("docs/design", ".md") {
        let text = read(&page);
        let mut parts = text.split(PARAMETERS_BEGIN);
        let mut want = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (source, rest) = part.split_once(" -->\n").expect("the marker names a file");
            let (_, after) = rest.split_once(PARAMETERS_END).expect("the marker has an end");
            let tables = parameter_tables(&read(source));
            assert!(tables.contains("| parameter |"), "{source} has no parameters");
            want += &format!("{PARAMETERS_BEGIN}{source} -->\n{tables}{PARAMETERS_END}{after}");
        }
        if renew() {
            fs::write(root().join(&page), want).expect("the tree is writable");
        } else {
            assert!(text == want, "the parameters in {page} differ from the sources: GOLDEN=renew writes them anew");
        }
    }
}

#[test]
fn parameters_of_every_stage_are_in_a_design_page() {
    let pages: String = files("docs/design", ".md").iter().map(|page| read(page)).collect();
    let is_stage =
        |path: &String| ["core", "torch", "raster"].iter().any(|of| path.starts_with(&format!("crates/{of}/")));
    let missing: Vec<String> = files("crates", "/params.rs").into_iter().filter(is_stage).collect();
    let missing: Vec<&String> =
        missing.iter().filter(|path| !pages.contains(&format!("{PARAMETERS_BEGIN}{path} -->"))).collect();
    assert!(missing.is_empty(), "files without a table in docs/design: {missing:?}");
}

/// Each key of a template is set in an example of the page, so that nobody has to guess how it is written.
#[test]
fn every_key_of_templates_has_an_example() {
    let output = formread().args(["template", "schema"]).output().expect("the program can be started");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let text = read("docs/guide/templates.md");
    let examples: String = text.split("```").skip(1).step_by(2).collect();
    let definitions = schema["definitions"].as_object().expect("it has tables").values();
    for key in
        definitions.chain([&schema]).filter_map(|table| table["properties"].as_object()).flat_map(|keys| keys.keys())
    {
        let is_set = [format!("\n{key} = "), format!("{{ {key} = "), format!(", {key} = "), format!("\n[[{key}]]")];
        assert!(is_set.iter().any(|set| examples.contains(set.as_str())), "no example sets {key}");
    }
}

#[test]
fn keys_of_templates_equal_the_schema() {
    let page = "docs/guide/templates.md";
    let output = formread().args(["template", "schema"]).output().expect("the program can be started");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let mut want = format!("\n### The form\n\n{}", key_rows(&schema, &schema));
    let field = &schema["definitions"]["RawField"];
    let tables = [
        ("`[[field]]`: a number to be read", field),
        ("`unit`: pixels of a resolution", &schema["definitions"]["RawPixels"]),
        ("`comb`: cells of one size in a row", &schema["definitions"]["RawComb"]),
        ("`words`: printed words", &schema["definitions"]["RawWord"]),
        ("`[[barcode]]`: a printed barcode", &schema["definitions"]["RawBarcode"]),
        ("`[[number]]`: a printed form number", &schema["definitions"]["RawNumber"]),
        ("`document`: a page of a form of several pages", &schema["definitions"]["RawDocument"]),
    ];
    for (title, table) in tables {
        assert!(table.is_object(), "the schema has no table for {title}");
        want += &format!("\n### {title}\n\n{}", key_rows(&schema, table));
    }
    want += "\n";
    let text = read(page);
    let (before, rest) = text.split_once(KEYS_BEGIN).expect("the page has the marker");
    let (have, after) = rest.split_once(KEYS_END).expect("the page has the marker");
    if renew() {
        let text = format!("{before}{KEYS_BEGIN}{want}{KEYS_END}{after}");
        fs::write(root().join(page), text).expect("the tree is writable");
        return;
    }
    assert!(have == want, "the keys in {page} differ from the schema: GOLDEN=renew writes them anew");
}
