//! Decoding in separate processes, so that a decoder that loops, crashes or takes all memory costs one page.
//!
//! A thread cannot be stopped, and memory that runs out ends its process. So a [`DecoderPool`] has pages decoded by
//! `formread-decode` processes, as many as are busy at once. A process is given a file once, and then requests for its pages, one by one.
//! Past the limit of time it is killed; past that of memory it ends by itself. The page gets an error, and the next page
//! another process. An idle process takes no time, and a page costs what sending its pixels through a pipe takes.

mod arguments;
#[cfg(unix)]
mod memory;
mod pool;
mod process;
mod serve;
mod wire;

pub use arguments::{DecoderArguments, DecoderCommand};
#[cfg(unix)]
pub use memory::limit_memory;
pub use pool::DecoderPool;
pub use serve::serve_pages;
