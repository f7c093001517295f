"""Makes the small ONNX files the tests of model loading use: one sound network and one for each way to be wrong.

Run with `onnx==1.23.2` and `numpy` installed: python make.py. The files are committed; running it again gives the same bytes.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FEATURES, DIMENSION = 83, 4
FOLDER = Path(__file__).parent


def weights(rows=FEATURES, columns=DIMENSION):
    return np.random.default_rng(7).standard_normal((rows, columns)).astype(np.float32)


def network(features=FEATURES, dimension=DIMENSION, protocol_type=T.INT64, with_service=True, extra=None,
            normalise=True, mask=True, batch="B", output="embedding", opset=17, ir=8):
    """features -> mask NaN -> matmul, plus protocol and service, -> unit length."""
    nodes = []
    if mask:
        nodes += [h.make_node("IsNaN", ["features"], ["unknown"]), h.make_node("Where", ["unknown", "zero", "features"], ["x"])]
    else:
        nodes += [h.make_node("Identity", ["features"], ["x"])]
    nodes += [
        h.make_node("MatMul", ["x", "w"], ["wx"]),
        h.make_node("Cast", ["protocol"], ["p"], to=T.FLOAT),
        h.make_node("Unsqueeze", ["p", "last"], ["pcol"]),
        h.make_node("Add", ["wx", "pcol"], ["sum1"]),
    ]
    last = "sum1"
    inputs = [
        h.make_tensor_value_info("features", T.FLOAT, [batch, features]),
        h.make_tensor_value_info("protocol", protocol_type, [batch]),
    ]
    if with_service:
        inputs.append(h.make_tensor_value_info("service", T.INT64, [batch]))
        nodes += [
            h.make_node("Cast", ["service"], ["s"], to=T.FLOAT),
            h.make_node("Unsqueeze", ["s", "last"], ["scol"]),
            h.make_node("Add", [last, "scol"], ["sum2"]),
        ]
        last = "sum2"
    if extra:
        inputs.append(h.make_tensor_value_info(extra, T.FLOAT, [batch, dimension]))
        nodes.append(h.make_node("Add", [last, extra], ["sum3"]))
        last = "sum3"
    nodes.append(h.make_node("Add", [last, "bias"], ["raw"]))
    if normalise:
        nodes += [h.make_node("ReduceL2", ["raw"], ["norm"], axes=[1], keepdims=1), h.make_node("Div", ["raw", "norm"], [output])]
    else:
        nodes.append(h.make_node("Identity", ["raw"], [output]))
    initializers = [
        numpy_helper.from_array(weights(features, dimension), "w"),
        numpy_helper.from_array(np.arange(1, dimension + 1, dtype=np.float32), "bias"),
        numpy_helper.from_array(np.zeros((), np.float32), "zero"),
        numpy_helper.from_array(np.array([1], np.int64), "last"),
    ]
    outputs = [h.make_tensor_value_info(output, T.FLOAT, [batch, dimension])]
    graph = h.make_graph(nodes, "event", inputs, outputs, initializers)
    return h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], ir_version=ir, producer_name="")


def external():
    model = network()
    tensor = model.graph.initializer[0]
    tensor.data_location = T.EXTERNAL
    tensor.ClearField("raw_data")
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    return model


FILES = {
    "sound": network(),
    "features_82": network(features=82),
    "protocol_i32": network(protocol_type=T.INT32),
    "without_service": network(with_service=False),
    "extra_input": network(extra="weather"),
    "dimension_5": network(dimension=5),
    "output_name": network(output="vector"),
    "batch_fixed": network(batch=1),
    "not_unit": network(normalise=False),
    "nan_through": network(mask=False),
    "opset_99": network(opset=99),
    "ir_99": network(ir=99),
    "external": external(),
}

for name, model in FILES.items():
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
