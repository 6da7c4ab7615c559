//! The daemon: the same questions and answers as on the command line, over a socket
//! (docs/protocol.md, docs/design.md).

mod fields;
pub mod request;
pub mod answer;
pub mod cache;
pub mod current;
pub mod reply;
