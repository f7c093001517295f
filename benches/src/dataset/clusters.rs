//! Groups of near vectors, for filters that go with a question, or against it: spherical k-means (Dhillon and Modha 2001).

use super::random::Random;

/// Groups. The filter of a question names up to a few dozen of them.
pub const CLUSTERS: usize = 200;
/// Vectors that the middles are fitted on.
const FITTED_ON: usize = 20_000;
/// Rounds of fitting.
const ROUNDS: usize = 8;
/// Numbers summed side by side, so that the compiler uses vector registers.
const LANES: usize = 16;

/// The middles of the groups, unit vectors.
#[derive(Clone, Debug)]
pub struct Clusters {
    middles: Vec<f32>,
    dimension: usize,
}

impl Clusters {
    /// Fits [`CLUSTERS`] middles to a sample of `vectors`.
    pub fn fit(vectors: &[f32], dimension: usize, random: &mut Random) -> Self {
        let rows = vectors.len() / dimension;
        let row = |place: usize| &vectors[place * dimension..(place + 1) * dimension];
        let sample: Vec<f32> = (0..FITTED_ON.min(rows)).flat_map(|_| row(random.below(rows))).copied().collect();
        let start = sample[..CLUSTERS.min(sample.len() / dimension) * dimension].to_vec();
        let mut clusters = Self { middles: start, dimension };
        for _ in 0..ROUNDS {
            let places = clusters.assign(&sample);
            let mut sums = vec![0.0f32; clusters.middles.len()];
            for (vector, place) in sample.chunks_exact(dimension).zip(places) {
                let sum = &mut sums[usize::from(place) * dimension..][..dimension];
                sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
            }
            for (sum, middle) in sums.chunks_exact(dimension).zip(clusters.middles.chunks_exact_mut(dimension)) {
                let length = dot(sum, sum).sqrt();
                if length > 0.0 {
                    middle.iter_mut().zip(sum).for_each(|(middle, x)| *middle = x / length);
                }
            }
        }
        clusters
    }

    /// The group of each vector, on all cores.
    pub fn assign(&self, vectors: &[f32]) -> Vec<u16> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let rows_each = (vectors.len() / self.dimension).div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let parts = vectors.chunks(rows_each * self.dimension);
            let workers: Vec<_> = parts
                .map(|part| {
                    scope.spawn(|| part.chunks_exact(self.dimension).map(|v| self.nearest(v)).collect::<Vec<u16>>())
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("assigning cannot panic")).collect()
        })
    }

    /// All groups, the nearest to `vector` first.
    pub fn by_nearness(&self, vector: &[f32]) -> Vec<u16> {
        let mut places: Vec<(f32, u16)> = self.scores(vector).zip(0..).collect();
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        places.into_iter().map(|(_, place)| place).collect()
    }

    fn nearest(&self, vector: &[f32]) -> u16 {
        // The first of equals, as in `by_nearness`: two middles may be the same.
        let first = (f32::NEG_INFINITY, 0);
        self.scores(vector).zip(0..).fold(first, |best, next| if next.0 > best.0 { next } else { best }).1
    }

    fn scores(&self, vector: &[f32]) -> impl Iterator<Item = f32> {
        self.middles.chunks_exact(self.dimension).map(move |middle| dot(middle, vector))
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_vectors_share_a_group_and_far_ones_do_not() {
        let dimension = 32;
        let axis = |place: usize, tilt: f32| {
            let mut vector = vec![0.0; dimension];
            vector[place] = 1.0;
            vector[(place + 1) % dimension] = tilt;
            vector
        };
        let vectors: Vec<f32> = (0..1_000).flat_map(|i| axis(i % 4 * 8, 0.001 * (i % 7) as f32)).collect();
        let clusters = Clusters::fit(&vectors, dimension, &mut Random::new(3, 0));
        let nearest = |vector: &[f32]| clusters.by_nearness(vector)[0];
        assert_eq!(clusters.assign(&axis(0, 0.0)), vec![nearest(&axis(0, 0.0))]);
        assert_ne!(nearest(&axis(0, 0.0)), nearest(&axis(8, 0.0)));
    }
}
