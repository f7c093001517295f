"""Model folders: the files, their hashes and the manifest, as models/README.md fixes them."""

import hashlib
import json
from pathlib import Path

import onnx

from .graph import OPSET
from .schema import DIMENSION, FEATURE_COUNT, SPACE
from .tokenizer import BUCKETS, IDS_MAX


def write_event(folder: Path, version: int, fp32: onnx.ModelProto, int8: onnx.ModelProto, cosine: dict, default: str) -> None:
    """Writes the event network's folder; `cosine` is {"min": ..., "mean": ..., "events": ...} of int8 to fp32."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"fp32": _save(fp32, folder / "model.onnx"), "int8": _save(int8, folder / "model.int8.onnx")}
    files["int8"] |= {f"cosine_to_fp32_{k}" if k != "events" else "cosine_events": v for k, v in cosine.items()}
    inputs = [
        {"name": "features", "type": "f32", "shape": ["B", FEATURE_COUNT]},
        {"name": "protocol", "type": "i64", "shape": ["B"]},
        {"name": "service", "type": "i64", "shape": ["B"]},
    ]
    _manifest(folder, "event-256", version, "event", default, files, inputs, None)


def write_query(folder: Path, version: int, fp32: onnx.ModelProto) -> None:
    """Writes the question network's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"fp32": _save(fp32, folder / "model.onnx")}
    inputs = [{"name": "ids", "type": "i64", "shape": ["B", "L"]}]
    tokenizer = {"kind": "hashed-ngrams-v1", "buckets": BUCKETS, "ids_max": IDS_MAX}
    _manifest(folder, "query-256", version, "query", "fp32", files, inputs, tokenizer)


def _save(model: onnx.ModelProto, path: Path) -> dict:
    data = model.SerializeToString(deterministic=True)
    path.write_bytes(data)
    return {"file": path.name, "sha256": hashlib.sha256(data).hexdigest()}


def _manifest(folder, name, version, kind, default, files, inputs, tokenizer) -> None:
    manifest = {
        "name": name,
        "version": version,
        "kind": kind,
        "space": SPACE,
        "dimension": DIMENSION,
        "opset": OPSET,
        "default": default,
        "files": files,
        "inputs": inputs,
        "output": {"name": "embedding", "type": "f32", "shape": ["B", DIMENSION]},
        "tokenizer": tokenizer,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
