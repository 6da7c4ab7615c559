//! The daemon: the same questions and answers as on the command line, over a socket
//! (docs/protocol.md, docs/design.md).

pub mod allowed;
pub mod answer;
pub mod cache;
pub mod client;
pub mod connections;
pub mod counters;
pub mod current;
pub mod daemon;
mod fields;
pub mod listen;
pub mod log;
pub mod notify;
pub mod poll;
pub mod queue;
pub mod reply;
pub mod request;
pub mod service;
pub mod workers;
