//! Goal: words become the same ids here and where the query network was trained.
//! Method: the vectors that the training side wrote beside the model, each text tokenised here.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

use forebay_embedder::{Model, Tokenizer, tokenize};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    text: String,
    ids: Vec<i64>,
}

#[test]
fn ids_are_those_of_the_training_side() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/query-256/tokenizer_vectors.json");
    let vectors: Vec<Vector> = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
    assert!(vectors.len() >= 10, "only {} vectors", vectors.len());
    let model = Model::builtin_query().unwrap();
    let Some(Tokenizer::HashedNgramsV1 { buckets, ids_max }) = model.manifest().tokenizer else {
        panic!("the query model has no tokenizer");
    };
    for vector in vectors {
        assert_eq!(tokenize::hashed_ngrams_v1(&vector.text, buckets, ids_max), vector.ids, "{:?}", vector.text);
    }
}
