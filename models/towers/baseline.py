"""What the towers are held against: BM25 alone, and two vector spaces of events that were not learned.

A space that was not learned has no place for words. So a question is answered there through the training phrase that BM25
finds most like it: the question's vector is the mean of the training events that match that phrase. Both spaces get the
same events, phrases and rule; ties are broken by a fixed draw.
"""

import numpy as np

from . import tags
from .bm25 import Bm25, rendered
from .dataset import Events
from .phrases import Grammar, required_rows
from .ranking import Pool
from .schema import SERVICE_VOCABULARY
from .train import spread

PHRASES = 20_000
CUT = 10.0
PROJECTED = 256


def bm25(pool: Pool) -> np.ndarray:
    """Similarity [phrases, events]."""
    ranker = Bm25(rendered(pool.events))
    noise = np.random.default_rng(0).random(len(pool.events)) * 1e-6
    return np.array([ranker.scores(p.words) + noise for p in pool.phrases])


def words_share(pool: Pool) -> np.ndarray:
    """What the program adds to the cosine: text scores on a fixed scale [phrases, events]."""
    ranker = Bm25(rendered(pool.events))
    return np.array([ranker.shares(p.words) for p in pool.phrases])


class Spaces:
    """The two spaces, with the centroids of training phrases made once."""

    def __init__(self, train: Events, seed: int = 1):
        rng = np.random.default_rng(seed)
        with np.errstate(all="ignore"):
            self.mean, deviation = np.nanmean(train.features, axis=0), np.nanstd(train.features.astype(np.float64), axis=0)
        self.mean = np.nan_to_num(self.mean)
        self.deviation = np.where(deviation > 0, deviation, 1.0)
        self.centre, self.scale = spread(train.features)
        self.matrix = None
        grammar = Grammar(rng)
        drawn = [grammar.draw() for _ in range(PHRASES)]
        table = train.tags()
        unique = sorted({p.required for p in drawn})
        right, _ = tags.matches(required_rows([next(p for p in drawn if p.required == u) for u in unique]), table)
        held = {u: np.flatnonzero(row) for u, row in zip(unique, right) if row.any()}
        self.phrases = [p for p in drawn if p.required in held]
        self.ranker = Bm25([p.words for p in self.phrases])
        self.matrix = rng.standard_normal((self._log(train).shape[1], PROJECTED)) / np.sqrt(PROJECTED)
        self.centroids = {}
        for name, vectors in (("raw", self.raw(train)), ("random", self.random(train))):
            self.centroids[name] = {u: vectors[rows].mean(axis=0) for u, rows in held.items()}

    def raw(self, events: Events) -> np.ndarray:
        """z-scored features, 0 where unknown, of length 1."""
        return _unit(np.nan_to_num(np.clip((events.features - self.mean) / self.deviation, -CUT, CUT)))

    def random(self, events: Events) -> np.ndarray:
        """What the event network is given, through a random matrix."""
        return _unit(self._log(events) @ self.matrix)

    def similarity(self, name: str, pool: Pool) -> np.ndarray:
        """Similarity [phrases, events] in the space called `name`."""
        near = [self.phrases[int(np.argmax(self.ranker.scores(p.words)))] for p in pool.phrases]
        questions = _unit(np.array([self.centroids[name][p.required] for p in near]))
        return questions @ getattr(self, name)(pool.events).T

    def _log(self, events: Events) -> np.ndarray:
        log = (np.sign(events.features) * np.log1p(np.abs(events.features)) - self.centre) * self.scale
        service = np.eye(SERVICE_VOCABULARY)[events.service]
        protocol = np.stack([events.protocol == n for n in (1, 6, 17)], axis=1)
        return np.concatenate([np.nan_to_num(log), ~np.isnan(log), service, protocol], axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-12)
