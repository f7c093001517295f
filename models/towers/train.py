"""Trains the pair: phrases and events that belong together are drawn together (InfoNCE with many positives, both ways)."""

import os

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax

from . import network, tags
from .dataset import Events
from .phrases import Grammar, id_rows, required_rows
from .schema import PLACE

PHRASES_PER_BATCH = 256
EXTRA_EVENTS = 256
PHRASE_POOL = 80_000
PHRASE_WIDTH = 128
PEAK_RATE = 2e-3
WARMUP_STEPS = 200
WEIGHT_DECAY = 1e-2
TEMPERATURE_MIN, TEMPERATURE_START = 0.03, 0.08

# What a source that knows only packets, bytes and time can give (NetFlow, Zeek, Suricata).
FEW = (
    "duration spkts dpkts sbytes dbytes sload dload smean dmean rate srate drate spkts_ratio sbytes_ratio flow_pkts_per_sec "
    "flow_bytes_per_sec down_up_ratio packet_len_mean"
).split()
FEW_ROW = np.isin(np.arange(len(PLACE)), [PLACE[name] for name in FEW])


@dataclass
class Recipe:
    """What a run depends on besides the data."""

    seed: int = 1
    steps: int = 1000
    service_dropout: float = 0.3
    protocol_dropout: float = 0.05
    few_share: float = 0.2
    patchy_share: float = 0.3
    noise: float = 0.05
    piece_dropout: float = 0.15


class Sampler:
    """Draws batches: phrases, for each an event that matches it, more events by lot, and which pairs match."""

    def __init__(self, events: Events, recipe: Recipe, centre, scale):
        self.rng, self.recipe = np.random.default_rng(recipe.seed), recipe
        self.events, self.tags = events, events.tags()
        values, known = network.normalise(jnp.asarray(events.features), centre, scale)
        self.values, self.known = np.asarray(values), np.asarray(known)
        grammar = Grammar(self.rng)
        drawn = [grammar.draw() for _ in range(PHRASE_POOL)]
        self.refused = grammar.refused
        self._index(drawn)
        kinds, inverse, counts = np.unique(np.char.add(events.source, events.kind), return_inverse=True, return_counts=True)
        self.weight = 1 / np.sqrt(counts[inverse])
        self.weight /= self.weight.sum()
        self.cumulative = {k: np.cumsum(self.weight[rows]) for k, rows in self.positives.items()}

    def _index(self, drawn) -> None:
        unique = sorted({p.required for p in drawn})
        self.positives = {}
        wanted = np.zeros((len(unique), len(tags.TAGS)), np.int8)
        for row, required in zip(wanted, unique):
            row[[tags.PLACE[t] for t in required]] = 1
        for start in range(0, len(unique), 256):
            right, _ = tags.matches(wanted[start : start + 256], self.tags)
            for required, row in zip(unique[start : start + 256], right):
                if row.any():
                    self.positives[required] = np.flatnonzero(row)
        self.phrases = [p for p in drawn if p.required in self.positives]
        self.ids, self.required = id_rows([p.words for p in self.phrases], PHRASE_WIDTH), required_rows(self.phrases)

    def batch(self):
        """ids, values, known, protocol, service, right, wrong."""
        rng = self.rng
        chosen = rng.integers(len(self.phrases), size=PHRASES_PER_BATCH)
        own = [self._positive(self.phrases[i].required) for i in chosen]
        extra = np.searchsorted(np.cumsum(self.weight), rng.random(EXTRA_EVENTS) * 0.999999)
        rows = np.concatenate([own, extra]).astype(np.int64)
        right, wrong = tags.matches(self.required[chosen], self.tags[rows])
        ids = self.ids[chosen]
        ids = np.where(rng.random(ids.shape) < self.recipe.piece_dropout, 0, ids)
        return ids, *self._disturbed(rows), right.astype(np.float32), wrong.astype(np.float32)

    def _positive(self, required) -> int:
        rows, cumulative = self.positives[required], self.cumulative[required]
        return rows[min(len(rows) - 1, np.searchsorted(cumulative, self.rng.random() * cumulative[-1]))]

    def _disturbed(self, rows):
        rng, recipe, count = self.rng, self.recipe, len(rows)
        kept = np.ones((count, len(PLACE)), bool)
        draw = rng.random(count)
        kept[draw < recipe.few_share] = FEW_ROW
        patchy = (draw >= recipe.few_share) & (draw < recipe.few_share + recipe.patchy_share)
        kept[patchy] = rng.random((patchy.sum(), len(PLACE))) > rng.uniform(0, 0.6, (patchy.sum(), 1))
        known = self.known[rows] * kept
        values = (self.values[rows] + recipe.noise * rng.standard_normal(known.shape).astype(np.float32)) * known
        protocol = np.where(rng.random(count) < recipe.protocol_dropout, 0, self.events.protocol[rows])
        service = np.where(rng.random(count) < recipe.service_dropout, 0, self.events.service[rows])
        return values.astype(np.float32), known.astype(np.float32), protocol, service


def spread(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and inverse deviation of each feature on its logarithmic scale."""
    log = np.sign(features) * np.log1p(np.abs(features.astype(np.float64)))
    with np.errstate(all="ignore"):
        centre, deviation = np.nanmean(log, axis=0), np.nanstd(log, axis=0)
    centre = np.nan_to_num(centre)
    deviation = np.where(np.isfinite(deviation) & (deviation > 1e-3), deviation, 1.0)
    return centre.astype(np.float32), (1 / deviation).astype(np.float32)


def loss(parameters, batch):
    """Mean over phrases and over events of minus the log share of their positives, all positives counting alike."""
    ids, values, known, protocol, service, right, wrong = batch
    questions = network.embed_queries(parameters["query"], ids)
    events = network.embed_events(parameters["event"], values, known, protocol, service)
    temperature = jnp.maximum(jnp.exp(parameters["temperature"]), TEMPERATURE_MIN)
    logits = questions @ events.T / temperature
    return _one_way(logits, right, wrong) + _one_way(logits.T, right.T, wrong.T)


def _one_way(logits, right, wrong):
    logits = jnp.where(right + wrong > 0, logits, -1e9)
    share = logits - jax.nn.logsumexp(logits, axis=1, keepdims=True)
    counts = right.sum(axis=1)
    each = -(jnp.where(right > 0, share, 0.0)).sum(axis=1) / jnp.maximum(counts, 1)
    return jnp.where(counts > 0, each, 0.0).sum() / jnp.maximum((counts > 0).sum(), 1)


def train(events: Events, recipe: Recipe, watch=None) -> dict:
    """Parameters after training. `watch(parameters)` is called now and then and may return a score; the best are kept."""
    rng = np.random.default_rng(recipe.seed)
    centre, scale = spread(events.features)
    parameters = {"event": network.event_parameters(rng), "query": network.query_parameters(rng), "temperature": np.float32(np.log(TEMPERATURE_START))}
    parameters = jax.tree.map(jnp.asarray, parameters)
    sampler = Sampler(events, recipe, centre, scale)
    schedule = optax.warmup_cosine_decay_schedule(0, PEAK_RATE, min(WARMUP_STEPS, recipe.steps // 5), recipe.steps, PEAK_RATE / 50)
    decayed = lambda tree: jax.tree.map(lambda x: x.ndim > 1, tree)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule, b2=0.99, weight_decay=WEIGHT_DECAY, mask=decayed))
    state = optimiser.init(parameters)

    @jax.jit
    def step(parameters, state, batch):
        value, gradient = jax.value_and_grad(loss)(parameters, batch)
        updates, state = optimiser.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    began, best, mean = time.process_time(), (-1.0, None), 0.0
    for number in range(1, recipe.steps + 1):
        parameters, state, value = step(parameters, state, sampler.batch())
        mean += (float(value) - mean) / min(number, 100)
        if number % max(1, recipe.steps // 12) == 0:
            score = watch(finished(parameters, centre, scale)) if watch else number
            print(f"seed {recipe.seed} step {number}: loss {mean:.3f}, watched {score}, {time.process_time() - began:.0f} CPU s", flush=True)
            key = score if isinstance(score, (int, float)) else score[0]
            best = max(best, (key, finished(parameters, centre, scale)), key=lambda pair: pair[0])
    print(f"{sampler.refused} drawn phrases equalled one of judgement and were thrown away", flush=True)
    return best[1]


def finished(parameters, centre, scale) -> dict:
    """Plain arrays, with the normalisation beside the event network."""
    plain = jax.tree.map(np.asarray, {"event": parameters["event"], "query": parameters["query"]})
    plain["event"] |= {"centre": centre, "scale": scale}
    return plain
