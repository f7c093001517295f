//! The cryptography behind HTTPS.
//!
//! `ring`, not the library's own choice, which takes minutes to build. With the feature `s3` every HTTP client of the process
//! can speak TLS and asks for what is chosen here, so it is chosen before the first client is made.

/// Chooses it, once for the process.
pub(crate) fn ready() {
    // An error says that it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
