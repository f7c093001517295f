//! Builds the C core, with warnings shown (a test of the crate makes them errors, so that a newer compiler's opinions do not
//! stop a user's build). `FOREBAY_METER_SANITIZE=1` builds it with the address and undefined-behaviour sanitizers, for the
//! fuzzing driver.
//!
//! The kernel programs (`c/live.bpf.c`) are built with clang, llvm-strip and libbpf's headers where they are installed; where
//! they are not, or with `FOREBAY_LIVE_PREBUILT=1`, the committed object `prebuilt/live.bpf.o` is taken. A test holds the two to
//! be the same.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `build-live.sh` exits with where there is no clang, llvm-strip or libbpf.
const TOOL_MISSING: i32 = 3;

const PREBUILT: &str = "prebuilt/live.bpf.o";

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-changed={PREBUILT}");
    println!("cargo::rerun-if-env-changed=FOREBAY_METER_SANITIZE");
    println!("cargo::rerun-if-env-changed=FOREBAY_LIVE_PREBUILT");
    build_core();
    place_programs();
}

fn build_core() {
    let mut build = cc::Build::new();
    build
        .file("c/meter.c")
        .std("c11")
        .opt_level(2)
        .flag("-ffreestanding")
        .flag("-fno-strict-overflow")
        .warnings(true)
        .extra_warnings(true)
        .flag("-Wconversion");
    if env::var("FOREBAY_METER_SANITIZE").is_ok_and(|value| value == "1") {
        // The runtimes are linked as shared libraries, so that a Rust program can be the host.
        build.compiler("gcc").flag("-fsanitize=address,undefined").flag("-fno-sanitize-recover=all").flag("-g");
        println!("cargo::rustc-link-lib=dylib=asan");
        println!("cargo::rustc-link-lib=dylib=ubsan");
    }
    build.compile("forebay_meter");
}

/// Puts the object of the kernel programs where the crate includes it.
fn place_programs() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("live.bpf.o");
    let wants_prebuilt = env::var("FOREBAY_LIVE_PREBUILT").is_ok_and(|value| value == "1");
    if !wants_prebuilt && build_programs(&out) {
        return;
    }
    std::fs::copy(PREBUILT, &out).expect("prebuilt/live.bpf.o is part of the repository");
}

/// `false` where a tool is missing or fails.
fn build_programs(out: &Path) -> bool {
    let script = Path::new("build-live.sh");
    println!("cargo::rerun-if-changed={}", script.display());
    match Command::new("sh").arg(script).arg(out).output() {
        Ok(output) if output.status.success() => true,
        Ok(output) if output.status.code() == Some(TOOL_MISSING) => false,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            for line in said.lines().take(5) {
                println!("cargo::warning={line}");
            }
            println!("cargo::warning=the kernel programs were not built; {PREBUILT} is taken");
            false
        }
        Err(_) => false,
    }
}
