//! Against ground truth.
