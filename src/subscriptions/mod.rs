//! Mailman's log of subscriptions, for whoever fights their abuse.
//!
//! `record` reads a line, `tally` keeps what lines say, `bursts` finds who does too much at once,
//! `chart` draws. None of it knows files or terminals.

pub mod bursts;
pub mod chart;
pub mod moment;
pub mod record;
pub mod source;
pub mod tally;
