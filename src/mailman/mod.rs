//! Mailman's own rules, as pure functions.
