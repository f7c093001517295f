"""The two networks, as functions of a tree of parameters.

Event: the features are put on a logarithmic scale (sign kept), centred and scaled per feature, cut at `CLIP` and set
to 0 where unknown; whether each is known is a second set of 83 inputs. Beside them stand a learned vector of the
protocol and one of the service. Three dense layers follow, and the length is made 1.

Question: each hashed piece has a learned vector and a learned weight; the weighted mean goes through two dense layers.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .schema import DIMENSION, FEATURE_COUNT, PROTOCOL_VOCABULARY, SERVICE_VOCABULARY
from .tokenizer import BUCKETS

CLIP = 3.0
LARGEST = 1e18
PROTOCOL_WIDTH = 6
SERVICE_WIDTH = 16
HIDDEN = 256
PIECE_WIDTH = 96
EVENT_INPUTS = 2 * FEATURE_COUNT + PROTOCOL_WIDTH + SERVICE_WIDTH
# Keeps the length of an all-zero vector from dividing by zero; far below float32 noise for any real vector.
TINY = 1e-12


def _dense(rng: np.random.Generator, rows: int, columns: int) -> dict:
    return {"w": rng.normal(0, np.sqrt(2 / rows), (rows, columns)).astype(np.float32), "b": np.zeros(columns, np.float32)}


def event_parameters(rng: np.random.Generator) -> dict:
    """Random weights of the event network."""
    return {
        "protocol": rng.normal(0, 0.3, (PROTOCOL_VOCABULARY, PROTOCOL_WIDTH)).astype(np.float32),
        "service": rng.normal(0, 0.3, (SERVICE_VOCABULARY, SERVICE_WIDTH)).astype(np.float32),
        "layers": [_dense(rng, EVENT_INPUTS, HIDDEN), _dense(rng, HIDDEN, HIDDEN), _dense(rng, HIDDEN, DIMENSION)],
    }


def query_parameters(rng: np.random.Generator) -> dict:
    """Random weights of the question network."""
    return {
        "pieces": rng.normal(0, 0.1, (BUCKETS, PIECE_WIDTH)).astype(np.float32),
        "weights": np.zeros(BUCKETS, np.float32),
        "layers": [_dense(rng, PIECE_WIDTH, HIDDEN), _dense(rng, HIDDEN, DIMENSION)],
    }


def unit(vectors):
    """The same directions with length 1."""
    return vectors / jnp.sqrt(jnp.sum(vectors * vectors, axis=-1, keepdims=True) + TINY)


def normalise(features, centre, scale):
    """Values on the network's scale, 0 where unknown, and which are known."""
    known = ~jnp.isnan(features)
    value = jnp.clip(jnp.where(known, features, 0.0), -LARGEST, LARGEST)
    value = jnp.sign(value) * jnp.log1p(jnp.abs(value))
    value = jnp.clip((value - centre) * scale, -CLIP, CLIP)
    return jnp.where(known, value, 0.0), known.astype(jnp.float32)


def embed_events(parameters, values, known, protocol, service):
    """Vectors [B, 256] of normalised events."""
    x = jnp.concatenate([values, known, parameters["protocol"][protocol], parameters["service"][service]], axis=-1)
    first, second, last = parameters["layers"]
    x = jax.nn.relu(x @ first["w"] + first["b"])
    x = jax.nn.relu(x @ second["w"] + second["b"])
    return unit(x @ last["w"] + last["b"])


def embed_queries(parameters, ids):
    """Vectors [B, 256] of questions given as bucket numbers [B, L], 0 where there is none."""
    weight = jnp.where(ids > 0, jnp.exp(parameters["weights"][ids]), 0.0)
    total = jnp.sum(weight, axis=-1, keepdims=True) + TINY
    x = jnp.sum(parameters["pieces"][ids] * weight[..., None], axis=1) / total
    first, last = parameters["layers"]
    x = jax.nn.relu(x @ first["w"] + first["b"])
    return unit(x @ last["w"] + last["b"])
