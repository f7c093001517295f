//! How the columns of a part are encoded.

use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::BatchError;
use super::manifest::ModelIdentity;
use super::rows::VECTOR;

/// Level that costs little more than no compression.
const ZSTD_LEVEL: i32 = 1;

/// Columns with so many equal texts that a dictionary is worth hashing each of them. Where nearly all are equal the compressor
/// does as well, and where nearly none are (features, identifiers, times) a dictionary costs more than everything else together.
const REPEATING: &[&str] =
    &["src_ip", "dst_ip", "app_protocol", "app_host", "verdict", "family", "technique", "label_truth"];

/// Vectors are noise to a compressor and to statistics, so they get neither; the columns beside them do, statistics for each
/// row group.
pub(super) fn properties(model: &ModelIdentity) -> Result<WriterProperties, BatchError> {
    let vector = ColumnPath::new(vec![VECTOR.to_owned(), "list".to_owned(), "element".to_owned()]);
    let entries = [
        ("forebay.model", model.name.clone()),
        ("forebay.model_version", model.version.to_string()),
        ("forebay.model_sha256", model.sha256.clone()),
        ("forebay.precision", model.precision.clone()),
        ("forebay.space", model.space.clone()),
        ("forebay.dimension", model.dimension.to_string()),
    ];
    let metadata = entries.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("forebay ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_compression(vector.clone(), Compression::UNCOMPRESSED)
        .set_column_statistics_enabled(vector, EnabledStatistics::None)
        .set_key_value_metadata(Some(metadata));
    for name in REPEATING {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*name), true);
    }
    Ok(builder.build())
}
