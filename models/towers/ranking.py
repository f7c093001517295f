"""Judgement of a ranking: precision and nDCG at 10, for phrases over a pool of events.

A pair that hangs on an unknown tag is taken out of the phrase's ranking, as if the event were not there. Phrases with
fewer than 10 right events, or more than half of the pool right, are not asked of that pool.
"""

from dataclasses import dataclass

import numpy as np

from . import phrases as language
from . import tags
from .dataset import Events

K = 10
SHARE_MAX = 0.5


@dataclass
class Pool:
    """Events with the phrases that can be asked of them, and which pairs are right and which are judged at all."""

    name: str
    events: Events
    phrases: list
    right: np.ndarray
    judged: np.ndarray


def pool(name: str, events: Events, phrases: list) -> Pool:
    """Keeps the phrases that the events can answer."""
    right, wrong = tags.matches(language.required_rows(phrases), events.tags())
    judged = right | wrong
    counts, sizes = right.sum(1), judged.sum(1)
    kept = np.flatnonzero((counts >= K) & (counts <= SHARE_MAX * sizes))
    return Pool(name, events, [phrases[i] for i in kept], right[kept], judged[kept])


def scores(pool: Pool, similarity: np.ndarray) -> dict[str, np.ndarray]:
    """Per phrase: precision and nDCG at 10 of the ranking by `similarity` [phrases, events]."""
    precision, gain = [], []
    discount = 1 / np.log2(np.arange(2, K + 2))
    for row, right, judged in zip(similarity, pool.right, pool.judged):
        order = np.where(judged, row, -np.inf)
        top = np.argpartition(-order, K)[:K]
        hits = right[top[np.argsort(-order[top], kind="stable")]]
        precision.append(hits.mean())
        gain.append((hits * discount).sum() / discount.sum())
    return {"p@10": np.array(precision), "ndcg@10": np.array(gain)}


def chance(pool: Pool) -> float:
    """Precision that a ranking drawn by lot would have."""
    return float((pool.right.sum(1) / pool.judged.sum(1)).mean()) if pool.phrases else float("nan")
