//! How many heaps the C library keeps.
//!
//! glibc gives up to eight heaps a core to threads, and what one thread frees in its heap the next thread does not use. Engines
//! and merges are built by threads that come and go, so a service that runs for days would hold the most that each heap ever
//! held: `benches/README.md` has the slope with and without the bound. Two heaps are enough for the few threads that
//! allocate at once; what vectors and segments are made of is mapped and lies in none of them.
#![allow(unsafe_code)]

/// Heaps, unless `MALLOC_ARENA_MAX` or `GLIBC_TUNABLES` say otherwise.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS: std::ffi::c_int = 2;

/// Bounds the heaps. Before the first thread, because a thread keeps the heap it was given.
pub(crate) fn bound() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let is_set = |name: &str| std::env::var_os(name).is_some();
        if !is_set("MALLOC_ARENA_MAX") && !is_set("GLIBC_TUNABLES") {
            // SAFETY: mallopt takes two numbers and touches nothing of ours; no other thread runs yet. It fails only for a
            // parameter it does not know, and then the heaps stay as they are.
            unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
        }
    }
}
