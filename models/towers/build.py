"""`make models`: trains the pair for each seed, keeps the one that does best on the validation sources, writes the folders."""

import argparse
import pickle

import numpy as np

from . import train  # first: it sets the environment of JAX
from . import dataset, export, network, phrases, ranking, splits

SEEDS = (1, 2, 3)
VERSION = 2
RUNS = dataset.CACHE / "runs"


def main() -> None:
    """Trains, chooses, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=train.Recipe.steps)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()

    events = splits.train()
    pools = validation_pools()
    for name, count in zip(*np.unique(events.source, return_counts=True)):
        print(f"training source {name}: {count} events")
    for pool in pools:
        print(f"validation source {pool.name}: {len(pool.events)} events, {len(pool.phrases)} phrases, chance {ranking.chance(pool):.3f}")

    best = (-1.0, None, None)
    RUNS.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds:
        parameters = train.train(events, train.Recipe(seed=seed, steps=options.steps), lambda p: watched(p, pools))
        (RUNS / f"seed-{seed}.pickle").write_bytes(pickle.dumps(parameters))
        score = watched(parameters, pools)[0]
        best = max(best, (score, seed, parameters), key=lambda entry: entry[0])
    print(f"seed {best[1]} is kept: validation precision {best[0]:.3f}")
    held_out = dataset.joined([pool.events for pool in pools])
    export.write(best[2], VERSION, events, held_out)


def validation_pools() -> list[ranking.Pool]:
    """The validation sources with the validation phrases; where there is no data beside the repository, generated traffic."""
    asked = phrases.judgement("validation")
    sources = splits.validation() or [splits.generated.load(4000, splits.GENERATED_SEED + 1)]
    pools = [ranking.pool(str(e.source[0]), splits.capped(e, splits.POOL_PER_KIND), asked) for e in sources]
    return [pool for pool in pools if pool.phrases]


def watched(parameters: dict, pools: list[ranking.Pool]) -> tuple[float, list[float]]:
    """Mean precision at 10 over the pools, and each pool's."""
    each = [float(ranking.scores(pool, similarity(parameters, pool))["p@10"].mean()) for pool in pools]
    return float(np.mean(each)), [round(value, 3) for value in each]


def similarity(parameters: dict, pool: ranking.Pool) -> np.ndarray:
    """Cosines [phrases, events] by parameters that are not yet a model folder."""
    event, query, events = parameters["event"], parameters["query"], pool.events
    values, known = network.normalise(events.features, event["centre"], event["scale"])
    vectors = np.asarray(network.embed_events(event, values, known, events.protocol, events.service))
    ids = phrases.id_rows([p.words for p in pool.phrases], 256)
    return np.asarray(network.embed_queries(query, ids)) @ vectors.T


if __name__ == "__main__":
    main()
