//! A verdict made into what Exim and people read.
