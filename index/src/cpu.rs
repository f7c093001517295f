//! The instructions this build needs.

/// Says which processor instructions are missing that FAISS was compiled with, so that a person reads it instead of
/// seeing the process die of SIGILL. Call it before anything else.
pub fn cpu_check() -> Result<(), String> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this processor lacks {}, which this build of Forebay uses to compare vectors; run it on an x86-64 processor \
         with AVX2 (2013 or later), or build it from source with CXXFLAGS that fit this processor",
        missing.join(", ")
    ))
}

#[cfg(target_arch = "x86_64")]
fn missing() -> Vec<&'static str> {
    let wanted = [
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("FMA", std::arch::is_x86_feature_detected!("fma")),
        ("F16C", std::arch::is_x86_feature_detected!("f16c")),
        ("POPCNT", std::arch::is_x86_feature_detected!("popcnt")),
    ];
    wanted.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect()
}

/// Other processors get the plain build, which needs nothing special.
#[cfg(not(target_arch = "x86_64"))]
fn missing() -> Vec<&'static str> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_that_runs_the_tests_passes() {
        assert_eq!(cpu_check(), Ok(()));
    }
}
