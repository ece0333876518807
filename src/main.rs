//! The command line of formread.
use formread::{evaluate::glyphs::evaluate_folder, net::*, train::*};
use std::path::{Path, PathBuf};
fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let all = |flag: &str| -> Vec<String> { args.windows(2).filter(|w| w[0] == flag).map(|w| w[1].clone()).collect() };
    let one = |flag: &str| all(flag).pop();
    match args[0].as_str() {
        "train" => {
            set_threads(one("--threads").map_or(2, |v| v.parse().unwrap()));
            let mut o =
                TrainOptions::new(all("--data").into_iter().map(PathBuf::from).collect(), one("--out").unwrap().into());
            if let Some(v) = one("--epochs") {
                o.epochs = v.parse()?
            }
            if let Some(v) = one("--batch-size") {
                o.batch_size = v.parse()?
            }
            if let Some(v) = one("--lr") {
                o.lr = v.parse()?
            }
            if let Some(v) = one("--seed") {
                o.seed = v.parse()?
            }
            if let Some(v) = one("--held-out") {
                o.held_out_writers = v.parse()?
            }
            o.resume = args.iter().any(|a| a == "--resume");
            let start = std::time::Instant::now();
            let r = train(&o, &mut |e| match e {
                TrainEvent::Step { step, n_steps, .. } if step % 100 != 0 && step != n_steps => {}
                e => eprintln!("{:5.0}s {e:?}", start.elapsed().as_secs_f64()),
            })?;
            for h in r.held_out {
                println!(
                    "{} {}/{} {:.4} taken {} T {}",
                    h.set,
                    h.correct,
                    h.count,
                    h.accuracy,
                    h.taken_for_digit,
                    r.weights.sidecar().temperature
                );
            }
        }
        _ => {
            set_threads(2);
            let w = match one("--model") {
                Some(p) => Weights::load(Path::new(&p))?,
                None => Weights::shipped()?,
            };
            let mut net = ConvNet::from_weights(&w)?;
            let t = std::time::Instant::now();
            let r = evaluate_folder(Path::new(&args[2]), &mut net)?;
            eprintln!("{:?}", t.elapsed());
            println!("{}", serde_json::to_string(&r)?);
        }
    }
    Ok(())
}
