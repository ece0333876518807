//! `formread calibrate`

use anyhow::Result;
use formread::sink::fields_path;
use formread_raster::fsio::write_atomic;
use formread_tools::evaluate::{Acceptance, Budget};

use super::{SUCCESS, check_no_input, eval::read_tables, print};
use crate::{cli::CalibrateArgs, options};

pub fn calibrate(args: &CalibrateArgs) -> Result<u8> {
    let budget = Budget::new(args.max_field_error, args.certainty)?;
    let weights = options::weights_named(args.model.as_deref())?;
    let calibration = formread_tools::evaluate::calibrate(&read_tables(&args.out, &args.truth)?, &budget)?;
    print(&calibration, &args.output)?;
    let text = Acceptance::new(&calibration, weights)?.to_toml()?;
    if let Some(path) = &args.levels {
        let model = args.model.as_deref();
        check_no_input(
            path,
            [args.out.as_path(), fields_path(&args.out).as_path(), args.truth.as_path()].into_iter().chain(model),
        )?;
        write_atomic(path, text.as_bytes())?;
    }
    Ok(SUCCESS)
}
