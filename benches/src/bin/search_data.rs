//! Writes the data set of the search comparison (`forebay_benches::dataset`).
//!
//! `cargo run --release -p forebay-benches --bin search_data -- --events 1000000 --out DIR`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use forebay_benches::dataset::clusters::Clusters;
use forebay_benches::dataset::filters::lines;
use forebay_benches::dataset::random::Random;
use forebay_benches::dataset::{Dataset, QUERIES, flows, npy, questions};
use forebay_embedder::{Embedder as _, EventEmbedder, Model, Precision, QueryEmbedder, runtime};
use forebay_event::Event;

/// Rows that are made, embedded and written at a time.
const BATCH: u64 = 16_384;
/// Rows that the groups are fitted on; the first ones, which are the real flows.
const FIT_ROWS: u64 = 100_000;

/// Writes vectors, questions and filters of jittered real flows.
#[derive(Parser)]
struct Args {
    /// Rows.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// The folder to write; made if it is missing.
    #[arg(long)]
    out: PathBuf,
    /// What everything that is drawn follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    fs_err::create_dir_all(&args.out)?;
    runtime::init(None)?;
    let began = Instant::now();
    let data = Dataset::open(&flows::shared_folder(), args.seed)?;
    eprintln!("{} real flows, {} more held out, from {} files", data.flows(), data.held_out(), data.origins.read.len());
    let model = Model::builtin_event()?;
    let mut embedder = EventEmbedder::load(&model, Precision::Auto)?;
    let dimension = model.dimension();

    let mut fitted = Vec::new();
    for_batches(FIT_ROWS.min(args.events), |rows| embed(&data, rows, &mut embedder, &mut fitted))?;
    let clusters = Clusters::fit(&fitted, dimension, &mut Random::new(args.seed, 2));
    drop(fitted);
    let groups = write_rows(&args, &data, &mut embedder, &clusters, dimension)?;

    let events: Vec<Event> = (0..QUERIES).map(|place| data.question(place)).collect();
    let mut by_event = Vec::new();
    embedder.embed(&events.iter().collect::<Vec<_>>(), &mut by_event)?;
    let texts = questions::questions(QUERIES, args.seed)?;
    let mut by_text = Vec::new();
    QueryEmbedder::load(&Model::builtin_query()?, Precision::Auto)?
        .embed(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &mut by_text)?;
    npy::write(&args.out.join("queries-event.npy"), &by_event, dimension)?;
    npy::write(&args.out.join("queries-text.npy"), &by_text, dimension)?;
    fs_err::write(args.out.join("questions.txt"), texts.join("\n") + "\n")?;
    let lines = lines(&clusters, dimension, &by_text, &by_event, &groups);
    fs_err::write(args.out.join("filters.json"), serde_json::to_string(&lines)?)?;
    about(&args, &data, &model)?;
    eprintln!("{} rows in {:.1} s", args.events, began.elapsed().as_secs_f64());
    Ok(())
}

fn write_rows(
    args: &Args,
    data: &Dataset,
    embedder: &mut EventEmbedder,
    clusters: &Clusters,
    dimension: usize,
) -> anyhow::Result<Vec<u16>> {
    let mut base = npy::Writer::create(&args.out.join("base.npy"), dimension)?;
    let (mut groups, mut draws) = (Vec::new(), Vec::new());
    let mut vectors = Vec::new();
    for_batches(args.events, |rows| {
        vectors.clear();
        embed(data, rows.clone(), embedder, &mut vectors)?;
        base.write(&vectors)?;
        let assigned = clusters.assign(&vectors);
        draws.extend(rows.zip(&assigned).map(|(row, group)| data.fields(row, *group).draw));
        groups.extend(assigned);
        Ok(())
    })?;
    base.finish()?;
    npy::write(&args.out.join("draw.npy"), &draws, 1)?;
    npy::write(&args.out.join("group.npy"), &groups, 1)?;
    Ok(groups)
}

fn for_batches(rows: u64, mut work: impl FnMut(std::ops::Range<u64>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    (0..rows).step_by(BATCH as usize).try_for_each(|from| work(from..rows.min(from + BATCH)))
}

fn embed(
    data: &Dataset,
    rows: std::ops::Range<u64>,
    embedder: &mut EventEmbedder,
    vectors: &mut Vec<f32>,
) -> anyhow::Result<()> {
    let events: Vec<Event> = rows.map(|row| data.event(row)).collect();
    embedder.embed(&events.iter().collect::<Vec<_>>(), vectors).context("a batch of rows")
}

/// What the folder holds; written last, so that a folder with it is whole.
fn about(args: &Args, data: &Dataset, model: &Model) -> anyhow::Result<()> {
    let about = serde_json::json!({
        "events": args.events, "seed": args.seed, "dimension": model.dimension(), "model": model.manifest().name,
        "space": model.manifest().space, "real_flows": data.flows(), "held_out_flows": data.held_out(),
        "origins": data.origins, "questions": QUERIES,
    });
    write_text(&args.out.join("about.json"), &serde_json::to_string_pretty(&about)?)
}

fn write_text(path: &Path, text: &str) -> anyhow::Result<()> {
    Ok(fs_err::write(path, format!("{text}\n"))?)
}
