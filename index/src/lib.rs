//! Segments of events and their vectors, exact filters, hybrid search, and the question parser.

pub mod filter;
pub mod question;
