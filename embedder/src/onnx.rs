//! A reader of the few fields of an ONNX file that decide whether it is handed to the runtime at all.
//!
//! An ONNX file is a protocol-buffer message `ModelProto` (onnx/onnx.proto): field 1 `ir_version`, field 7 `graph`,
//! field 8 `opset_import` (a message: 1 `domain`, 2 `version`). In the graph, field 5 holds the initializers, whose
//! field 14 `data_location` is 1 where the weights lie in another file; such files are not covered by the manifest's
//! hash, so they are refused. Everything else is skipped over.

use crate::limits::{IR_RANGE, OPSET_RANGE};

const MODEL_IR_VERSION: u64 = 1;
const MODEL_GRAPH: u64 = 7;
const MODEL_OPSET_IMPORT: u64 = 8;
const OPSET_DOMAIN: u64 = 1;
const OPSET_VERSION: u64 = 2;
const GRAPH_INITIALIZER: u64 = 5;
const TENSOR_DATA_LOCATION: u64 = 14;
const LOCATION_EXTERNAL: u64 = 1;

/// What the head of an ONNX file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Header {
    ir_version: i64,
    opset: Option<i64>,
    external: bool,
}

/// Checks IR version, operator set and that the weights are inside. The error is a sentence for the user.
pub(crate) fn check(bytes: &[u8], opset_expected: i64) -> Result<(), String> {
    let Some(header) = header(bytes) else {
        return Err("not an ONNX file; export the model as ONNX again".to_owned());
    };
    if !IR_RANGE.contains(&header.ir_version) {
        return Err(format!(
            "ONNX IR version is {}; {} to {} are accepted. Export with ir_version = 8",
            header.ir_version,
            IR_RANGE.start(),
            IR_RANGE.end()
        ));
    }
    let Some(opset) = header.opset else {
        return Err("no operator set of the default domain is named; export with opset 17".to_owned());
    };
    if !OPSET_RANGE.contains(&opset) {
        return Err(format!(
            "opset is {opset}; {} to {} are accepted. Export with opset 17",
            OPSET_RANGE.start(),
            OPSET_RANGE.end()
        ));
    }
    if opset != opset_expected {
        return Err(format!("opset is {opset} but the manifest says {opset_expected}; correct manifest.json"));
    }
    if header.external {
        return Err("weights lie in another file; save the model with its weights inside".to_owned());
    }
    Ok(())
}

fn header(bytes: &[u8]) -> Option<Header> {
    let mut header = Header::default();
    for field in Fields(bytes) {
        match field? {
            (MODEL_IR_VERSION, Value::Number(version)) => header.ir_version = version as i64,
            (MODEL_OPSET_IMPORT, Value::Bytes(message)) => {
                let import = opset_import(message)?;
                if import.is_default {
                    header.opset = Some(import.version);
                }
            }
            (MODEL_GRAPH, Value::Bytes(graph)) => header.external |= has_external(graph)?,
            _ => {}
        }
    }
    Some(header)
}

/// One operator set that the model uses.
struct OpsetImport {
    is_default: bool,
    version: i64,
}

fn opset_import(message: &[u8]) -> Option<OpsetImport> {
    let mut import = OpsetImport { is_default: true, version: 0 };
    for field in Fields(message) {
        match field? {
            (OPSET_DOMAIN, Value::Bytes(domain)) => import.is_default = domain.is_empty() || domain == b"ai.onnx",
            (OPSET_VERSION, Value::Number(number)) => import.version = number as i64,
            _ => {}
        }
    }
    Some(import)
}

fn has_external(graph: &[u8]) -> Option<bool> {
    for field in Fields(graph) {
        let (GRAPH_INITIALIZER, Value::Bytes(tensor)) = field? else { continue };
        for field in Fields(tensor) {
            if let (TENSOR_DATA_LOCATION, Value::Number(LOCATION_EXTERNAL)) = field? {
                return Some(true);
            }
        }
    }
    Some(false)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// Walks the fields of a protocol-buffer message; yields `None` and ends where the bytes are not one.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for place in 0..10 {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A model with IR 8, the given opset and one initializer with the given data location.
    fn model(opset: u8, location: u8) -> Vec<u8> {
        let tensor = [14 << 3, location];
        let mut graph = vec![5 << 3 | 2, tensor.len() as u8];
        graph.extend(tensor);
        let mut model = vec![1 << 3, 8, 8 << 3 | 2, 4, 1 << 3 | 2, 0, 2 << 3, opset, 7 << 3 | 2, graph.len() as u8];
        model.extend(graph);
        model
    }

    #[test]
    fn versions_and_places_are_read() {
        check(&model(17, 0), 17).unwrap();
        assert!(check(&model(17, 0), 16).unwrap_err().contains("manifest says 16"));
        assert!(check(&model(99, 0), 99).unwrap_err().contains("opset is 99"));
        assert!(check(&model(17, 1), 17).unwrap_err().contains("another file"));
        assert!(check(b"", 17).unwrap_err().contains("IR version is 0"));
        assert!(check(b"<html>not found</html>", 17).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes, 17);
        }

        #[test]
        fn no_cut_makes_it_panic(cut in 0usize..20) {
            let model = model(17, 0);
            let _ = check(&model[..cut.min(model.len())], 17);
        }
    }
}
