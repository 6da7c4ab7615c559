//! Mailman's own rules, as pure functions.

pub mod defaults;
