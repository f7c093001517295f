//! Members of JSON objects, typed and with an error that names them.

use std::net::IpAddr;

use crate::ParseError;
use crate::json::{Members, Value};

/// The object called `name`, if it is there.
pub(crate) fn object<'t, 'l>(members: Members<'t, 'l>, name: &str) -> Option<Members<'t, 'l>> {
    members.find(name).and_then(Value::members)
}

/// The string called `name`, if it is there and one.
pub(crate) fn text<'l>(members: Members<'_, 'l>, name: &str) -> Option<&'l str> {
    members.find(name).and_then(Value::text)
}

/// The number called `name`, NaN if it is not there or none. Nothing below zero: no count and no duration is.
pub(crate) fn amount(members: Members<'_, '_>, name: &str) -> f64 {
    let number = members.find(name).and_then(Value::number);
    number.filter(|number| *number >= 0.0).unwrap_or(f64::NAN)
}

/// The address called `name`.
pub(crate) fn address(members: Members<'_, '_>, name: &'static str) -> Result<IpAddr, ParseError> {
    let text = text(members, name).ok_or(ParseError::Missing(name))?;
    text.parse().map_err(|_| ParseError::invalid(name, "not an IPv4 or IPv6 address"))
}

/// The whole number called `name`, if it is there; an error if it is another thing or too large.
pub(crate) fn whole<N: TryFrom<u64>>(members: Members<'_, '_>, name: &'static str) -> Result<Option<N>, ParseError> {
    let Some(value) = members.find(name) else { return Ok(None) };
    let fits = value.unsigned().and_then(|number| N::try_from(number).ok());
    fits.map(Some).ok_or(ParseError::Type { field: name, expected: "a whole number in its range" })
}
