"""The question network as ONNX. Its table of pieces is stored in 8 bits with a scale per row; all else is float32."""

import numpy as np

from . import network
from .graph import FLOAT, INT64, Graph, unit
from .schema import DIMENSION, SPACE
from .tokenizer import BUCKETS, IDS_MAX


def rounded(parameters: dict) -> dict:
    """The parameters as they are stored: the table of pieces after rounding to 8 bits."""
    codes, scale = _codes(parameters["pieces"])
    return parameters | {"pieces": codes.astype(np.float32) * scale[:, None]}


def model(parameters: dict, name: str, version: int):
    """The model: ids [B, L], 0 where there is none, to unit vectors [B, 256]."""
    graph = Graph(name)
    graph.input("ids", INT64, ["B", "L"])
    low, high = graph.constant("id_low", np.int64(0)), graph.constant("id_high", np.int64(BUCKETS - 1))
    graph.add("Clip", ["ids", low, high], "places")
    graph.add("Greater", ["places", "id_low"], "present")
    graph.add("Gather", [graph.constant("weights", np.exp(parameters["weights"]).astype(np.float32)), "places"], "raw_weight")
    graph.add("Where", ["present", "raw_weight", graph.constant("zero", np.float32(0))], "weight")
    axis = graph.constant("sequence_axis", np.array([1], np.int64))
    graph.add("ReduceSum", ["weight", axis], "total", keepdims=1)
    graph.add("Add", ["total", graph.constant("tiny_total", np.float32(network.TINY))], "total_safe")

    codes, scale = _codes(parameters["pieces"])
    graph.add("Gather", [graph.constant("pieces", codes), "places"], "codes")
    graph.add("Cast", ["codes"], "code_values", to=FLOAT)
    graph.add("Gather", [graph.constant("pieces_scale", scale), "places"], "row_scale")
    graph.add("Mul", ["row_scale", "weight"], "factor")
    graph.add("Unsqueeze", ["factor", graph.constant("width_axis", np.array([2], np.int64))], "factor_wide")
    graph.add("Mul", ["code_values", "factor_wide"], "weighted")
    graph.add("ReduceSum", ["weighted", axis], "sum", keepdims=0)
    value = graph.add("Div", ["sum", "total_safe"], "mean")
    for i, layer in enumerate(parameters["layers"]):
        graph.add("MatMul", [value, graph.constant(f"w{i}", layer["w"])], f"product{i}")
        value = graph.add("Add", [f"product{i}", graph.constant(f"b{i}", layer["b"])], f"sum{i}")
        value = value if i == 1 else graph.add("Relu", [value], f"hidden{i}")
    unit(graph, value, "embedding", network.TINY)
    graph.output("embedding", FLOAT, ["B", DIMENSION])
    tokenizer = f"hashed-ngrams-v1 buckets={BUCKETS} ids_max={IDS_MAX}"
    return graph.model({"name": name, "version": str(version), "space": SPACE, "card": "CARD.md", "tokenizer": tokenizer})


def _codes(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = (np.abs(table).max(axis=1) / 127 + 1e-12).astype(np.float32)
    return np.clip(np.rint(table / scale[:, None]), -127, 127).astype(np.int8), scale
