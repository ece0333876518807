//! Pixels, without forms.
