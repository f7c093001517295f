//! Opens whatever file it is given: a capture through the flow meter, every other format through its importer.

use std::io::Read;
use std::path::Path;

use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::import::{self, Detection};
use forebay_event::source::{EventSource, SourceError};

use crate::config::Meter;

const MICROSECONDS: i64 = 1_000_000;

/// Opens `path`, or standard input for `-`, by what its first bytes say.
pub(crate) fn open(path: &Path, meter: &Meter) -> Result<Box<dyn EventSource>, SourceError> {
    let name = path.display().to_string();
    let from_stdin = name == "-";
    let (medium, total): (Box<dyn Read + Send>, Option<u64>) = if from_stdin {
        (Box::new(std::io::stdin()), None)
    } else {
        #[allow(clippy::disallowed_methods, reason = "not through `fs_err`: our errors name the input already")]
        let file = std::fs::File::open(path).map_err(|error| io_error(&name, error))?;
        let metadata = file.metadata().map_err(|error| io_error(&name, error))?;
        let total = metadata.is_file().then_some(metadata.len());
        (Box::new(file), total)
    };
    let input = import::decompress(&name, medium, total)?;
    match import::detect(input.head()) {
        Detection::Pcap | Detection::PcapNg if total.is_some() => {
            Ok(Box::new(CaptureSource::open_path(path, meter_config(meter, path))?))
        }
        Detection::Pcap | Detection::PcapNg => {
            let reader = Box::new(input.into_reader());
            Ok(Box::new(CaptureSource::from_reader(name, reader, None, meter_config(meter, path))?))
        }
        _ => import::open_input(input),
    }
}

/// The meter's settings. Events name the file they come from as their interface, without its folders: the same capture
/// gives the same events wherever it lies.
fn meter_config(meter: &Meter, path: &Path) -> MeterConfig {
    MeterConfig {
        idle_timeout_us: meter.idle_timeout_s as i64 * MICROSECONDS,
        active_timeout_us: meter.active_timeout_s as i64 * MICROSECONDS,
        activity_timeout_us: meter.activity_timeout_s as i64 * MICROSECONDS,
        flows_max: meter.flows_max,
        node_id: meter.node_id.clone(),
        sensor: meter.sensor.clone(),
        interface: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

fn io_error(name: &str, error: std::io::Error) -> SourceError {
    SourceError::Io { name: name.to_owned(), error }
}

/// What to do about a damaged input.
pub(crate) const KEEP_GOING_HINT: &str =
    "with --keep-going the rest of a damaged input is left out and the others are read";

/// Exit code where everything was done, but damaged inputs were left out in part, as `--keep-going` asked.
const EXIT_DAMAGED: i32 = 2;

/// Whether the content of an input is at fault, and not the medium: only then the next input may fare better.
pub(crate) fn is_damage(error: &SourceError) -> bool {
    matches!(error, SourceError::Damaged { .. } | SourceError::Unrecognised { .. })
}

/// Says how many of the inputs were not read to their end.
pub(crate) fn tell_damaged(damaged: usize, inputs: usize) {
    let were = if damaged == 1 { "input was" } else { "inputs were" };
    eprintln!("forebay: {damaged} {were} damaged (of {inputs}); the output holds what could be read");
}

/// Ends the process after [`tell_damaged`]; everything must be written.
pub(crate) fn exit_damaged() -> ! {
    std::process::exit(EXIT_DAMAGED)
}
