//! The HTTP service: search, events, streaming ingest, health, metrics, `OpenAPI` and the page at `/`.
//!
//! **Promise.** An answer names what was understood of the question and why each hit matched. An event reported stored is
//! durable and searchable. Every error is problem details (RFC 9457); no internal text leaves. Every rejection, fallback
//! and drop is counted by reason. Safe by default: loopback only, or with a token; no other origin may use it.
//!
//! **Limits.** All in [`limits`] and [`Settings`]. Whoever comes beyond them is told so, with a status that says whether
//! to try again.
//!
//! **Layout.** [`Backend`] is index and networks together, [`answer`](answer()) goes from a [`SearchRequest`] to an
//! [`Answer`] without HTTP (the command line uses it too), [`serve`] and [`Server`] put it on a socket. A request passes
//! [`observe`] (identifier, log, metrics, errors in words), `guard` (token, host, origin), then a handler: `search`,
//! `events`, `ingest`, `health`, `upkeep`, `page`.
//!
//! **Failure.** [`ApiError`] is what can go wrong with a request, [`StartError`] what keeps the service from starting.

mod answer;
mod backend;
mod body;
mod cursor;
mod error;
mod events;
mod guard;
mod health;
mod ingest;
pub mod limits;
mod metrics;
mod observe;
mod page;
mod patience;
mod problem;
mod question;
mod routes;
mod schema;
mod search;
mod server;
mod settings;
mod state;
mod upkeep;

pub use answer::{Ask, answer};
pub use backend::{Backend, OpenError, Sources};
pub use error::{ApiError, KINDS, Kind};
pub use health::{Damaged, Stats};
pub use ingest::result::{LastLine, LineResult, Status, Summary};
pub use observe::REQUEST_ID;
pub use problem::Problem;
pub use question::{Answer, FacetValue, Facets, Hit, Note, Reason, SearchRequest, TimelineBin, Understood};
pub use routes::openapi_json;
pub use server::{Server, serve};
pub use settings::{Settings, StartError, Token};
