//! Embeds events: features, protocol and service in, a vector out. Addresses, times and labels never reach the network.

use forebay_event::service::service_of;
use forebay_event::{Event, FEATURE_COUNT};
use ort::value::TensorRef;

use crate::limits::BATCH_EVENTS_MAX;
use crate::manifest::Kind;
use crate::model::expect_kind;
use crate::session::Network;
use crate::{EmbedError, Embedder, Model, Precision};

/// An event network, loaded and ready, with the buffers its inputs are laid out in.
pub struct EventEmbedder {
    network: Network,
    file: String,
    features: Vec<f32>,
    protocols: Vec<i64>,
    services: Vec<i64>,
    infinite: u64,
}

impl EventEmbedder {
    /// Loads the network of `precision` and runs it once on an event of which nothing is known.
    pub fn load(model: &Model, precision: Precision) -> Result<Self, EmbedError> {
        expect_kind(model, Kind::Event)?;
        let network = Network::load(model, precision)?;
        let (_, file) = model.network(precision.resolve(model))?;
        let mut embedder =
            Self { network, file, features: Vec::new(), protocols: Vec::new(), services: Vec::new(), infinite: 0 };
        let unknown = Event::default();
        let mut known = Event::default();
        known.features.0.fill(1.0);
        embedder.embed(&[&unknown, &known], &mut Vec::new())?;
        Ok(embedder)
    }

    /// Feature values passed over so far as unknown because they do not fit a 32-bit float (infinities, and finite
    /// values beyond 3.4e38).
    pub fn infinite_features(&self) -> u64 {
        self.infinite
    }

    fn run(&mut self, events: &[&Event], out: &mut Vec<f32>) -> Result<(), EmbedError> {
        let rows = events.len();
        debug_assert!((1..=BATCH_EVENTS_MAX).contains(&rows));
        self.lay_out(events);
        let fail = |error: ort::Error| EmbedError::Run { file: self.file.clone(), reason: error.message().to_owned() };
        let features = TensorRef::from_array_view(([rows, FEATURE_COUNT], &*self.features)).map_err(fail)?;
        let protocols = TensorRef::from_array_view(([rows], &*self.protocols)).map_err(fail)?;
        let services = TensorRef::from_array_view(([rows], &*self.services)).map_err(fail)?;
        let inputs = [("features", features.into()), ("protocol", protocols.into()), ("service", services.into())];
        self.network.run(inputs, rows, out)
    }

    /// Copies the inputs of `events` into rows.
    fn lay_out(&mut self, events: &[&Event]) {
        self.features.clear();
        self.protocols.clear();
        self.services.clear();
        for event in events {
            for &value in &event.features.0 {
                let narrow = value as f32;
                if narrow.is_infinite() {
                    self.infinite += 1;
                    self.features.push(f32::NAN);
                } else {
                    self.features.push(narrow);
                }
            }
            self.protocols.push(i64::from(event.flow.protocol));
            self.services.push(service_of(event) as i64);
        }
    }
}

impl Embedder for EventEmbedder {
    type Item = Event;

    fn dimension(&self) -> usize {
        self.network.dimension()
    }

    fn embed(&mut self, items: &[&Event], out: &mut Vec<f32>) -> Result<(), EmbedError> {
        let before = out.len();
        for events in items.chunks(BATCH_EVENTS_MAX) {
            if let Err(error) = self.run(events, out) {
                out.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }
}
