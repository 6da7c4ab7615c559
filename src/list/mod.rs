//! A mailing list: its name, where it lives, its settings and members.
//!
//! [`store`] is the only module here that reads files, [`mod@write`] the only one that writes any.

pub mod name;
pub mod settings;
pub mod store;
pub mod value;
pub mod write;
