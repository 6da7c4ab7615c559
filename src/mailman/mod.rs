//! Mailman's own rules, as pure functions over plain types.
//!
//! Each file names the Mailman module it follows, so that a reader can lay the two side by side.
//! Facts come from Mailman 2.1.39 and its port 2.2.0, read and run; no line is theirs.

pub mod bans;
pub mod defaults;
pub mod equivalents;
pub mod handlers;

pub mod language;
pub mod mailing;
pub mod notice;
pub mod passwords;
pub mod patterns;
pub mod pipeline;
pub mod post;
pub mod roster;
pub mod senders;
pub mod site_values;
pub mod subscribe;
pub mod verdict;
