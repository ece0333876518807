//! The command line of formread.
fn main() {}
