//! The cells of one row, before they mean anything.

use std::net::IpAddr;

use crate::ParseError;

use super::columns::{COLUMN_COUNT, Column, Header};

/// Numbers by column, NaN where there is none, and the cells that are text.
pub(crate) struct Row<'l> {
    numbers: [f64; COLUMN_COUNT],
    pub(crate) src_ip: Option<&'l str>,
    pub(crate) dst_ip: Option<&'l str>,
    pub(crate) timestamp: Option<&'l str>,
    pub(crate) label: Option<&'l str>,
    /// Cells that held `Infinity` or `NaN`.
    pub(crate) not_finite: u64,
    /// Cells below zero, where that cannot be.
    pub(crate) negative: u64,
}

/// What the meter writes where a window or an ICMP type does not apply.
const NOT_APPLICABLE: f64 = -1.0;

impl<'l> Row<'l> {
    /// Reads `line` under `header`.
    pub(crate) fn read(line: &'l str, header: &Header) -> Result<Self, ParseError> {
        let mut row = Self {
            numbers: [f64::NAN; COLUMN_COUNT],
            src_ip: None,
            dst_ip: None,
            timestamp: None,
            label: None,
            not_finite: 0,
            negative: 0,
        };
        let mut found = 0;
        for cell in Cells(Some(line)) {
            if let Some(Some(column)) = header.cells.get(found) {
                row.put(*column, cell.trim())?;
            }
            found += 1;
        }
        if found != header.cells.len() {
            return Err(ParseError::Cells { found, expected: header.cells.len() });
        }
        Ok(row)
    }

    /// The number in `column`.
    pub(crate) fn number(&self, column: Column) -> f64 {
        self.numbers[column as usize]
    }

    /// The whole number in `column`, if it is there; data sets write `80` as well as `80.0`.
    pub(crate) fn whole<N: TryFrom<u64>>(
        &self,
        column: Column,
        field: &'static str,
        expected: &'static str,
    ) -> Result<Option<N>, ParseError> {
        let number = self.number(column);
        if number.is_nan() {
            return Ok(None);
        }
        let whole = Some(number).filter(|number| *number >= 0.0 && number.fract() == 0.0 && *number < 1e15);
        let fits = whole.and_then(|whole| N::try_from(whole as u64).ok());
        fits.map(Some).ok_or(ParseError::Type { field, expected })
    }

    /// The address in a cell that should hold one.
    pub(crate) fn address(cell: Option<&str>, field: &'static str) -> Result<Option<IpAddr>, ParseError> {
        let Some(cell) = cell else { return Ok(None) };
        let address = cell.parse().map_err(|_| ParseError::invalid(field, "not an IPv4 or IPv6 address"))?;
        Ok(Some(address))
    }

    fn put(&mut self, column: Column, cell: &'l str) -> Result<(), ParseError> {
        let filled = Some(cell).filter(|cell| !cell.is_empty());
        match column {
            Column::SrcIp => self.src_ip = filled,
            Column::DstIp => self.dst_ip = filled,
            Column::Timestamp => self.timestamp = filled,
            Column::Label => self.label = filled,
            _ => self.put_number(column, cell)?,
        }
        Ok(())
    }

    fn put_number(&mut self, column: Column, cell: &str) -> Result<(), ParseError> {
        if cell.is_empty() {
            return Ok(());
        }
        // The parser of the standard library knows every spelling of infinity and NaN that the data sets use.
        let value: f64 = cell
            .parse()
            .map_err(|_| ParseError::invalid("a numeric column", format!("{cell:.40?} is not a number")))?;
        let allowed = [Column::FwdInitWindow, Column::BwdInitWindow, Column::IcmpType, Column::IcmpCode];
        if !value.is_finite() {
            self.not_finite += 1;
        } else if value < 0.0 && !(value == NOT_APPLICABLE && allowed.contains(&column)) {
            self.negative += 1;
        } else {
            self.numbers[column as usize] = value;
        }
        Ok(())
    }
}

/// The cells of a line: split at commas outside quotes, quotes around a cell taken off.
struct Cells<'l>(Option<&'l str>);

impl<'l> Iterator for Cells<'l> {
    type Item = &'l str;

    fn next(&mut self) -> Option<&'l str> {
        let rest = self.0?;
        let (cell, after) = match rest.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
            // Whatever stands between the closing quote and the comma is passed over.
            Some((cell, tail)) => (cell, tail.split_once(',').map(|(_, after)| after)),
            None => match rest.split_once(',') {
                Some((cell, after)) => (cell, Some(after)),
                None => (rest, None),
            },
        };
        self.0 = after;
        Some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_may_be_quoted_and_empty() {
        let cells: Vec<_> = Cells(Some("a,\"b,c\",,d,")).collect();
        assert_eq!(cells, ["a", "b,c", "", "d", ""]);
    }
}
