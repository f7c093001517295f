//! The fast fields of a segment: the value of a field for any row.

use std::net::Ipv6Addr;

use tantivy::SegmentReader;
use tantivy::columnar::{Column, StrColumn};

use super::schema::name;
use crate::IndexError;

/// The columns every search may need, opened once. A column no event has a value in is empty.
pub(crate) struct Columns {
    pub(crate) seq: Column<u64>,
    pub(crate) start: Column<i64>,
    pub(crate) src_ip: Column<Ipv6Addr>,
    pub(crate) dst_ip: Column<Ipv6Addr>,
    pub(crate) src_port: Column<u64>,
    pub(crate) dst_port: Column<u64>,
    pub(crate) protocol: Column<u64>,
    pub(crate) service: Column<u64>,
    pub(crate) verdict: Column<u64>,
    /// Lower case.
    pub(crate) family: Option<StrColumn>,
    /// Lower case.
    pub(crate) host: Option<StrColumn>,
}

impl Columns {
    pub(super) fn open(reader: &SegmentReader) -> Result<Self, IndexError> {
        let fast = reader.fast_fields();
        let rows = reader.max_doc();
        let number = |name| -> Result<Column<u64>, IndexError> {
            Ok(fast.column_opt(name)?.unwrap_or_else(|| Column::build_empty_column(rows)))
        };
        // `Ipv6Addr` has no default, so tantivy cannot make an empty column of it; every event has both addresses.
        let address = |name: &str| -> Result<Column<Ipv6Addr>, IndexError> { Ok(fast.ip_addr(name)?) };
        Ok(Self {
            seq: number(name::SEQ)?,
            start: fast.column_opt(name::START)?.unwrap_or_else(|| Column::build_empty_column(rows)),
            src_ip: address(name::SRC_IP)?,
            dst_ip: address(name::DST_IP)?,
            src_port: number(name::SRC_PORT)?,
            dst_port: number(name::DST_PORT)?,
            protocol: number(name::PROTOCOL)?,
            service: number(name::SERVICE)?,
            verdict: number(name::VERDICT)?,
            family: fast.str(name::FAMILY)?,
            host: fast.str(name::HOST)?,
        })
    }
}

/// Rows whose values are read at a time.
const BLOCK_ROWS: usize = 1_024;

/// Calls `each` with the value of every one of `rows` that has one. Blocks are several times faster than row by row.
pub(crate) fn for_values<T>(column: &Column<T>, rows: impl Iterator<Item = u32>, mut each: impl FnMut(u32, T))
where
    T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static,
{
    let mut rows = rows.peekable();
    let mut block: Vec<u32> = Vec::with_capacity(BLOCK_ROWS);
    let mut values: Vec<Option<T>> = Vec::with_capacity(BLOCK_ROWS);
    while rows.peek().is_some() {
        block.clear();
        block.extend(rows.by_ref().take(BLOCK_ROWS));
        values.clear();
        values.resize(block.len(), None);
        column.first_vals(&block, &mut values);
        for (row, value) in block.iter().zip(&values) {
            if let Some(value) = value {
                each(*row, *value);
            }
        }
    }
}

/// The column of a feature or a sum. `None` where no event of the segment knows it.
pub(super) fn feature(reader: &SegmentReader, name: &str) -> Result<Option<Column<f64>>, IndexError> {
    Ok(reader.fast_fields().column_opt(name)?)
}
