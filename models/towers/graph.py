"""A small writer of ONNX graphs: opset 17, IR 8, which the runtime the program uses is known to load."""

import hashlib
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes and constants in the order in which they were added."""

    def __init__(self, name: str):
        self.name, self.nodes, self.constants, self.inputs, self.outputs = name, [], [], [], []

    def input(self, name: str, kind: int, shape: list) -> str:
        """Adds an input; a text in `shape` is a dimension left open."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, kind: int, shape: list) -> None:
        """Names a value as the graph's output."""
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def constant(self, name: str, value: np.ndarray) -> str:
        """Adds a constant."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes) -> str:
        """Adds a node and gives the name of its result."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def model(self, metadata: dict[str, str]) -> onnx.ModelProto:
        """The checked model with `metadata` in its properties."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "forebay"
        helper.set_model_props(model, metadata | {"weights_sha256": self.weights_hash()})
        onnx.checker.check_model(model, full_check=True)
        return model

    def weights_hash(self) -> str:
        """SHA-256 over names, shapes, types and bytes of the constants, by name."""
        digest = hashlib.sha256()
        for tensor in sorted(self.constants, key=lambda t: t.name):
            value = numpy_helper.to_array(tensor)
            digest.update(json.dumps([tensor.name, str(value.dtype), list(value.shape)]).encode())
            digest.update(value.tobytes())
        return digest.hexdigest()


def unit(graph: Graph, value: str, output: str, tiny: float) -> None:
    """Adds `value` divided by its length as `output`."""
    graph.add("Mul", [value, value], "squares")
    graph.add("ReduceSum", ["squares", graph.constant("last_axis", np.array([-1], np.int64))], "square", keepdims=1)
    graph.add("Add", ["square", graph.constant("tiny", np.float32(tiny))], "square_safe")
    graph.add("Sqrt", ["square_safe"], "length")
    graph.add("Div", [value, "length"], output)


FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
