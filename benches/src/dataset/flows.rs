//! Every real flow that can be had: the bundled capture, and the public data beside the repository when it is there.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::Event;
use forebay_event::import::{self, Detection};
use forebay_event::source::{EventSource, Item};

/// Where flows come from, and how many.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Origins {
    /// Files that were read, and the flows of each.
    pub read: Vec<(String, usize)>,
    /// Files that were left out, and why.
    pub left_out: Vec<(String, String)>,
    /// Records that were no event.
    pub rejected: usize,
}

/// The folder of public data: `FOREBAY_SHARED`, or `../shared` beside the repository.
pub fn shared_folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("FOREBAY_SHARED").map_or_else(beside, PathBuf::from)
}

/// Reads the bundled capture, then captures and tables of `shared`. What is missing is said on standard error.
pub fn real_flows(shared: &Path) -> anyhow::Result<(Vec<Event>, Origins)> {
    let mut origins = Origins::default();
    let mut flows = Vec::new();
    read(&crate::sample(), &mut flows, &mut origins).context("the bundled capture")?;
    for folder in ["data/pcaps", "data/flows"] {
        let folder = shared.join(folder);
        let Ok(entries) = fs_err::read_dir(&folder) else {
            eprintln!("ABSENT: {}: the figures rest on the bundled capture alone, jittered more", folder.display());
            origins.left_out.push((folder.display().to_string(), "absent".to_owned()));
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "gz")) {
            if let Err(error) = read(path, &mut flows, &mut origins) {
                eprintln!("LEFT OUT: {error:#}");
                origins.left_out.push((file_name(path), format!("{error:#}")));
            }
        }
    }
    Ok((flows, origins))
}

fn read(path: &Path, flows: &mut Vec<Event>, origins: &mut Origins) -> anyhow::Result<()> {
    let mut source = open(path)?;
    let before = flows.len();
    let mut event = Event::default();
    loop {
        match source.read(&mut event)? {
            Item::Event => flows.push(event.clone()),
            Item::Rejected(_) => origins.rejected += 1,
            Item::End => break,
        }
    }
    origins.read.push((file_name(path), flows.len() - before));
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Box<dyn EventSource>> {
    let input = import::decompress_path(path)?;
    Ok(match import::detect(input.head()) {
        Detection::Pcap | Detection::PcapNg => Box::new(CaptureSource::open_path(path, MeterConfig::default())?),
        _ => import::open_input(input)?,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
