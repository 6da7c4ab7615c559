//! A mailing list: its name, where it lives, its settings and members.
//!
//! [`store`] is the only module here that opens files.

pub mod name;
pub mod settings;
pub mod store;
pub mod value;
