//! Exim's side of an installation: which Exim it is, what it says of its configuration, and the
//! files that bring our snippets into it.
//!
//! [`about`], [`layout`], [`settings`], [`snippets`], [`localmacros`] and [`instructions`] are
//! pure; [`ask`] runs Exim.

pub mod about;
pub mod ask;
pub mod instructions;
pub mod layout;
pub mod localmacros;
pub mod settings;
pub mod snippets;
pub mod verify;
