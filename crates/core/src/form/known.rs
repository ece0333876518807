//! The templates that are built into the program.

use super::{FormTemplate, parse_template};
use formread_raster::error::Result;

/// File name and text of each template in `pipelines/`.
const KNOWN: &[(&str, &str)] = &[
    ("pipelines/c1-2019.toml", include_str!("../../../../pipelines/c1-2019.toml")),
    ("pipelines/mtc-antenatal.toml", include_str!("../../../../pipelines/mtc-antenatal.toml")),
    ("pipelines/nist-hsf.toml", include_str!("../../../../pipelines/nist-hsf.toml")),
    ("pipelines/strip.toml", include_str!("../../../../pipelines/strip.toml")),
    ("pipelines/tax-return.toml", include_str!("../../../../pipelines/tax-return.toml")),
];

/// Every template in `pipelines/`, as it was compiled in.
///
/// # Errors
/// Where one of them does not parse. A test checks that all do.
pub fn known_templates() -> Result<Vec<FormTemplate>> {
    KNOWN.iter().map(|(file, text)| parse_template(text).map_err(|error| error.in_file(*file))).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn known_templates_are_all_in_the_folder_and_parse() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
        let in_folder: BTreeSet<String> = fs::read_dir(folder)
            .expect("the folder is part of the repository")
            .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".toml"))
            .map(|name| format!("pipelines/{name}"))
            .collect();
        let compiled_in: BTreeSet<String> = KNOWN.iter().map(|(file, _)| (*file).to_owned()).collect();
        assert_eq!(in_folder, compiled_in);

        let templates = known_templates().unwrap_or_else(|error| panic!("{error}"));
        for (template, (file, _)) in templates.iter().zip(KNOWN) {
            assert_eq!(&format!("pipelines/{}.toml", template.name), file);
        }
    }
}
