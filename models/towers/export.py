"""From trained parameters to the two model folders, with the 8 bit form measured against the 32 bit form."""

import numpy as np
import onnxruntime as ort

from . import export_event, export_query, folder, network
from .dataset import Events
from .schema import MODELS

INT8_COSINE_MIN = 0.999
CALIBRATION_EVENTS = 8192


def write(parameters: dict, version: int, calibration: Events, held_out: Events) -> dict:
    """Writes both folders. Ranges come from `calibration`; the cosine is measured on `held_out` and returned."""
    fp32, int8 = event_models(parameters["event"], version, calibration)
    cosine = agreement(fp32.SerializeToString(), int8.SerializeToString(), held_out)
    default = "int8" if cosine["min"] >= INT8_COSINE_MIN else "fp32"
    folder.write_event(MODELS / "event-256", version, fp32, int8, cosine, default)
    folder.write_query(MODELS / "query-256", version, export_query.model(parameters["query"], "query-256", version))
    print(f"int8 to fp32 on {cosine['events']} held-out events: cosine min {cosine['min']}, mean {cosine['mean']}; default {default}")
    return cosine


def event_models(parameters: dict, version: int, calibration: Events):
    """The float32 and the 8 bit model."""
    rng = np.random.default_rng(0)
    sample = calibration.take(rng.permutation(len(calibration))[:CALIBRATION_EVENTS])
    values, known = map(np.asarray, network.normalise(sample.features, parameters["centre"], parameters["scale"]))
    ranges = export_event.activation_ranges(parameters, values, known, sample.protocol, sample.service)
    return export_event.fp32(parameters, "event-256", version), export_event.int8(parameters, ranges, "event-256", version)


def session(model) -> ort.InferenceSession:
    """A session of one thread over a file's path or bytes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


def embed_events(model: ort.InferenceSession, events: Events, batch: int = 512) -> np.ndarray:
    """Vectors of events."""
    out = []
    for start in range(0, len(events), batch):
        part = slice(start, start + batch)
        feed = {"features": events.features[part], "protocol": events.protocol[part], "service": events.service[part]}
        out.append(model.run(None, feed)[0])
    return np.concatenate(out)


def embed_queries(model: ort.InferenceSession, texts: list[str]) -> np.ndarray:
    """Vectors of questions."""
    from .phrases import id_rows

    return model.run(None, {"ids": id_rows(texts, 256).astype(np.int64)})[0]


def agreement(fp32: bytes, int8: bytes, events: Events) -> dict:
    """Cosine of the 8 bit vectors to the 32 bit ones."""
    cosine = (embed_events(session(fp32), events) * embed_events(session(int8), events)).sum(axis=1)
    return {"min": round(float(cosine.min()), 6), "mean": round(float(cosine.mean()), 6), "events": len(events)}
