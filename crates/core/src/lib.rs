//! The pure part of formread: from the pixels of a page to the values of its fields.
//!
//! [`Reader`] is the front door: it returns a [`Page`] for each page of a file, with its [`Field`]s and their [`Value`]s.
//! [`Reader::stages`] gives the steps one by one.

pub mod assemble;
pub mod barcode;
pub mod form;
pub mod normalise;
pub mod reader;
pub mod recognise;
pub mod record;
pub mod register;
pub mod rows;
pub mod scores;
pub mod segment;

pub use reader::{Reader, ReaderBuilder};
pub use record::{Decimal, Field, Page, Rejection, Value};
