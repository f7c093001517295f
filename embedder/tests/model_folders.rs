//! Goal: a model folder that is not what it says is refused when it is opened or loaded, with the file named and the
//! reason in words; a sound one from a stranger works.
//! Method: folders made of the small networks in `data/` (made by `data/make.py`) and manifests changed one thing at a time.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use std::path::Path;

use forebay_embedder::{EmbedError, Embedder as _, EventEmbedder, Model, Precision, QueryEmbedder, same_space};
use forebay_event::Event;
use serde_json::{Value, json};

/// A folder with `network` of `data/` and a manifest that fits the sound one, after `change`.
fn folder(network: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(network).with_extension("onnx");
    let bytes = fs_err::read(source).unwrap();
    fs_err::write(dir.path().join("model.onnx"), &bytes).unwrap();
    let sha256 = support::sha256(&bytes);
    let mut manifest = json!({
        "name": "mine", "version": 1, "kind": "event", "space": "mine", "dimension": 4, "opset": 17, "default": "fp32",
        "files": {"fp32": {"file": "model.onnx", "sha256": sha256}},
        "inputs": [
            {"name": "features", "type": "f32", "shape": ["B", 83]},
            {"name": "protocol", "type": "i64", "shape": ["B"]},
            {"name": "service", "type": "i64", "shape": ["B"]}
        ],
        "output": {"name": "embedding", "type": "f32", "shape": ["B", 4]},
        "tokenizer": null
    });
    change(&mut manifest);
    fs_err::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    dir
}

/// Opens and loads; the error, which must name the file.
fn refused(network: &str, change: impl FnOnce(&mut Value)) -> EmbedError {
    let dir = folder(network, change);
    let loaded = Model::open(dir.path()).and_then(|model| EventEmbedder::load(&model, Precision::Auto).map(|_| ()));
    let error = loaded.expect_err("it is broken");
    assert!(error.to_string().contains(&dir.path().display().to_string()), "no file in {error}");
    error
}

fn assert_says(error: &EmbedError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn a_sound_folder_of_ones_own_works() {
    let dir = folder("sound", |_| {});
    let model = Model::open(dir.path()).unwrap();
    let mut embedder = EventEmbedder::load(&model, Precision::Auto).unwrap();
    let mut out = Vec::new();
    embedder.embed(&[&Event::default()], &mut out).unwrap();
    // Of an event with nothing known only the bias 1, 2, 3, 4 is left.
    let length = 30f32.sqrt();
    for (found, wanted) in out.iter().zip([1.0, 2.0, 3.0, 4.0]) {
        assert!((found - wanted / length).abs() < 1e-6, "{out:?}");
    }
    assert_eq!(embedder.dimension(), 4);
}

#[test]
fn wrong_shapes_types_and_names_are_refused() {
    let signature = |network: &str| {
        let error = refused(network, |_| {});
        assert!(matches!(error, EmbedError::Signature { .. }), "{error:?}");
        error
    };
    assert_says(&signature("features_82"), &["features", "82", "f32 [B, 83]"]);
    assert_says(&signature("protocol_i32"), &["protocol", "Int32", "i64 [B]"]);
    assert_says(&signature("without_service"), &["no input \"service\"", "features, protocol"]);
    assert_says(&signature("extra_input"), &["weather", "manifest does not list"]);
    assert_says(&signature("dimension_5"), &["embedding", "[free, 5]", "[B, 4]"]);
    assert_says(&signature("output_name"), &["no output \"embedding\"", "vector"]);
    assert_says(&signature("batch_fixed"), &["features", "[1, 83]"]);
}

#[test]
fn wrong_versions_are_refused_before_the_runtime_sees_them() {
    let onnx = |network: &str, change: fn(&mut Value)| {
        let error = refused(network, change);
        assert!(matches!(error, EmbedError::Onnx { .. }), "{error:?}");
        error
    };
    assert_says(&onnx("opset_99", |_| {}), &["opset is 99", "Export with opset 17"]);
    assert_says(&onnx("sound", |m| m["opset"] = json!(18)), &["opset is 17", "manifest says 18"]);
    assert_says(&onnx("ir_99", |_| {}), &["IR version is 99"]);
    assert_says(&onnx("external", |_| {}), &["weights lie in another file"]);
}

#[test]
fn a_network_that_does_not_normalise_or_mask_is_refused() {
    for network in ["not_unit", "nan_through"] {
        let error = refused(network, |_| {});
        assert!(matches!(error, EmbedError::Length { .. }), "{network}: {error:?}");
    }
}

#[test]
fn a_changed_byte_is_seen() {
    let dir = folder("sound", |_| {});
    let file = dir.path().join("model.onnx");
    let mut bytes = fs_err::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs_err::write(&file, bytes).unwrap();
    let error = Model::open(dir.path()).unwrap_err();
    assert!(matches!(error, EmbedError::Hash { .. }), "{error:?}");
    assert_says(&error, &["model.onnx", "damaged or was replaced"]);
}

#[test]
fn something_that_is_no_model_is_refused() {
    let dir = folder("sound", |_| {});
    fs_err::remove_file(dir.path().join("model.onnx")).unwrap();
    assert_says(&Model::open(dir.path()).unwrap_err(), &["model.onnx"]);

    let html = b"<html>404 not found</html>";
    fs_err::write(dir.path().join("model.onnx"), html).unwrap();
    let digest = support::sha256(html);
    let path = dir.path().join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs_err::read(&path).unwrap()).unwrap();
    manifest["files"]["fp32"]["sha256"] = json!(digest);
    fs_err::write(&path, manifest.to_string()).unwrap();
    assert!(matches!(Model::open(dir.path()).unwrap_err(), EmbedError::Onnx { .. }));

    fs_err::write(&path, "{").unwrap();
    assert!(matches!(Model::open(dir.path()).unwrap_err(), EmbedError::Manifest { .. }));
}

#[test]
fn a_precision_that_is_not_there_is_named() {
    let dir = folder("sound", |_| {});
    let model = Model::open(dir.path()).unwrap();
    let error = EventEmbedder::load(&model, Precision::Int8).err().unwrap();
    assert_says(&error, &["mine", "int8", "fp32"]);
}

#[test]
fn kinds_and_spaces_are_kept_apart() {
    let (event, query) = (Model::builtin_event().unwrap(), Model::builtin_query().unwrap());
    same_space(&event, &query).unwrap();
    assert_says(&same_space(&query, &event).unwrap_err(), &["kind is \"query\""]);
    assert_says(&EventEmbedder::load(&query, Precision::Auto).err().unwrap(), &["kind is \"query\""]);
    assert_says(&QueryEmbedder::load(&event, Precision::Auto).err().unwrap(), &["kind is \"event\""]);
    let dir = folder("sound", |_| {});
    let stranger = Model::open(dir.path()).unwrap();
    assert_says(&same_space(&stranger, &query).unwrap_err(), &["\"mine\" (4 numbers)", "256 numbers"]);
}
