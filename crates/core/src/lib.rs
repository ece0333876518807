//! The pure part of formread: from the pixels of a page to the values of its fields.

pub mod assemble;
pub mod barcode;
pub mod form;
pub mod normalise;
pub mod reader;
pub mod recognise;
pub mod register;
pub mod rows;
pub mod scores;
pub mod segment;

pub use reader::Reader;
