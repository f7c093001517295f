//! Verifying, after opening, what opening left for later.
//!
//! Opening a large index verifies what is parsed and leaves the large arrays, which may hold any bytes without harm, to the
//! background. Until a segment is verified it serves and is merged with nothing: damage must not be sealed again under a new
//! checksum. A segment found damaged is set aside as at opening, and the others go on.

use crate::IndexError;
use crate::segment::{Fault, verify_mapped};
use crate::shared::Shared;
use crate::store::set_aside;
use crate::writer::Writer;

impl Writer {
    /// Verifies a segment that was not verified yet; whether there was one.
    pub(crate) fn verify_one(&self, shared: &Shared) -> Result<bool, IndexError> {
        let snapshot = shared.snapshot();
        let Some(segment) = snapshot.sealed().find(|segment| !segment.is_verified()).cloned() else {
            return Ok(false);
        };
        drop(snapshot);
        let reason = match verify_mapped(&shared.dir, &segment) {
            Ok(()) => return Ok(true),
            Err(Fault::Damaged(reason)) => reason,
            Err(Fault::Unreadable(error)) => return Err(error.into()),
        };
        let mut catalog = self.catalog();
        let Some(listed) = catalog.segments.iter().find(|listed| listed.name == segment.name()).cloned() else {
            return Ok(true); // dropped meanwhile
        };
        // Searches that run keep the files they have open, wherever the folder is.
        let damaged = set_aside(&shared.dir, listed, reason)?;
        self.write_catalog(shared, &mut catalog, |manifest| {
            manifest.strike(&[segment.name().to_owned()]);
            manifest.damaged.push(damaged.clone());
        })?;
        shared.update(|snapshot| snapshot.remove(std::slice::from_ref(&segment)));
        shared.add_damaged(damaged);
        shared.retire([segment]);
        Ok(true)
    }
}
