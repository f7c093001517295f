//! Goal: the C core stays fit for the kernel: it compiles for BPF, needs no C library, and keeps warnings as errors.
//!
//! Method: clang with `-target bpf` on the same file the crate is built from. Skipped, loudly, without clang.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

use std::process::Command;

#[test]
fn the_core_compiles_for_the_kernel() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/meter.c");
    let folder = tempfile::tempdir().unwrap();
    let mut clang = Command::new("clang");
    clang.args(["-target", "bpf", "-mcpu=v3", "-std=c11", "-O2", "-ffreestanding", "-nostdinc"]);
    clang.args(["-Wall", "-Wextra", "-Wconversion", "-Werror", "-c", source, "-o"]);
    let Ok(output) = clang.arg(folder.path().join("meter.o")).output() else {
        eprintln!("SKIPPED: clang is not installed, so that the core was not compiled for BPF");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_core_includes_nothing_but_itself() {
    for entry in fs_err::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/c")).unwrap() {
        let path = entry.unwrap().path();
        // The kernel's own programs and what they add to the core.
        if path.is_dir() || path.ends_with("live.bpf.c") {
            continue;
        }
        let text = fs_err::read_to_string(&path).unwrap();
        let outside = text.lines().find(|line| line.starts_with("#include <"));
        assert_eq!(outside, None, "{}", path.display());
        for word in ["float", "double", "malloc", "while"] {
            let used = text
                .lines()
                .any(|line| !line.trim_start().starts_with(['*', '/']) && line.contains(&format!("{word} ")));
            assert!(!used, "{} uses {word}", path.display());
        }
    }
}
