//! What a deployment decides: the address, the token, and the limits worth changing.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How the service runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen. Anything but loopback needs a token.
    pub listen: SocketAddr,
    /// What requests must carry, if anything.
    pub token: Option<Token>,
    /// Longest body of an ingest request, in bytes after decompression.
    pub body_bytes_max: u64,
    /// Searches at once.
    pub concurrent_max: usize,
    /// How long one search may take.
    pub timeout: Duration,
    /// How long requests in flight may take after a stop signal.
    pub shutdown: Duration,
    /// The folder that copies of the index are made in; none where none may be made.
    pub copies: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            token: None,
            body_bytes_max: 1 << 30,
            concurrent_max: 64,
            timeout: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
            copies: None,
        }
    }
}

/// Why the service does not start. The operator's fault, or the machine's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address can be reached from other machines and nothing protects it. The operator's to decide.
    #[error(
        "serve.listen is {0}, which other machines can reach, and serve.token is empty: anyone could read and write \
         events. Set serve.token (FOREBAY_SERVE_TOKEN), or listen on 127.0.0.1"
    )]
    Unprotected(SocketAddr),
    /// The address is taken, or is not this machine's.
    #[error("cannot listen on {address}: {error}. Is another forebay running there? serve.listen sets the address")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The system would not give us its signals or its threads.
    #[error("cannot start serving: {0}")]
    System(std::io::Error),
    /// The index or a model cannot be opened.
    #[error(transparent)]
    Backend(#[from] crate::OpenError),
}

impl Settings {
    /// Refuses a set of values that would not be safe to run with.
    pub fn check(&self) -> Result<(), StartError> {
        if self.token.is_none() && !self.listen.ip().is_loopback() {
            return Err(StartError::Unprotected(self.listen));
        }
        Ok(())
    }
}

/// A secret. Kept as its digest, so that it is in no log and comparing it takes the same time for every guess.
#[derive(Clone)]
pub struct Token {
    digest: [u8; 32],
}

impl Token {
    /// The token `text`; none if it is empty.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self { digest: Sha256::digest(text.as_bytes()).into() })
    }

    /// Whether `guess` is the token. Both are digested first: the time taken depends only on the length of the guess.
    pub fn is(&self, guess: &[u8]) -> bool {
        let guess: [u8; 32] = Sha256::digest(guess).into();
        let difference = self.digest.iter().zip(guess).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_goes_without_a_token() {
        let mut settings = Settings::default();
        assert!(settings.check().is_ok());
        for open in ["0.0.0.0:8787", "192.0.2.1:80", "[::]:8787"] {
            settings.listen = open.parse().unwrap();
            assert!(settings.check().unwrap_err().to_string().contains("serve.token"), "{open}");
        }
        settings.token = Token::new("secret");
        assert!(settings.check().is_ok());
    }

    #[test]
    fn a_token_is_itself_and_never_shown() {
        let token = Token::new("secret").unwrap();
        assert!(token.is(b"secret"));
        assert!(!token.is(b"secre") && !token.is(b"secret ") && !token.is(b""));
        assert!(Token::new("").is_none());
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
