//! Small JSON files that know when they are damaged.
//!
//! Layout: one line with the SHA-256 of everything after it, in hex, then the JSON. A changed, cut or empty file is told
//! apart from a good one without trusting anything in it.

use std::path::Path;

use fs_err as fs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::limits::MANIFEST_BYTES_MAX;

const HEX_CHARS: usize = 64;

/// The bytes of a sealed file holding `value`.
pub(crate) fn bytes<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut body = serde_json::to_vec_pretty(value)?;
    body.push(b'\n');
    let mut sealed = hex(&Sha256::digest(&body)).into_bytes();
    sealed.push(b'\n');
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

/// What a sealed file holds, or what is wrong with it in words. `Ok(None)` where there is no file.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if length > MANIFEST_BYTES_MAX {
        return Err(format!("{length} bytes, the limit is {MANIFEST_BYTES_MAX}"));
    }
    let sealed = fs::read(path).map_err(|error| error.to_string())?;
    let (seal, body) = sealed.split_at_checked(HEX_CHARS + 1).ok_or("cut short")?;
    if seal[HEX_CHARS] != b'\n' || seal[..HEX_CHARS] != *hex(&Sha256::digest(body)).as_bytes() {
        return Err("its checksum does not match".to_owned());
    }
    serde_json::from_slice(body).map(Some).map_err(|error| error.to_string())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_changed_byte_and_any_cut_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sealed");
        assert_eq!(read::<Vec<u32>>(&path), Ok(None));
        let good = bytes(&vec![1u32, 2, 3]).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(read::<Vec<u32>>(&path).is_err(), "byte {place}");
            fs::write(&path, &good[..place]).unwrap();
            assert!(read::<Vec<u32>>(&path).is_err(), "cut at {place}");
        }
        fs::write(&path, &good).unwrap();
        assert_eq!(read::<Vec<u32>>(&path), Ok(Some(vec![1, 2, 3])));
    }
}
