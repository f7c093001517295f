//! Counts the instructions of the hot paths under callgrind and compares them with `benches/instructions.json`.
//!
//! `make bench-instructions` fails where a count grew by more than 3 %. `UPDATE_BASELINE="why" make bench-instructions`
//! records the new counts with the reason. Counts do not depend on what else the machine does; they do depend on the
//! compiler, on the versions of dependencies, and on which instruction sets valgrind knows (up to AVX2, no AVX-512), so a
//! count is no time: kernels chosen by the processor are counted in their AVX2 form.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use clap::Parser;
use forebay_benches::baseline::{Baseline, Verdict};
use forebay_benches::workloads;

/// The function whose instructions count, as callgrind sees it.
const COUNTED: &str = "*forebay_benches*workloads*measured*";

/// Counts instructions of the hot paths.
#[derive(Parser)]
struct Args {
    /// Does one piece of work; this is what runs under callgrind.
    #[arg(long, requires = "dir")]
    work: Option<String>,
    /// The index that work searches.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Counts only work whose name holds this.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let (Some(work), Some(dir)) = (&args.work, &args.dir) {
        println!("{}", workloads::run(work, dir)?);
        return Ok(ExitCode::SUCCESS);
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("SKIPPED: valgrind is not installed; `scripts/setup.sh test` brings it");
        return Ok(ExitCode::SUCCESS);
    }
    let folder = tempfile::tempdir()?;
    workloads::prepare(folder.path())?;
    let path = Baseline::path();
    let mut baseline = Baseline::read(&path)?;
    let reason = std::env::var("UPDATE_BASELINE").ok().filter(|reason| !reason.trim().is_empty());
    let mut failed = false;
    for name in workloads::NAMES.iter().filter(|name| name.contains(&args.only)) {
        let instructions = count(name, folder.path())?;
        let (verdict, change) = baseline.judge(name, instructions);
        let percent = change * 100.0;
        match verdict {
            Verdict::Same => println!("{name:<22} {instructions:>13} instructions  {percent:+.2} %"),
            Verdict::Fewer => println!("{name:<22} {instructions:>13} instructions  {percent:+.2} %, record it"),
            Verdict::More => {
                println!("{name:<22} {instructions:>13} instructions  {percent:+.2} %: MORE THAN 3 % GROWTH");
            }
            Verdict::Unknown => println!("{name:<22} {instructions:>13} instructions  NOT RECORDED"),
        }
        match &reason {
            Some(reason) => baseline.record(name, instructions, reason),
            None => failed |= matches!(verdict, Verdict::More | Verdict::Unknown),
        }
    }
    if reason.is_some() {
        baseline.write(&path)?;
        println!("recorded in {}", path.display());
    }
    if failed {
        println!("If the growth is worth it, record it: UPDATE_BASELINE=\"the reason\" make bench-instructions");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Instructions that `name` takes inside [`workloads::measured`].
fn count(name: &str, dir: &Path) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(std::env::current_exe()?)
        .args(["--work", name, "--dir"])
        .arg(dir)
        .env("OMP_NUM_THREADS", "1")
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{name} failed under valgrind:\n{said}");
    let line = said.lines().find_map(|line| line.split_once("Collected :")).context("callgrind said no count")?;
    let instructions: u64 = line.1.trim().parse().with_context(|| format!("a count: {:?}", line.1))?;
    ensure!(instructions > 0, "callgrind did not see {COUNTED}; were the symbols stripped?");
    Ok(instructions)
}
