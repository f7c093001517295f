"""Promises of the committed model folders. Run: `models/train.sh check`.

Goal: what lies in the folders is what the manifests say, runs as the program will run it, and equals the trainer's network.
Method: the weights are read back out of the .onnx files, put through the JAX functions, and compared; no training state is needed.
"""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from towers import train as _environment  # noqa: F401  (sets the environment of JAX)

import numpy as np
import onnx
from onnx import numpy_helper

from towers import export, network, phrases, tags, tokenizer
from towers.schema import DIMENSION, FEATURE_COUNT, FEATURES, MODELS

PARITY = 1e-5
INT8_COSINE_MIN = 0.999


def manifest(name: str) -> dict:
    """A folder's manifest."""
    return json.loads((MODELS / name / "manifest.json").read_text())


def constants(path: Path) -> tuple[dict, dict]:
    """The constants and the metadata of a model."""
    model = onnx.load(path)
    assert model.opset_import[0].version == 17 and model.ir_version == 8
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}, {p.key: p.value for p in model.metadata_props}


def some_events(rng, count: int = 700):
    """Features over many magnitudes, a third of them unknown, with extremes, protocols and services."""
    features = (np.exp(rng.uniform(-2, 25, (count, FEATURE_COUNT))) * rng.choice([1, 1, 1, 0, -1], (count, FEATURE_COUNT))).astype(np.float32)
    features[rng.random(features.shape) < 0.33] = np.nan
    features[0], features[1], features[2] = np.nan, 0, 3e38
    features[3, :5] = [np.inf, -np.inf, -1, 1e-30, -3e38]
    return features, rng.integers(0, 256, count), rng.integers(0, 128, count)


def check_files() -> None:
    """Hashes, default, metadata."""
    for name in ("event-256", "query-256"):
        held = manifest(name)
        for kind, file in held["files"].items():
            path = MODELS / name / file["file"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"], f"{path}: not the file of its manifest"
            _, metadata = constants(path)
            assert metadata["name"] == name and metadata["space"] == held["space"] and len(metadata["weights_sha256"]) == 64, kind
            assert (MODELS / name / metadata["card"]).exists()
        assert held["default"] in held["files"] and held["dimension"] == DIMENSION
    _, metadata = constants(MODELS / "event-256/model.onnx")
    assert metadata["features"].split(",") == FEATURES
    int8 = manifest("event-256")["files"]["int8"]
    assert (manifest("event-256")["default"] == "int8") == (int8["cosine_to_fp32_min"] >= INT8_COSINE_MIN)


def check_event_parity() -> None:
    """Float32 equals JAX; vectors are finite and of length 1, also where nothing is known; 8 bits do not depend on neighbours."""
    held, _ = constants(MODELS / "event-256/model.onnx")
    parameters = {"protocol": held["protocol_table"], "service": held["service_table"], "layers": [{"w": held[f"w{i}"], "b": held[f"b{i}"]} for i in range(3)]}
    features, protocol, service = some_events(np.random.default_rng(5))
    values, known = network.normalise(features, held["centre"], held["spread"])
    ours = np.asarray(network.embed_events(parameters, values, known, protocol, service))
    feed = {"features": features, "protocol": protocol, "service": service}
    for file in ("model.onnx", "model.int8.onnx"):
        session = export.session(MODELS / "event-256" / file)
        theirs = session.run(None, feed)[0]
        assert np.isfinite(theirs).all() and np.abs(np.linalg.norm(theirs, axis=1) - 1).max() < PARITY, file
        alone = np.concatenate([session.run(None, {k: v[i : i + 1] for k, v in feed.items()})[0] for i in range(20)])
        assert np.abs(alone - theirs[:20]).max() < PARITY, f"{file}: a vector depends on the events beside it"
        if file == "model.onnx":
            assert np.abs(ours - theirs).max() < PARITY, np.abs(ours - theirs).max()


def check_unknown_is_not_zero() -> None:
    """NaN is masked, not read as 0; and out-of-range protocols and services are taken to the nearest end."""
    session = export.session(MODELS / "event-256/model.onnx")
    run = lambda f, p, s: session.run(None, {"features": f, "protocol": np.array([p]), "service": np.array([s])})[0]
    unknown, zero = np.full((1, FEATURE_COUNT), np.nan, np.float32), np.zeros((1, FEATURE_COUNT), np.float32)
    assert np.abs(run(unknown, 6, 1) - run(zero, 6, 1)).max() > 0.01
    assert (run(zero, 300, 5000) == run(zero, 255, 127)).all() and (run(zero, -1, -9) == run(zero, 0, 0)).all()


def check_query_parity() -> None:
    """The question network equals JAX, padding changes nothing, and vectors have length 1."""
    held, _ = constants(MODELS / "query-256/model.onnx")
    pieces = held["pieces"].astype(np.float32) * held["pieces_scale"][:, None]
    parameters = {"pieces": pieces, "weights": np.log(held["weights"]), "layers": [{"w": held[f"w{i}"], "b": held[f"b{i}"]} for i in range(2)]}
    texts = [p.words for p in phrases.judgement("test")]
    session = export.session(MODELS / "query-256/model.onnx")
    theirs = export.embed_queries(session, texts)
    ours = np.asarray(network.embed_queries(parameters, phrases.id_rows(texts, 256)))
    assert np.abs(ours - theirs).max() < PARITY, np.abs(ours - theirs).max()
    assert np.abs(np.linalg.norm(theirs, axis=1) - 1).max() < PARITY
    one = session.run(None, {"ids": np.array([tokenizer.ids(texts[0])], np.int64)})[0]
    assert np.abs(one - theirs[:1]).max() < PARITY, "padding changes a question's vector"


def check_tokenizer() -> None:
    """The vectors every implementation is held to."""
    for vector in json.loads((MODELS / "query-256/tokenizer_vectors.json").read_text()):
        assert tokenizer.ids(vector["text"]) == vector["ids"], vector["text"]
    assert tokenizer.fnv1a32(b"") == 0x811C9DC5 and tokenizer.fnv1a32(b"a") == 0xE40C292C


def check_tags() -> None:
    """Implied tags follow, unknown stays unknown, and no judged phrase asks for a tag that does not exist."""
    row = tags.behaviour_row("scan_tcp", "dos")
    assert row[tags.PLACE["attack"]] == 1 and row[tags.PLACE["dos"]] == -1 and row[tags.PLACE["mail"]] == 0
    for name in ("test", "validation"):
        phrases.required_rows(phrases.judgement(name))


def main() -> None:
    """Runs every check; the first that fails says what it found."""
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    for check in checks:
        check()
        print(f"ok: {check.__name__.removeprefix('check_').replace('_', ' ')}")


if __name__ == "__main__":
    main()
