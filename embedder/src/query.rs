//! Embeds questions: words to ids, ids to a vector in the space of the events.

use ort::value::TensorRef;

use crate::limits::BATCH_TEXTS_MAX;
use crate::manifest::{Kind, Tokenizer};
use crate::model::expect_kind;
use crate::session::Network;
use crate::{EmbedError, Embedder, Model, Precision, tokenize};

/// The id that stands where a text has no more of its own.
const PADDING: i64 = 0;

/// A query network, loaded and ready, with its tokenizer.
pub struct QueryEmbedder {
    network: Network,
    file: String,
    buckets: u32,
    ids_max: usize,
    ids: Vec<i64>,
}

impl QueryEmbedder {
    /// Loads the network of `precision` and runs it once on a short text.
    pub fn load(model: &Model, precision: Precision) -> Result<Self, EmbedError> {
        expect_kind(model, Kind::Query)?;
        let Some(Tokenizer::HashedNgramsV1 { buckets, ids_max }) = model.manifest().tokenizer else {
            let reason = "a query model needs a tokenizer".to_owned();
            return Err(EmbedError::Manifest { file: model.manifest_path(), reason });
        };
        let network = Network::load(model, precision)?;
        let (_, file) = model.network(precision.resolve(model))?;
        let mut embedder = Self { network, file, buckets, ids_max, ids: Vec::new() };
        embedder.embed(&["trial", "a longer trial"], &mut Vec::new())?;
        Ok(embedder)
    }

    fn run(&mut self, texts: &[&str], out: &mut Vec<f32>) -> Result<(), EmbedError> {
        let tokens: Vec<Vec<i64>> =
            texts.iter().map(|text| tokenize::hashed_ngrams_v1(text, self.buckets, self.ids_max)).collect();
        if tokens.iter().any(Vec::is_empty) {
            return Err(EmbedError::NoWords);
        }
        let width = tokens.iter().map(Vec::len).max().unwrap_or(0);
        self.ids.clear();
        for tokens in &tokens {
            self.ids.extend_from_slice(tokens);
            self.ids.resize(self.ids.len() + width - tokens.len(), PADDING);
        }
        let ids = TensorRef::from_array_view(([texts.len(), width], &*self.ids))
            .map_err(|error| EmbedError::Run { file: self.file.clone(), reason: error.message().to_owned() })?;
        self.network.run([("ids", ids.into())], texts.len(), out)
    }
}

impl Embedder for QueryEmbedder {
    type Item = str;

    fn dimension(&self) -> usize {
        self.network.dimension()
    }

    /// [`EmbedError::NoWords`] if any of the texts has none; see [`tokenize::has_words`].
    fn embed(&mut self, items: &[&str], out: &mut Vec<f32>) -> Result<(), EmbedError> {
        let before = out.len();
        for texts in items.chunks(BATCH_TEXTS_MAX) {
            if let Err(error) = self.run(texts, out) {
                out.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }
}
