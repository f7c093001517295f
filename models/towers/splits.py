"""Which source serves what. Whole sources are held out: no event of a test source is seen in training or in choosing."""

import numpy as np

from . import captures, generated, public
from .dataset import Events, joined
from .schema import SHARED

GENERATED_FLOWS, GENERATED_SEED = 24_000, 20_260_101
POOL_PER_KIND = 400

CNS = "cicids2017_improved_cns2022_sample"
TRAIN_CIC = {CNS: 1200, "cicids2017_ml_balanced_52f_noip": 400}
VALIDATION_CIC = ("cicids2017_original_trafficlabelling_slices", "cicids2017_original_webattacks_balanced_ENCODED_ids")
TRAIN_CAPTURES = ("iot_sentinel",)
VALIDATION_CAPTURES = ("ndpi",)
TEST_CAPTURES = ("zeek", "suricata", "stratospherelinuxips", "lucid", "packets", "tcpreplay")
WESTERMO_SIDES = ("left", "right", "bottom")
USTC_PER_LABEL = 400


def train() -> Events:
    """Events to learn from: generated, lab sites, and the public ones where present."""
    parts = [generated.load(GENERATED_FLOWS, GENERATED_SEED), *captures.lab("train")]
    if SHARED.exists():
        parts += [public.cic(name, share) for name, share in TRAIN_CIC.items()] + captures.public(TRAIN_CAPTURES)
    return joined([p for p in parts if len(p)])


def validation() -> list[Events]:
    """Sources for choosing between models."""
    parts = captures.lab("validation")
    if SHARED.exists():
        parts += [public.cic(name, 400) for name in VALIDATION_CIC] + captures.public(VALIDATION_CAPTURES)
    return [p for p in parts if len(p)]


def test() -> list[Events]:
    """Sources for the report."""
    parts = captures.lab("test")
    if SHARED.exists():
        parts += [capped(joined([public.westermo(side) for side in WESTERMO_SIDES]), 1500), public.ustc(USTC_PER_LABEL)]
        parts += captures.public(TEST_CAPTURES)
    return [p for p in parts if len(p)]


def capped(events: Events, per_kind: int, seed: int = 1) -> Events:
    """At most `per_kind` events of each kind, drawn by lot."""
    rng = np.random.default_rng(seed)
    kept = [rng.permutation(np.flatnonzero(events.kind == kind))[:per_kind] for kind in np.unique(events.kind)]
    return events.take(np.sort(np.concatenate(kept))) if kept else events
