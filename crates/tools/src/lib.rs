//! What is done around reading: templates are drafted and checked, forms drawn, readings scored and explained.

pub mod dataset;
pub mod draft;
mod draw;
pub mod evaluate;
pub mod explain;
pub mod overlay;
pub mod synth;
pub mod template;
