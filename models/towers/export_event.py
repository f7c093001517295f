"""The event network as ONNX, in float32 and with 8 bit weights and activations.

The 8 bit form uses fixed activation ranges found on training events. Ranges taken from each batch would be a little
closer, but then the vector of an event would depend on the events beside it.
"""

import numpy as np

from . import network
from .graph import FLOAT, INT64, Graph, unit
from .schema import DIMENSION, FEATURE_COUNT, FEATURES, PROTOCOL_VOCABULARY, SERVICE_VOCABULARY, SPACE

# Share of activations that the 8 bit range covers; the rest is cut at its end.
COVERED = 0.99999


def fp32(parameters: dict, name: str, version: int):
    """The float32 model."""
    graph, value = _inputs(parameters, name)
    for i, layer in enumerate(parameters["layers"]):
        graph.add("MatMul", [value, graph.constant(f"w{i}", layer["w"])], f"product{i}")
        value = _bias_and_relu(graph, f"product{i}", i, layer, last=i == 2)
    return _finish(graph, value, name, version)


def int8(parameters: dict, ranges: list[tuple[float, float]], name: str, version: int):
    """The 8 bit model; `ranges` are the lowest and highest activation before each layer."""
    graph, value = _inputs(parameters, name)
    for i, (layer, (low, high)) in enumerate(zip(parameters["layers"], ranges)):
        scale = np.float32((high - low) / 255)
        graph.constant(f"scale{i}", scale)
        graph.constant(f"zero{i}", np.uint8(np.clip(round(-low / scale), 0, 255)))
        graph.add("QuantizeLinear", [value, f"scale{i}", f"zero{i}"], f"quantised{i}")
        graph.add("DequantizeLinear", [f"quantised{i}", f"scale{i}", f"zero{i}"], f"restored{i}")
        weight_scale = (np.abs(layer["w"]).max(axis=0) / 127 + 1e-12).astype(np.float32)
        graph.constant(f"w{i}", np.clip(np.rint(layer["w"] / weight_scale), -127, 127).astype(np.int8))
        graph.constant(f"w{i}_scale", weight_scale)
        graph.constant(f"w{i}_zero", np.zeros(len(weight_scale), np.int8))
        graph.add("DequantizeLinear", [f"w{i}", f"w{i}_scale", f"w{i}_zero"], f"weights{i}", axis=1)
        graph.add("MatMul", [f"restored{i}", f"weights{i}"], f"product{i}")
        value = _bias_and_relu(graph, f"product{i}", i, layer, last=i == 2)
    return _finish(graph, value, name, version)


def activation_ranges(parameters: dict, values, known, protocol, service) -> list[tuple[float, float]]:
    """Lowest and highest activation before each layer, on the events given."""
    x = np.concatenate([values, known, parameters["protocol"][protocol], parameters["service"][service]], axis=-1)
    embedded = [parameters["protocol"], parameters["service"]]
    low = min(-network.CLIP, *(e.min() for e in embedded))
    high = max(network.CLIP, *(e.max() for e in embedded))
    ranges = [(float(low), float(high))]
    for layer in parameters["layers"][:2]:
        x = np.maximum(x @ layer["w"] + layer["b"], 0)
        ranges.append((0.0, float(np.quantile(x.reshape(-1)[:20_000_000], COVERED))))
    return ranges


def _inputs(parameters: dict, name: str) -> tuple[Graph, str]:
    graph = Graph(name)
    graph.input("features", FLOAT, ["B", FEATURE_COUNT])
    graph.input("protocol", INT64, ["B"])
    graph.input("service", INT64, ["B"])
    graph.add("IsNaN", ["features"], "unknown")
    graph.add("Where", ["unknown", graph.constant("zero", np.float32(0)), "features"], "raw")
    largest = np.float32(network.LARGEST)
    graph.add("Clip", ["raw", graph.constant("lowest", -largest), graph.constant("largest", largest)], "bounded")
    graph.add("Abs", ["bounded"], "size")
    graph.add("Add", ["size", graph.constant("one", np.float32(1))], "size_plus_one")
    graph.add("Log", ["size_plus_one"], "log_size")
    graph.add("Sign", ["bounded"], "sign")
    graph.add("Mul", ["log_size", "sign"], "log")
    graph.add("Sub", ["log", graph.constant("centre", parameters["centre"])], "centred")
    graph.add("Mul", ["centred", graph.constant("spread", parameters["scale"])], "scaled")
    clip = np.float32(network.CLIP)
    graph.add("Clip", ["scaled", graph.constant("clip_low", -clip), graph.constant("clip_high", clip)], "cut")
    graph.add("Where", ["unknown", "zero", "cut"], "values")
    graph.add("Where", ["unknown", "zero", "one"], "known")
    for part, size in (("protocol", PROTOCOL_VOCABULARY), ("service", SERVICE_VOCABULARY)):
        low, high = graph.constant(f"{part}_low", np.int64(0)), graph.constant(f"{part}_high", np.int64(size - 1))
        graph.add("Clip", [part, low, high], f"{part}_place")
        graph.add("Gather", [graph.constant(f"{part}_table", parameters[part]), f"{part}_place"], f"{part}_vector")
    return graph, graph.add("Concat", ["values", "known", "protocol_vector", "service_vector"], "joined", axis=1)


def _bias_and_relu(graph: Graph, value: str, i: int, layer: dict, last: bool) -> str:
    value = graph.add("Add", [value, graph.constant(f"b{i}", layer["b"])], f"sum{i}")
    return value if last else graph.add("Relu", [value], f"hidden{i}")


def _finish(graph: Graph, value: str, name: str, version: int):
    unit(graph, value, "embedding", network.TINY)
    graph.output("embedding", FLOAT, ["B", DIMENSION])
    return graph.model({"name": name, "version": str(version), "space": SPACE, "card": "CARD.md", "features": ",".join(FEATURES)})
