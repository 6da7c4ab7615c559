//! A mailing list: its name, where it lives, its settings and members.
//!
//! [`store`] is the only module here that reads files ([`kept`] what it reads once for many questions), [`mod@write`] the only one that writes any.

mod error;
mod identity;
pub mod kept;
pub mod name;
pub mod neighbours;
pub mod settings;
pub mod store;
pub mod survey;
pub mod value;
pub mod write;
