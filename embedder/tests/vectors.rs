//! Goal: what comes out of the built-in models are vectors that can be relied on.
//! Method: a few thousand varied events and some texts through the real networks.
#![allow(clippy::unwrap_used, reason = "a failure in a helper of a test is a failure of the test")]

mod support;

use forebay_embedder::{EmbedError, Embedder, EventEmbedder, EventPool, Model, Precision, QueryEmbedder};
use forebay_event::Event;
use support::{cosine, events, flows};

/// Events the two precisions are compared on, and the least agreement the default may have.
const COMPARED: usize = 2000;
const COSINE_MIN: f64 = 0.999;

fn embed(embedder: &mut EventEmbedder, events: &[Event]) -> Vec<f32> {
    let mut out = Vec::new();
    embedder.embed(&events.iter().collect::<Vec<_>>(), &mut out).unwrap();
    assert_eq!(out.len(), events.len() * embedder.dimension());
    out
}

fn event_embedder(precision: Precision) -> EventEmbedder {
    EventEmbedder::load(&Model::builtin_event().unwrap(), precision).unwrap()
}

#[test]
fn every_vector_has_unit_length() {
    let mut embedder = event_embedder(Precision::Auto);
    let dimension = embedder.dimension();
    for vector in embed(&mut embedder, &events(2500, 1)).chunks(dimension) {
        let length: f32 = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-3, "{length}");
    }
}

/// Least and mean cosine of int8 to fp32; none if there is no int8.
fn agreement(events: &[Event]) -> Option<(f64, f64)> {
    let model = Model::builtin_event().unwrap();
    let mut int8 = match EventEmbedder::load(&model, Precision::Int8) {
        Err(EmbedError::NoPrecision { .. }) => return None,
        other => other.unwrap(),
    };
    let (a, b) = (embed(&mut event_embedder(Precision::Fp32), events), embed(&mut int8, events));
    let cosines: Vec<f64> =
        a.chunks(model.dimension()).zip(b.chunks(model.dimension())).map(|(a, b)| cosine(a, b)).collect();
    let least = cosines.iter().copied().fold(f64::INFINITY, f64::min);
    Some((least, cosines.iter().sum::<f64>() / cosines.len() as f64))
}

#[test]
fn int8_is_the_default_only_if_it_agrees_with_fp32() {
    let default = Model::builtin_event().unwrap().manifest().default.clone();
    let Some((least, mean)) = agreement(&flows(COMPARED, 2)) else {
        assert_eq!(default, "fp32");
        return;
    };
    eprintln!(
        "cosine of int8 to fp32 over {COMPARED} flows: least {least:.6}, mean {mean:.6}; the default is {default}"
    );
    if let Some((least, mean)) = agreement(&events(COMPARED, 2)) {
        // Features drawn apart from each other make no flow; they show how int8 fares far from what it was calibrated on.
        eprintln!("over {COMPARED} impossible flows: least {least:.6}, mean {mean:.6}");
    }
    if default == "int8" {
        assert!(least > COSINE_MIN, "int8 is the default but its least cosine to fp32 is {least:.6}");
    }
}

#[test]
fn a_vector_does_not_depend_on_its_neighbours() {
    let events = events(300, 3);
    for precision in [Precision::Fp32, Precision::Auto] {
        let mut embedder = event_embedder(precision);
        let together = embed(&mut embedder, &events);
        let alone: Vec<f32> =
            events.iter().flat_map(|event| embed(&mut embedder, std::slice::from_ref(event))).collect();
        for (a, b) in together.chunks(256).zip(alone.chunks(256)) {
            assert!(cosine(a, b) > 0.999_99, "{precision:?}: {}", cosine(a, b));
        }
    }
}

#[test]
fn addresses_times_and_labels_do_not_matter() {
    let before = events(50, 4);
    let mut after = before.clone();
    for event in &mut after {
        event.flow.src_ip = "2001:db8::1".parse().unwrap();
        event.flow.dst_ip = "192.0.2.1".parse().unwrap();
        event.start_us += 86_400_000_000 * 180;
        event.end_us += 86_400_000_000 * 180;
        event.label.truth = Some("attack".to_owned());
        event.class.family = Some("port_scan".to_owned());
        event.scores.r#final = Some(1.0);
    }
    let mut embedder = event_embedder(Precision::Auto);
    assert_eq!(embed(&mut embedder, &before), embed(&mut embedder, &after));
}

#[test]
fn what_does_not_fit_counts_as_unknown_and_is_counted() {
    let mut event = events(1, 5).remove(0);
    event.features.0[3] = f64::NAN;
    let mut embedder = event_embedder(Precision::Auto);
    let unknown = embed(&mut embedder, std::slice::from_ref(&event));
    for value in [f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        event.features.0[3] = value;
        assert_eq!(embed(&mut embedder, std::slice::from_ref(&event)), unknown);
    }
    assert_eq!(embedder.infinite_features(), 3);
}

#[test]
fn extreme_values_still_give_unit_vectors() {
    let mut all = Vec::new();
    for value in [0.0, -1.0, 1.0, 1e-300, 3.4e38, -3.4e38, f64::NAN] {
        let mut event = Event::default();
        event.features.0.fill(value);
        event.flow.protocol = 255;
        all.push(event);
    }
    embed(&mut event_embedder(Precision::Auto), &all);
    embed(&mut event_embedder(Precision::Fp32), &all);
}

#[test]
fn a_pool_gives_the_vectors_of_one() {
    let model = Model::builtin_event().unwrap();
    let events = events(3000, 6);
    let refs: Vec<&Event> = events.iter().collect();
    let pool = EventPool::load(&model, Precision::Auto, 2).unwrap();
    let mut pooled = Vec::new();
    pool.embed(&refs, &mut pooled).unwrap();
    assert_eq!(pooled, embed(&mut event_embedder(Precision::Auto), &events));
}

#[test]
fn questions_get_vectors_and_texts_without_words_none() {
    let mut embedder = QueryEmbedder::load(&Model::builtin_query().unwrap(), Precision::Auto).unwrap();
    let mut out = Vec::new();
    embedder.embed(&["ssh logins that failed again and again", "backup"], &mut out).unwrap();
    assert_eq!(out.len(), 2 * embedder.dimension());
    let mut alone = Vec::new();
    embedder.embed(&["backup"], &mut alone).unwrap();
    assert!(cosine(&alone, &out[256..]) > 0.999_99, "padding changes a vector");

    let before = out.clone();
    for text in ["", " ?! "] {
        assert!(matches!(embedder.embed(&["backup", text], &mut out), Err(EmbedError::NoWords)));
    }
    assert_eq!(out, before, "a failure appends nothing");
    let long = "many words ".repeat(10_000);
    embedder.embed(&[&long], &mut out).unwrap();
}
