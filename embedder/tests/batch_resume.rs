//! Goal: a job that was stopped, or died, at any moment goes on and ends with the rows, vectors and dead letters of an
//! undisturbed run; nothing half done can be taken for a result; another job's folder is left alone.
//! Method: stop after n batches from the observer; make crashes by leaving what a crash leaves; compare byte by byte.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use forebay_embedder::batch::{
    BatchError, Input, Job, Manifest, NoObserver, Observer, Options, Sink, SinkError, Snapshot, Summary, run,
};
use forebay_embedder::{Model, Precision};
use forebay_event::{Event, EventId};
use support::{jsonl_input, write_jsonl};

fn options() -> Options {
    Options { workers: 2, batch_events: 64, part_events: 200, npy: true, ..Options::default() }
}

/// Sets the stop flag after some batches.
struct StopAfter<'s> {
    batches: usize,
    stop: &'s AtomicBool,
}

impl Observer for StopAfter<'_> {
    fn written(&mut self, _: &Snapshot) {
        self.batches = self.batches.saturating_sub(1);
        if self.batches == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Keeps events by identifier, as an index does; what is not committed is lost with the run.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<EventId, Vec<f32>>>>);

struct ShelfSink {
    shelf: Shelf,
    held: Vec<(EventId, Vec<f32>)>,
}

impl Sink for ShelfSink {
    fn take(&mut self, events: &[Event], vectors: &[f32]) -> Result<(), SinkError> {
        self.held
            .extend(events.iter().zip(vectors.chunks(256)).map(|(event, vector)| (event.event_id, vector.to_vec())));
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        self.shelf.0.lock().unwrap().extend(self.held.drain(..));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        assert!(self.held.is_empty(), "the last commit comes before");
        Ok(())
    }
}

fn embed(
    inputs: &[PathBuf],
    out: &Path,
    options: Options,
    stop_after: usize,
    shelf: &Shelf,
) -> Result<Summary, BatchError> {
    let model = Model::builtin_event().unwrap();
    let inputs = inputs.iter().map(|path| jsonl_input(path)).collect();
    let sink = ShelfSink { shelf: shelf.clone(), held: Vec::new() };
    let open = Box::new(move |_: &Path| Ok(Box::new(sink) as Box<dyn Sink>));
    let job = Job { inputs, out: out.to_owned(), model: &model, options, sink: Some(("shelf".to_owned(), open)) };
    let stop = AtomicBool::new(false);
    run(job, &stop, &mut StopAfter { batches: stop_after, stop: &stop })
}

struct Setting {
    dir: tempfile::TempDir,
    inputs: Vec<PathBuf>,
}

fn setting() -> Setting {
    let dir = tempfile::tempdir().unwrap();
    let inputs: Vec<PathBuf> = (0..3).map(|i| dir.path().join(format!("{i}.jsonl"))).collect();
    for (place, input) in inputs.iter().enumerate() {
        write_jsonl(input, 400 + place * 37, 30, 20 + place as u64);
    }
    Setting { dir, inputs }
}

/// All rows, vectors and dead letters of a finished output; how the parts are cut does not matter.
fn content(out: &Path) -> (Vec<u8>, Vec<u8>, u64) {
    let manifest = Manifest::read(out).unwrap().unwrap();
    assert!(manifest.complete);
    let read = |file| fs_err::read(out.join(file)).unwrap();
    (read("vectors.npy"), read("dead-letters.jsonl"), manifest.parts.iter().map(|part| part.rows).sum())
}

#[test]
fn stopped_anywhere_it_ends_the_same() {
    let setting = setting();
    let whole = setting.dir.path().join("whole");
    let reference = Shelf::default();
    embed(&setting.inputs, &whole, options(), usize::MAX, &reference).unwrap();
    for step in [1, 2, 5, 9] {
        let (out, shelf) = (setting.dir.path().join(format!("step{step}")), Shelf::default());
        let mut runs = 0;
        let summary = loop {
            runs += 1;
            let summary = embed(&setting.inputs, &out, options(), step, &shelf).unwrap();
            if summary.complete {
                break summary;
            }
            assert!(!out.exists(), "nothing to be seen before the end");
            assert!(runs < 100, "no progress");
        };
        assert!(runs > 1, "it was stopped at least once");
        assert_eq!(content(&out), content(&whole), "after {runs} runs");
        assert_eq!(*shelf.0.lock().unwrap(), *reference.0.lock().unwrap());
        let manifest = Manifest::read(&out).unwrap().unwrap();
        let undisturbed = Manifest::read(&whole).unwrap().unwrap();
        assert_eq!(manifest.totals, undisturbed.totals);
        assert_eq!(summary.events, undisturbed.totals.events);
    }
}

#[test]
fn what_a_crash_leaves_is_swept_away() {
    let setting = setting();
    let (whole, out) = (setting.dir.path().join("whole"), setting.dir.path().join("out"));
    embed(&setting.inputs, &whole, options(), usize::MAX, &Shelf::default()).unwrap();
    let shelf = Shelf::default();
    embed(&setting.inputs, &out, options(), 6, &shelf).unwrap();

    let work = setting.dir.path().join("out.incomplete");
    let append = |file: &str, bytes: &[u8]| {
        let path = work.join(file);
        let mut content = fs_err::read(&path).unwrap_or_default();
        content.extend_from_slice(bytes);
        fs_err::write(path, content).unwrap();
    };
    append("part-00099.parquet", b"finished but not in the manifest");
    append("part-00003.parquet.tmp", b"half");
    append("manifest.json.tmp", b"{");
    append("vectors.npy", &[7; 1234]);
    append("dead-letters.jsonl", b"{\"half\": ");

    assert!(embed(&setting.inputs, &out, options(), usize::MAX, &shelf).unwrap().complete);
    assert_eq!(content(&out), content(&whole));
    let strangers: Vec<PathBuf> = fs_err::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.ends_with("part-00099.parquet") || path.ends_with("lock") || path.to_string_lossy().ends_with(".tmp")
        })
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

#[test]
fn a_lost_part_or_a_cut_file_is_seen() {
    let setting = setting();
    for file in ["part-00000.parquet", "vectors.npy"] {
        let out = setting.dir.path().join(format!("out-{file}"));
        embed(&setting.inputs, &out, options(), 6, &Shelf::default()).unwrap();
        let work = setting.dir.path().join(format!("out-{file}.incomplete"));
        fs_err::write(work.join(file), "short").unwrap();
        let error = embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("were finished"), "{error}");
    }
}

#[test]
fn a_finished_job_is_not_done_again() {
    let setting = setting();
    let out = setting.dir.path().join("out");
    embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap();
    let summary = embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap();
    assert!(summary.already && summary.complete);
}

#[test]
fn another_jobs_output_is_left_alone() {
    let setting = setting();
    let out = setting.dir.path().join("out");
    embed(&setting.inputs, &out, options(), 3, &Shelf::default()).unwrap();
    let refused = |inputs: &[PathBuf], options: Options| {
        embed(inputs, &out, options, usize::MAX, &Shelf::default()).unwrap_err().to_string()
    };
    assert!(refused(&setting.inputs[..2], options()).contains("number of inputs: there 3, now 2"));
    assert!(refused(&setting.inputs, Options { npy: false, ..options() }).contains("npy"));
    let metered = Options { source_settings: "a = 1\nidle = 120".to_owned(), ..options() };
    let later = Options { source_settings: "a = 1\nidle = 30".to_owned(), ..options() };
    assert!(refused(&setting.inputs, metered.clone()).contains("settings: there , now a = 1, idle = 120"));
    let other = setting.dir.path().join("other");
    embed(&setting.inputs, &other, metered.clone(), 3, &Shelf::default()).unwrap();
    let error = embed(&setting.inputs, &other, later.clone(), usize::MAX, &Shelf::default()).unwrap_err();
    assert!(error.to_string().contains("settings: there idle = 120, now idle = 30"), "{error}");
    assert!(embed(&setting.inputs, &other, metered, usize::MAX, &Shelf::default()).unwrap().complete);
    let error = embed(&setting.inputs, &other, later, usize::MAX, &Shelf::default()).unwrap_err();
    assert!(error.to_string().contains("settings: there idle = 120, now idle = 30"), "a finished one: {error}");
    let default = Precision::Auto.resolve(&Model::builtin_event().unwrap());
    let (other, name) = if default == "fp32" { (Precision::Int8, "int8") } else { (Precision::Fp32, "fp32") };
    assert!(refused(&setting.inputs, Options { precision: other, ..options() }).contains(name));
    fs_err::write(&setting.inputs[2], "changed\n").unwrap();
    assert!(refused(&setting.inputs, options()).contains("2.jsonl"));
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let setting = setting();
    let out = setting.dir.path().join("out");
    fs_err::create_dir(&out).unwrap();
    fs_err::write(out.join("thesis.txt"), "mine").unwrap();
    let error = embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap_err();
    assert!(matches!(error, BatchError::Occupied(_)), "{error}");
    fs_err::remove_file(out.join("thesis.txt")).unwrap();
    assert!(embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap().complete);
}

#[test]
fn two_jobs_do_not_write_to_one_folder() {
    let setting = setting();
    let out = setting.dir.path().join("out");
    embed(&setting.inputs, &out, options(), 3, &Shelf::default()).unwrap();
    let lock = fs_err::File::open(setting.dir.path().join("out.incomplete/lock")).unwrap().into_parts().0;
    lock.try_lock().unwrap();
    let error = embed(&setting.inputs, &out, options(), usize::MAX, &Shelf::default()).unwrap_err();
    assert!(matches!(error, BatchError::Locked(_)), "{error}");
}

#[test]
fn a_failing_sink_fails_the_job_and_the_next_run_mends_it() {
    struct Full;
    impl Sink for Full {
        fn take(&mut self, _: &[Event], _: &[f32]) -> Result<(), SinkError> {
            Ok(())
        }
        fn commit(&mut self) -> Result<(), SinkError> {
            Err("no space".into())
        }
        fn finish(self: Box<Self>) -> Result<(), SinkError> {
            Ok(())
        }
    }
    let setting = setting();
    let out = setting.dir.path().join("out");
    let model = Model::builtin_event().unwrap();
    let inputs = setting.inputs.iter().map(|path| jsonl_input(path)).collect();
    let open = Box::new(|_: &Path| Ok(Box::new(Full) as Box<dyn Sink>));
    let job =
        Job { inputs, out: out.clone(), model: &model, options: options(), sink: Some(("shelf".to_owned(), open)) };
    let error = run(job, &AtomicBool::new(false), &mut NoObserver).unwrap_err();
    assert!(error.to_string().contains("no space"), "{error}");
    assert!(!out.exists());

    let (whole, shelf) = (setting.dir.path().join("whole"), Shelf::default());
    embed(&setting.inputs, &out, options(), usize::MAX, &shelf).unwrap();
    embed(&setting.inputs, &whole, options(), usize::MAX, &Shelf::default()).unwrap();
    assert_eq!(content(&out), content(&whole));
    assert_eq!(shelf.0.lock().unwrap().len() as u64, content(&out).2);
}

#[test]
fn a_pipe_cannot_be_resumed_and_the_message_says_so() {
    let setting = setting();
    let out = setting.dir.path().join("out");
    let model = Model::builtin_event().unwrap();
    let stop = AtomicBool::new(false);
    let long = setting.dir.path().join("long.jsonl");
    write_jsonl(&long, 2000, 100, 30);
    let attempt = |stop_after| {
        let path = long.clone();
        let open = move || Ok(support::source(&path));
        let inputs = vec![Input::stream("-", open)];
        let job = Job { inputs, out: out.clone(), model: &model, options: options(), sink: None };
        stop.store(false, Ordering::Relaxed);
        run(job, &stop, &mut StopAfter { batches: stop_after, stop: &stop })
    };
    assert!(!attempt(1).unwrap().complete);
    let error = attempt(usize::MAX).unwrap_err();
    assert!(matches!(error, BatchError::NotResumable { .. }), "{error}");
    fs_err::remove_dir_all(setting.dir.path().join("out.incomplete")).unwrap();
    assert!(attempt(usize::MAX).unwrap().complete);
}
