//! Reads one file with the built-in forms and weights: `cargo run --example read_one -- scan.png`.

use formread::{Reader, TorchBackend, known_templates};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("give the path of a scan")?;
    let reader = Reader::builder().templates(known_templates()?).backend(TorchBackend::shipped()?).build()?;
    for page in reader.read(&std::fs::read(path)?)? {
        for field in &page.fields {
            println!("{}: {} {:?}", page.number, field.name, field.value());
        }
    }
    Ok(())
}
