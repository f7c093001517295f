//! Builds the C core, with warnings shown (a test of the crate makes them errors, so that a newer compiler's opinions do not
//! stop a user's build). `FOREBAY_METER_SANITIZE=1` builds it with the address and undefined-behaviour sanitizers, for the
//! fuzzing driver.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-env-changed=FOREBAY_METER_SANITIZE");
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
