//! Building the graph with the library, taking its links out, and seeing whether they lead to where they should.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fs_err as fs;
use hnsw_rs::hnsw::{Hnsw, PointIndexation};
use hnsw_rs::prelude::Distance;

use super::super::{Ask, HnswSettings, Kernel};
use super::layout::{self, LAYERS_MAX, Layer, LinkFile};
use super::walk;
use crate::IndexError;
use crate::bitmap::Bitmap;
use crate::segment::VectorFile;

/// Rows that look for themselves when a graph is built.
const PROBES: usize = 256;

/// The distance of two vectors that are named by their rows.
struct ByRow<'a> {
    numbers: &'a [f32],
    dimension: usize,
}

impl Distance<u32> for ByRow<'_> {
    /// 1 less the product, which orders vectors of length 1 as their distance does; never negative, never NaN.
    fn eval(&self, a: &[u32], b: &[u32]) -> f32 {
        let start = a[0] as usize * self.dimension;
        let mut dot = [0.0];
        Kernel::best().dots(&self.numbers[start..start + self.dimension], self.numbers, &b[..1], &mut dot);
        // `max` leaves a NaN out.
        (1.0 - dot[0]).max(0.0)
    }
}

/// Builds a graph over `vectors` and writes its links to `path`.
pub(in super::super) fn build(settings: HnswSettings, vectors: &VectorFile, path: &Path) -> Result<(), IndexError> {
    let graph = catch_unwind(AssertUnwindSafe(|| graph(settings, vectors)));
    let (entry, layers) =
        graph.map_err(|_| IndexError::Engine("hnsw_rs panicked while it built a graph".to_owned()))??;
    let mut bytes = layout::bytes(vectors.rows(), entry, &layers);
    let found = probe(&LinkFile::hold(&bytes)?, vectors, settings);
    layout::set_found(&mut bytes, found, vectors.rows().min(PROBES) as u32);
    Ok(fs::write(path, bytes)?)
}

/// How many of [`PROBES`] rows, taken evenly, a walk finds when it looks for their vectors: them, or what is as near.
fn probe(links: &LinkFile, vectors: &VectorFile, settings: HnswSettings) -> u32 {
    let (rows, dimension) = (vectors.rows(), vectors.dimension());
    let allowed = Bitmap::all(rows as u32);
    let probes = rows.min(PROBES);
    let finds = |row: usize| {
        let query = &vectors.numbers()[row * dimension..][..dimension];
        let ask = Ask { query, k: 1, allowed: &allowed, matching: rows as u64, floor: f32::NEG_INFINITY };
        let own = Kernel::best().dot(query, query);
        walk::nearest(links, vectors, &ask, super::kept(settings, 1)).rows.iter().any(|(_, score)| *score >= own)
    };
    (0..probes).filter(|probe| finds(probe * rows / probes)).count() as u32
}

/// The entry row, and the layers from the lowest.
fn graph(settings: HnswSettings, vectors: &VectorFile) -> Result<(u32, Vec<Layer>), IndexError> {
    let distance = ByRow { numbers: vectors.numbers(), dimension: vectors.dimension() };
    let graph: Hnsw<u32, ByRow> = Hnsw::new(settings.m(), vectors.rows(), LAYERS_MAX, settings.efc(), distance);
    for row in 0..vectors.rows() {
        graph.insert_slice((&[row as u32], row));
    }
    layers(graph.get_point_indexation(), vectors.rows())
}

fn layers(points: &PointIndexation<u32>, rows: usize) -> Result<(u32, Vec<Layer>), IndexError> {
    if rows == 0 {
        return Ok((0, Vec::new()));
    }
    let lost = || IndexError::Engine("hnsw_rs lost a row while it built a graph".to_owned());
    let highest = usize::from(points.get_max_level_observed());
    let entry = points.get_layer_iterator(highest).next().ok_or_else(lost)?.get_origin_id();
    let mut by_row = vec![None; rows];
    for level in 0..=highest {
        for point in points.get_layer_iterator(level) {
            let place = by_row.get_mut(point.get_origin_id()).ok_or_else(lost)?;
            *place = Some((level, point));
        }
    }
    let mut layers: Vec<Layer> = (0..=highest).map(|_| Layer { starts: vec![0], ..Layer::default() }).collect();
    for (row, point) in by_row.into_iter().enumerate() {
        let (top, point) = point.ok_or_else(lost)?;
        for (layer, links) in layers.iter_mut().take(top + 1).zip(point.get_neighborhood_id()) {
            layer.nodes.push(row as u32);
            layer.links.extend(links.iter().map(|link| link.get_origin_id() as u32));
            let end = u32::try_from(layer.links.len());
            layer.starts.push(end.map_err(|_| IndexError::Engine("more links than 32 bits can count".to_owned()))?);
        }
    }
    Ok((entry as u32, layers))
}
