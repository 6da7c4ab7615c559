//! May this message be posted to this Mailman 2.1 list?
//!
//! Data flows one way: the bytes of a list ([`pickle`]) become typed settings ([`list`]), which
//! with the senders of a message are judged by Mailman's rules ([`mailman`]) in Python's terms
//! ([`python`]); the verdict becomes an exit status and a text ([`answer`]). Rules are pure
//! functions over plain types; files and processes stay in [`list::store`], [`list::write`] (the
//! one that changes any), [`config`] and [`cli`].
#![forbid(unsafe_code)]

pub mod accounts;
pub mod answer;
pub mod audit;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod exim;
pub mod exit;
pub mod files;
pub mod limits;
pub mod list;
pub mod mailman;
pub mod overview;
pub mod pickle;
pub mod process;
pub mod python;
pub mod query;
pub mod report;
pub mod sandbox;
pub mod serve;
pub mod site;
pub mod subscriptions;
