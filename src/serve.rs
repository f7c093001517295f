//! `forebay serve`: the HTTP service and the page.

use std::time::Duration;

use forebay_api::{Settings, Token};

use crate::config::Config;
use crate::target::{ask, sources};

/// Serve search, ingest and the page over HTTP until SIGINT or SIGTERM
///
/// Listens on serve.listen. Any address but loopback needs serve.token, which every request but /healthz must then carry.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args, config: &Config) -> anyhow::Result<()> {
    let serve = &config.serve;
    let settings = Settings {
        listen: serve.listen,
        token: Token::new(&serve.token),
        body_bytes_max: serve.body_bytes_max,
        concurrent_max: serve.concurrent_max,
        timeout: Duration::from_secs(serve.timeout_s),
        shutdown: Duration::from_secs(serve.shutdown_s),
        copies: (!serve.copies_dir.as_os_str().is_empty()).then(|| serve.copies_dir.clone()),
    };
    Ok(forebay_api::serve(settings, ask(config), sources(config)?)?)
}
