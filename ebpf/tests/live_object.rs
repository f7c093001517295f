//! Goal: the committed object of the kernel programs is what the sources give.
//!
//! Method: it is built again by the script that the build uses, with the clang it was made by (14, Debian 12), and compared
//! byte for byte. Says loudly where that clang is not there; the build then takes the committed object.
#![allow(clippy::unwrap_used)] // helpers of tests panic as tests do

use std::process::Command;

/// What the committed object was made by.
const CLANG: &str = "clang version 14.";

#[test]
fn the_committed_object_is_what_the_sources_give() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"));
    let version = Command::new("clang").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    if !version.contains(CLANG) {
        eprintln!("SKIPPED: {CLANG} is not here ({:?}), so that the object was not compared", version.lines().next());
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let fresh = scratch.path().join("live.bpf.o");
    let built = Command::new(format!("{folder}/build-live.sh")).arg(&fresh).output().unwrap();
    if built.status.code() == Some(3) {
        eprintln!("SKIPPED: llvm-strip or libbpf-dev is not here, so that the object was not compared");
        return;
    }
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert!(built.stderr.is_empty(), "warnings: {}", String::from_utf8_lossy(&built.stderr));
    let (fresh, committed) =
        (fs_err::read(&fresh).unwrap(), fs_err::read(format!("{folder}/prebuilt/live.bpf.o")).unwrap());
    assert!(fresh == committed, "the object is not of these sources; run ebpf/build-live.sh ebpf/prebuilt/live.bpf.o");
    let text = String::from_utf8_lossy(&committed);
    assert!(!text.contains(folder), "the object names a folder of the machine that built it");
}
