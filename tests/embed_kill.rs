//! Goal: `forebay embed` killed at any moment, by SIGINT, SIGTERM or SIGKILL, goes on when the same command is given again and ends
//! with the output of an undisturbed run: no event lost, none twice.
//!
//! Method: the built program on several inputs (lines, bad lines among them, and a capture), killed 50 times at random moments.
//! After SIGKILL alone every file must be equal byte for byte. A clean stop (SIGINT, SIGTERM) commits what is embedded as a part
//! of its own, so there parts are cut elsewhere and their rows are compared, one by one, with all their columns. Skipped, loudly,
//! where there is no ONNX Runtime.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// Kills in each of the two tests.
const KILLS: usize = 25;

/// Events of a part; small, so that a run has many moments at which to be killed between and within commits.
const PART_EVENTS: &str = "700";

/// Times each event of the sample is written to the input, as another event each time.
const ROUNDS: usize = 4;

/// Runs in a row without a kill that comes in time, after which the test gives up instead of running for ever.
const RUNS_MAX: usize = 400;

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    /// Another one for every run of the test; its seed is printed.
    fn new() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = std::env::var("KILL_SEED").map_or(since.as_nanos() as u64, |seed| seed.parse().unwrap());
        eprintln!("KILL_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

struct Setting {
    dir: tempfile::TempDir,
    inputs: Vec<PathBuf>,
    /// How long an undisturbed run takes.
    takes: Duration,
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/sample/traffic.pcap.gz")
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forebay"));
    command.args(arguments).env("FOREBAY_LOG_LEVEL", "error").env("FOREBAY_EMBED_BATCH", "100");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn embed(setting: &Setting, out: &Path) -> Command {
    let mut arguments =
        vec!["embed", "--no-index", "--npy", "--part-events", PART_EVENTS, "--out", out.to_str().unwrap()];
    arguments.extend(setting.inputs.iter().map(|input| input.to_str().unwrap()));
    program(&arguments)
}

/// Inputs, and an undisturbed run over them in `whole`; none where there is no runtime.
fn setting() -> Option<Setting> {
    let dir = tempfile::tempdir().unwrap();
    let lines = dir.path().join("sample.jsonl");
    let run = program(&["meter", sample().to_str().unwrap(), "--out", lines.to_str().unwrap()]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let lines = fs_err::read_to_string(lines).unwrap();
    let mut inputs = vec![sample()];
    for round in 0..ROUNDS {
        let input = dir.path().join(format!("{round}.jsonl"));
        fs_err::write(&input, other_events(&lines, round)).unwrap();
        inputs.push(input);
    }
    let mut setting = Setting { dir, inputs, takes: Duration::ZERO };
    let began = Instant::now();
    let run = embed(&setting, &setting.dir.path().join("whole")).output().unwrap();
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    if error.contains("ONNX Runtime was not found") {
        eprintln!("SKIPPED: no ONNX Runtime; run `make setup`");
        return None;
    }
    assert!(run.status.success(), "{error}");
    setting.takes = began.elapsed();
    Some(setting)
}

/// The same events under identifiers of their own, with a bad line now and then.
fn other_events(lines: &str, round: usize) -> String {
    let mut text = String::new();
    for (number, line) in lines.lines().enumerate() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        let id = event["event_id"].as_str().unwrap();
        event["event_id"] = Value::from(format!("{}{round:04x}{number:08x}", &id[..24]));
        text.push_str(&event.to_string());
        text.push('\n');
        if number % 211 == 0 {
            writeln!(text, "{{\"broken\": {number}").unwrap();
        }
    }
    text
}

/// Runs the job to its end, killing it with one of `signals` at random moments while kills are left.
fn run_with_kills(setting: &Setting, out: &Path, signals: &[&str], kills: &mut usize, random: &mut Random) {
    for _ in 0..RUNS_MAX {
        let mut child = embed(setting, out).spawn().unwrap();
        if *kills < KILLS {
            // Rarely long enough for a whole run, so that most jobs are killed several times.
            let moment = random.below(setting.takes.as_micros() as u64 * 6 / 10);
            std::thread::sleep(Duration::from_micros(moment));
            if child.try_wait().unwrap().is_none() {
                kill(&child, signals[random.below(signals.len() as u64) as usize]);
                *kills += 1;
            }
        }
        let run = child.wait_with_output().unwrap();
        if run.status.success() {
            assert!(out.exists());
            return;
        }
        if run.status.code().is_none() {
            // SIGKILL, at any moment: also after the output got its name, before the program could say so.
            continue;
        }
        let error = String::from_utf8_lossy(&run.stderr);
        assert!(error.contains("stopped by a signal"), "it failed for another reason: {error}");
        assert!(!out.exists(), "nothing to be seen before the end");
    }
    panic!("no end after {RUNS_MAX} runs");
}

fn kill(child: &Child, signal: &str) {
    // The shell's own command, so that nothing has to be installed.
    let command = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
}

fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs_err::read(out.join("manifest.json")).unwrap()).unwrap()
}

fn rows(out: &Path) -> RecordBatch {
    let mut batches = Vec::new();
    for part in manifest(out)["parts"].as_array().unwrap() {
        let file = fs_err::File::open(out.join(part["file"].as_str().unwrap())).unwrap().into_parts().0;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        batches.extend(reader.map(Result::unwrap));
    }
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn assert_same_content(found: &Path, whole: &Path) {
    for file in ["vectors.npy", "dead-letters.jsonl"] {
        assert!(fs_err::read(found.join(file)).unwrap() == fs_err::read(whole.join(file)).unwrap(), "{file}");
    }
    assert_eq!(manifest(found)["totals"], manifest(whole)["totals"]);
    assert!(rows(found) == rows(whole), "rows differ");
}

fn assert_same_files(found: &Path, whole: &Path) {
    let names = |out: &Path| {
        let mut names: Vec<_> = fs_err::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(found), names(whole));
    for name in names(whole) {
        assert!(
            fs_err::read(found.join(&name)).unwrap() == fs_err::read(whole.join(&name)).unwrap(),
            "{}",
            name.display()
        );
    }
}

/// Asserts that two folders hold the same.
type Same = fn(&Path, &Path);

#[test]
fn killed_at_random_moments_it_ends_the_same() {
    let Some(setting) = setting() else { return };
    let (mut random, whole) = (Random::new(), setting.dir.path().join("whole"));
    let events = manifest(&whole)["totals"]["events"].as_u64().unwrap();
    assert!(events > 15_000 && manifest(&whole)["totals"]["rejected"].as_object().unwrap().len() == 1);
    let cases: [(&[&str], Same); 2] = [(&["KILL"], assert_same_files), (&["INT", "TERM", "KILL"], assert_same_content)];
    for (signals, assert_same) in cases {
        let (mut kills, mut jobs) = (0, 0);
        while kills < KILLS {
            let out = setting.dir.path().join("out");
            run_with_kills(&setting, &out, signals, &mut kills, &mut random);
            assert_same(&out, &whole);
            fs_err::remove_dir_all(&out).unwrap();
            jobs += 1;
        }
        eprintln!("{kills} kills by {signals:?} over {jobs} jobs of {events} events: the same output");
    }
}

#[test]
fn both_polite_signals_end_it_alike() {
    let Some(setting) = setting() else { return };
    let mut ends = Vec::new();
    for signal in ["INT", "TERM"] {
        // Early enough that much is left to do; on a slow machine possibly before the first part.
        for share in 4..20 {
            let out = setting.dir.path().join(format!("{signal}{share}"));
            let child = embed(&setting, &out).spawn().unwrap();
            std::thread::sleep(setting.takes * share / 20);
            kill(&child, signal);
            let run = child.wait_with_output().unwrap();
            let (code, error) = (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned());
            let work = setting.dir.path().join(format!("{signal}{share}.incomplete"));
            if code == Some(1) && work.join("manifest.json").exists() {
                let named = error.contains("stopped by a signal") && error.contains("Run the same command to go on");
                let aside = fs_err::read_dir(&work)
                    .unwrap()
                    .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"));
                ends.push((named, aside.count()));
                break;
            }
        }
    }
    assert_eq!(ends, [(true, 0), (true, 0)], "what each signal left");
}

#[test]
fn an_idle_pipe_does_not_hold_up_a_stop() {
    let Some(setting) = setting() else { return };
    let lines = fs_err::read(&setting.inputs[1]).unwrap();
    for signal in ["INT", "TERM"] {
        let out = setting.dir.path().join(format!("pipe-{signal}"));
        let mut command = program(&["embed", "-", "--no-index", "--out", out.to_str().unwrap()]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(&lines).unwrap();
        // Far longer than it takes to read them; then it waits for more, which never comes.
        std::thread::sleep(setting.takes + Duration::from_millis(500));
        let began = Instant::now();
        kill(&child, signal);
        let run = child.wait_with_output().unwrap();
        let error = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.code() == Some(1) && error.contains("stopped by a signal"), "{signal}: {error}");
        assert!(began.elapsed() < setting.takes + Duration::from_secs(5), "{signal}: {:?}", began.elapsed());
        drop(pipe);
    }
}
