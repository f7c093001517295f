//! Opens whatever it is given: a capture through the flow meter, every other format through its importer; files, standard
//! input, and objects of S3.

mod names;
#[cfg(feature = "s3")]
mod s3;
mod stdin;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forebay_ebpf::{CaptureSource, MeterConfig};
use forebay_event::import::{self, Detection};
use forebay_event::source::{EventSource, SourceError};

use crate::config::Meter;

pub(crate) use names::{Place, expand};
use stdin::Stdin;

const MICROSECONDS: i64 = 1_000_000;

/// Opens `path`, standard input for `-`, or the object of an `s3://` URL, by what its first bytes say.
pub(crate) fn open(path: &Path, meter: &Meter) -> Result<Box<dyn EventSource>, SourceError> {
    if names::is_object(path) {
        return open_place(&object(path)?, meter);
    }
    let place = if path == Path::new("-") { Place::Stdin } else { Place::File(path.to_owned()) };
    open_place(&place, meter)
}

/// Opens standard input by what its first bytes say; reading it ends with an error soon after `stop` is set.
pub(crate) fn open_stdin(meter: &Meter, stop: &Arc<AtomicBool>) -> Result<Box<dyn EventSource>, SourceError> {
    open_medium(&Place::Stdin, Box::new(Stdin::new(Arc::clone(stop))), None, meter)
}

/// Opens one input by what its first bytes say.
pub(crate) fn open_place(place: &Place, meter: &Meter) -> Result<Box<dyn EventSource>, SourceError> {
    let name = place.name();
    let (medium, total): (Box<dyn Read + Send>, Option<u64>) = match place {
        Place::Stdin => (Box::new(std::io::stdin()), None),
        Place::File(path) => {
            #[allow(clippy::disallowed_methods, reason = "not through `fs_err`: our errors name the input already")]
            let file = std::fs::File::open(path).map_err(|error| io_error(&name, error))?;
            let metadata = file.metadata().map_err(|error| io_error(&name, error))?;
            let total = metadata.is_file().then_some(metadata.len());
            (Box::new(file), total)
        }
        #[cfg(feature = "s3")]
        Place::Object(object) => (Box::new(object.read()), Some(object.bytes())),
    };
    open_medium(place, medium, total, meter)
}

fn open_medium(
    place: &Place,
    medium: Box<dyn Read + Send>,
    total: Option<u64>,
    meter: &Meter,
) -> Result<Box<dyn EventSource>, SourceError> {
    let name = place.name();
    let input = import::decompress(&name, medium, total)?;
    match (import::detect(input.head()), place) {
        (Detection::Pcap | Detection::PcapNg, Place::File(path)) if total.is_some() => {
            Ok(Box::new(CaptureSource::open_path(path, meter_config(meter, path))?))
        }
        (Detection::Pcap | Detection::PcapNg, _) => {
            let config = meter_config(meter, Path::new(&name));
            Ok(Box::new(CaptureSource::from_reader(name, Box::new(input.into_reader()), None, config)?))
        }
        _ => import::open_input(input),
    }
}

/// The one object that `url` names.
#[cfg(feature = "s3")]
fn object(url: &Path) -> Result<Place, SourceError> {
    let name = url.display().to_string();
    let mut found = s3::find(&name, 1).map_err(|error| {
        let text = error.to_string();
        let text = text.strip_prefix(&format!("{name}: ")).unwrap_or(&text).to_owned();
        io_error(&name, std::io::Error::new(std::io::ErrorKind::NotFound, text))
    })?;
    match (found.pop(), found.is_empty()) {
        (Some(object), true) => Ok(Place::Object(object)),
        _ => {
            Err(io_error(&name, std::io::Error::new(std::io::ErrorKind::InvalidFilename, "one object is wanted here")))
        }
    }
}

#[cfg(not(feature = "s3"))]
fn object(url: &Path) -> Result<Place, SourceError> {
    let reason = "this program was built without S3; build it with the feature `s3`";
    Err(io_error(&url.display().to_string(), std::io::Error::new(std::io::ErrorKind::Unsupported, reason)))
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
