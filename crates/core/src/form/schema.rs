//! A JSON schema of the templates' TOML, for editors.

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::Value;

use super::raw::RawTemplate;

/// The schema of a template (JSON Schema, draft 7, which TOML editors support), made from the types that read it. It does not
/// express conditions between keys (a mark has no digits); [`super::parse_template`] checks those.
pub fn template_schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(NoNull);
    settings.into_generator().into_root_schema_for::<RawTemplate>().to_value()
}

/// Removes null from optional values: TOML has no null.
#[derive(Debug, Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|of| of != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|of| of["type"] != "null");
            if let [Value::Object(only)] = &choices[..] {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.insert(key, value);
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse_template;

    /// A form with one field that has `lines`.
    fn form(lines: &str) -> String {
        format!("name = \"t\"\ntitle = \"t\"\npage = [100, 100]\n[[field]]\nname = \"f\"\n{lines}\n")
    }

    #[test]
    fn template_schema_lists_the_words_that_parse_template_reads() {
        let schema = template_schema();
        let of = |definition: &str| schema["definitions"][definition]["properties"].clone();
        let (field, barcode) = (of("RawField"), of("RawBarcode"));
        let comb = "comb = { at = [5, 5], cell = [5, 7], groups = [6] }";
        let frame = "box = [5, 5, 40, 8]";
        for (key, around) in [
            ("kind", format!("{frame}\nkind = WORD")),
            ("point", format!("{frame}\nkind = \"amount\"\npoint = WORD")),
            ("order", format!("{comb}\nkind = \"date\"\norder = WORD")),
            ("filled", "box = [5, 5, 4, 4]\nkind = \"mark\"\nfilled = WORD".to_owned()),
            ("printed", format!("{frame}\nkind = \"integer\"\nprinted = [WORD]")),
            ("fillers", format!("{comb}\nkind = \"integer\"\nfillers = [WORD]")),
            ("check_digit", format!("{comb}\nkind = \"code\"\ncheck_digit = WORD")),
            (
                "symbology",
                format!("{frame}\nkind = \"code\"\n[[barcode]]\nat = [60, 5, 9, 9]\nsays = \"12\"\nsymbology = WORD"),
            ),
        ] {
            let of = field.get(key).unwrap_or(&barcode[key]);
            let words = [of, &of["items"]].into_iter().find_map(|at| at["enum"].as_array());
            let words = words.unwrap_or_else(|| panic!("{key} has no words: {of}"));
            for word in words.iter().filter_map(Value::as_str) {
                let around = match word {
                    "printed" => around.replace(frame, comb),
                    "choice" => {
                        format!("{}\nvalues = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\"]", around.replace(frame, comb))
                    }
                    "date" => format!("{around}\norder = \"dmy\""),
                    _ => around.clone(),
                };
                let text = form(&around.replace("WORD", &format!("{word:?}")));
                parse_template(&text).unwrap_or_else(|error| panic!("{key} = {word:?}: {error}"));
            }
            let error = parse_template(&form(&around.replace("WORD", "\"other\""))).expect_err(key);
            for word in words {
                assert!(error.to_string().contains(&word.to_string()), "{key}: {word} is not in the hint: {error}");
            }
            let listed = error.to_string().matches('"').count() / 2 - 1;
            assert_eq!(listed, words.len(), "{key}: {error}");
        }
    }

    #[test]
    fn template_schema_describes_every_key() {
        fn check(at: &Value, path: &str) {
            let keys = at["properties"].as_object().into_iter().flatten();
            for (key, of) in keys {
                assert!(of["description"].is_string(), "{path}.{key} has no description");
            }
        }
        let schema = template_schema();
        check(&schema, "template");
        for (name, of) in schema["definitions"].as_object().expect("it has parts") {
            check(of, name);
        }
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["name", "title", "field"]));
    }
}
