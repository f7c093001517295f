"""The list of archetypes of traffic: each is a function that tells one conversation, with the tags it deserves."""

from collections.abc import Callable
from dataclasses import dataclass

from .talk import Talk

MTU = 1472


@dataclass(frozen=True)
class Archetype:
    """`yes` are the tags that hold, `maybe` those a single flow cannot settle, `weight` how often it is drawn."""

    name: str
    tell: Callable[..., Talk]
    yes: str
    maybe: str
    weight: float


ARCHETYPES: list[Archetype] = []


def archetype(yes: str, maybe: str = "", weight: float = 1.0):
    """Registers a function under its name."""

    def register(tell: Callable[..., Talk]) -> Callable[..., Talk]:
        ARCHETYPES.append(Archetype(tell.__name__, tell, yes, maybe, weight))
        return tell

    return register


def any_port(rng, *usual: int, odd: float = 0.15) -> int:
    """One of the usual ports or, for a share of `odd`, any."""
    return int(rng.integers(1024, 65535)) if rng.random() < odd or not usual else int(rng.choice(usual))
