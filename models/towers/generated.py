"""Traffic told by the archetypes and metered in memory."""

import numpy as np

from . import archetypes_attack, archetypes_machine, archetypes_office, meter, tags
from .archetype import ARCHETYPES
from .dataset import Events, cached, from_rows
from .schema import service_of

MODULES = (archetypes_attack, archetypes_machine, archetypes_office)
# A later piece of a flow that holds fewer packets says nothing of what the flow was.
PIECE_PACKETS_MIN = 4


def generate(flows: int, seed: int, source: str = "generated") -> Events:
    """Events of so many conversations; the same seed gives the same events."""
    rng = np.random.default_rng(seed)
    weights = np.array([a.weight for a in ARCHETYPES])
    behaviours = [tags.behaviour_row(a.yes, a.maybe) for a in ARCHETYPES]
    rows = []
    for index in rng.choice(len(ARCHETYPES), size=flows, p=weights / weights.sum()):
        talk = ARCHETYPES[index].tell(rng)
        service = service_of(talk.protocol, 50_000, talk.port, talk.app)
        for number, piece in enumerate(meter.segments(talk.packets())):
            if number and len(piece) < PIECE_PACKETS_MIN:
                continue
            values = meter.features(piece, talk.protocol)
            rows.append((values, talk.protocol, service, behaviours[index], ARCHETYPES[index].name))
    return from_rows(rows, source)


def load(flows: int, seed: int) -> Events:
    """`generate`, through the cache."""
    return cached(f"generated-{flows}-{seed}", [], lambda: generate(flows, seed))
