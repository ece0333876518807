//! Finds out which data sets are there, so that tests which need an absent one are reported as ignored, by name.

use std::path::Path;

/// The cfg that a data set turns on, and its folder.
const DATA_SETS: [(&str, &str); 2] = [("shared_data", "../shared/data"), ("mnist_data", ".mnist")];

fn main() {
    // Cargo runs this again for every build where a watched folder is absent, so the folders are not watched: after a data
    // set was added, `touch build.rs`.
    println!("cargo::rerun-if-changed=build.rs");
    for (cfg, folder) in DATA_SETS {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        if Path::new(folder).is_dir() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
