//! Timeline and facets: counts over everything that matches, exact.

mod cache;
mod counts;
mod facets;
mod timeline;

pub(crate) use cache::Cache;
pub(crate) use facets::facets;
pub(crate) use timeline::timeline;

use crate::bitmap::Bitmap;
use crate::segment::Segment;

/// A segment with its matching rows.
pub(crate) type Matching<'a> = (&'a Segment, &'a Bitmap);
