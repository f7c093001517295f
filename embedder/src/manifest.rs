//! `manifest.json` of a model folder: parsed once, and true to `models/README.md` from then on.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use crate::limits::{BUCKETS_MAX, DIMENSION_MAX, IDS_MAX, OPSET_RANGE};

/// What a model folder says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Manifest {
    /// For example `event-256`.
    pub name: String,
    /// Counts up with every training.
    pub version: u32,
    /// What it embeds.
    pub kind: Kind,
    /// Models with the same space make vectors that can be compared.
    pub space: String,
    /// Numbers in a vector.
    pub dimension: usize,
    /// Operator set of the default domain.
    pub opset: i64,
    /// Key in `files` of the network that is used unless the user says otherwise: `fp32` or `int8`.
    pub default: String,
    /// The networks: `fp32`, `int8` or both.
    pub files: BTreeMap<String, ModelFile>,
    /// What the network takes.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub output: Port,
    /// How words become ids; only a query model has one.
    #[serde(default)]
    pub tokenizer: Option<Tokenizer>,
}

/// What a model embeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Events.
    Event,
    /// Questions in words.
    Query,
}

/// One network of a model.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ModelFile {
    /// Name within the folder.
    pub file: String,
    /// Hex digest.
    pub sha256: String,
    /// Lowest cosine to the fp32 network over the events it was checked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine_to_fp32_min: Option<f64>,
}

/// An input or output of a network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Port {
    /// As in the graph.
    pub name: String,
    /// `f32` or `i64`.
    pub r#type: String,
    /// Numbers are fixed sizes, names are free ones.
    pub shape: Vec<Dim>,
}

/// One dimension of a [`Port`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Dim {
    /// Always this size.
    Fixed(i64),
    /// Any size, for example the batch `B`.
    Free(String),
}

/// How words become ids.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind")]
pub enum Tokenizer {
    /// See `models/README.md` and [`crate::tokenize`].
    #[serde(rename = "hashed-ngrams-v1")]
    HashedNgramsV1 {
        /// Ids are below this.
        buckets: u32,
        /// Ids kept of a text.
        ids_max: usize,
    },
}

impl Manifest {
    /// Reads and checks a manifest; the error is a sentence for whoever wrote it.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(text).map_err(|error| format!("not a model manifest: {error}"))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.dimension == 0 || self.dimension > DIMENSION_MAX {
            return Err(format!("dimension is {}; it must be 1 to {DIMENSION_MAX}", self.dimension));
        }
        if !OPSET_RANGE.contains(&self.opset) {
            return Err(format!(
                "opset is {}; {} to {} are accepted",
                self.opset,
                OPSET_RANGE.start(),
                OPSET_RANGE.end()
            ));
        }
        self.check_files()?;
        self.check_ports()?;
        self.check_tokenizer()
    }

    fn check_files(&self) -> Result<(), String> {
        for (precision, file) in &self.files {
            if !["fp32", "int8"].contains(&precision.as_str()) {
                return Err(format!("files holds {precision:?}; only fp32 and int8 are known"));
            }
            if !is_plain_name(&file.file) {
                return Err(format!("file {:?} must be the name of a file in the model's own folder", file.file));
            }
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("sha256 of {precision} must be 64 hex digits"));
            }
        }
        if !self.files.contains_key(&self.default) {
            return Err(format!("default is {:?}, which files does not list", self.default));
        }
        Ok(())
    }

    /// The inputs and the output must be those of the kind, since this program fills them.
    fn check_ports(&self) -> Result<(), String> {
        let expected = expected_inputs(self.kind);
        for port in &expected {
            match self.inputs.iter().find(|input| input.name == port.name) {
                None => return Err(format!("inputs lacks {:?}, which a model of this kind must take", port.name)),
                Some(found) if !same_form(found, port) => {
                    return Err(format!(
                        "input {} must be {}, the manifest says {}",
                        port.name,
                        form(port),
                        form(found)
                    ));
                }
                Some(_) => {}
            }
        }
        if let Some(extra) = self.inputs.iter().find(|input| expected.iter().all(|port| port.name != input.name)) {
            return Err(format!("input {:?} is not one this program can fill", extra.name));
        }
        if self.inputs.len() != expected.len() {
            return Err("an input is listed twice".to_owned());
        }
        let output = port(&self.output.name, "f32", vec![free("B"), Dim::Fixed(self.dimension as i64)]);
        if !same_form(&self.output, &output) {
            return Err(format!("output must be {}, the manifest says {}", form(&output), form(&self.output)));
        }
        Ok(())
    }

    fn check_tokenizer(&self) -> Result<(), String> {
        match (self.kind, &self.tokenizer) {
            (Kind::Event, None) => Ok(()),
            (Kind::Event, Some(_)) => Err("an event model has no tokenizer; set it to null".to_owned()),
            (Kind::Query, None) => Err("a query model needs a tokenizer".to_owned()),
            (Kind::Query, Some(Tokenizer::HashedNgramsV1 { buckets, ids_max })) => {
                if !(2..=BUCKETS_MAX).contains(buckets) {
                    return Err(format!("tokenizer.buckets is {buckets}; it must be 2 to {BUCKETS_MAX}"));
                }
                if !(1..=IDS_MAX).contains(ids_max) {
                    return Err(format!("tokenizer.ids_max is {ids_max}; it must be 1 to {IDS_MAX}"));
                }
                Ok(())
            }
        }
    }
}

/// A port in words, for messages: `f32 [B, 83]`.
pub(crate) fn form(port: &Port) -> String {
    let dims: Vec<String> = port
        .shape
        .iter()
        .map(|dim| match dim {
            Dim::Fixed(size) => size.to_string(),
            Dim::Free(name) => name.clone(),
        })
        .collect();
    format!("{} [{}]", port.r#type, dims.join(", "))
}

fn expected_inputs(kind: Kind) -> Vec<Port> {
    match kind {
        Kind::Event => vec![
            port("features", "f32", vec![free("B"), Dim::Fixed(forebay_event::FEATURE_COUNT as i64)]),
            port("protocol", "i64", vec![free("B")]),
            port("service", "i64", vec![free("B")]),
        ],
        Kind::Query => vec![port("ids", "i64", vec![free("B"), free("L")])],
    }
}

fn port(name: &str, kind: &str, shape: Vec<Dim>) -> Port {
    Port { name: name.to_owned(), r#type: kind.to_owned(), shape }
}

fn free(name: &str) -> Dim {
    Dim::Free(name.to_owned())
}

/// Same type, same rank, fixed sizes equal, free where free. The names of free dimensions do not matter.
fn same_form(a: &Port, b: &Port) -> bool {
    a.r#type == b.r#type
        && a.shape.len() == b.shape.len()
        && a.shape.iter().zip(&b.shape).all(|pair| match pair {
            (Dim::Fixed(a), Dim::Fixed(b)) => a == b,
            (Dim::Free(_), Dim::Free(_)) => true,
            _ => false,
        })
}

/// One ordinary path component: a manifest must not reach outside its folder.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!(components.next(), Some(Component::Normal(first)) if first == name) && components.next().is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event_manifest() -> Value {
        json!({
            "name": "event-4", "version": 1, "kind": "event", "space": "s", "dimension": 4, "opset": 17, "default": "fp32",
            "files": {"fp32": {"file": "model.onnx", "sha256": "a".repeat(64)}},
            "inputs": [
                {"name": "features", "type": "f32", "shape": ["B", 83]},
                {"name": "protocol", "type": "i64", "shape": ["B"]},
                {"name": "service", "type": "i64", "shape": ["B"]}
            ],
            "output": {"name": "embedding", "type": "f32", "shape": ["B", 4]},
            "tokenizer": null
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut manifest = event_manifest();
        change(&mut manifest);
        Manifest::parse(manifest.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_good_manifest_is_taken_whatever_the_batch_is_called() {
        let mut manifest = event_manifest();
        manifest["inputs"][1]["shape"] = json!(["batch"]);
        Manifest::parse(manifest.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(refused(|m| m["dimension"] = json!(0)).contains("dimension"));
        assert!(refused(|m| m["dimension"] = json!(5)).contains("output must be f32 [B, 5]"));
        assert!(refused(|m| m["opset"] = json!(99)).contains("opset is 99"));
        assert!(refused(|m| m["default"] = json!("int8")).contains("default"));
        assert!(refused(|m| m["files"]["fp32"]["file"] = json!("../model.onnx")).contains("own folder"));
        assert!(refused(|m| m["files"]["fp32"]["sha256"] = json!("12")).contains("64 hex"));
        assert!(refused(|m| m["inputs"][0]["shape"] = json!(["B", 82])).contains("f32 [B, 83]"));
        assert!(refused(|m| m["inputs"][2]["name"] = json!("port")).contains("lacks \"service\""));
        assert!(refused(|m| m["inputs"][1]["type"] = json!("f32")).contains("i64 [B]"));
        assert!(refused(|m| m["kind"] = json!("image")).contains("image"));
        assert!(refused(|m| m["tokenizer"] = json!({"kind": "bpe"})).contains("bpe"));
    }

    #[test]
    fn names_stay_in_the_folder() {
        assert!(is_plain_name("model.onnx"));
        for name in ["", ".", "..", "/etc/passwd", "a/b", "./a", "a/"] {
            assert!(!is_plain_name(name), "{name}");
        }
    }
}
