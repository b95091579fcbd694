"""A small face network in ONNX with every kind of layer that is read, random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper, save

from forensic.embedders.adapter import subtract_start
from forensic.embedders.embedder import Embedder
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_network
from forensic.weights.bundle import save_bundle

DIMENSION = 6
ADAPTER = "adapter-toy.safetensors"
TOML = """
name = "toy-graph"
file = "toy.onnx"
size = [112, 112]
template = "arcface-112"
mean = 127.5
scale = 0.0078125
channels = "bgr"
flip = true
"""


def write_face_graph(folder: Path, *, with_sigmoid: bool = False) -> Path:
    """Write `toy.onnx` and its description `toy.toml`; return the description."""
    draw = np.random.default_rng(0)
    shapes = {
        "k1": (4, 3, 7, 7), "b1": (4,), "slope": (4, 1, 1), "k2": (4, 1, 3, 3), "b2": (4,),
        "gain": (4,), "offset": (4,), "mean": (4,), "k3": (4, 1, 14, 14),
        "matrix": (DIMENSION, 4), "b4": (DIMENSION,),
    }  # fmt: skip
    arrays = {name: draw.normal(0, 0.3, shape) for name, shape in shapes.items()}
    arrays["variance"] = draw.uniform(0.5, 2, 4)
    pads = {"pads": [3, 3, 3, 3]}
    nodes = [
        helper.make_node("Conv", ["image", "k1", "b1"], ["c1"], strides=[8, 8], **pads),
        helper.make_node("PRelu", ["c1", "slope"], ["p1"]),
        helper.make_node("Conv", ["p1", "k2", "b2"], ["c2"], group=4, pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid" if with_sigmoid else "Relu", ["c2"], ["r2"]),
        helper.make_node("Add", ["p1", "r2"], ["sum"]),
        helper.make_node(
            "BatchNormalization", ["sum", "gain", "offset", "mean", "variance"], ["n"]
        ),
        helper.make_node("Conv", ["n", "k3"], ["c3"], group=4),
        helper.make_node("Flatten", ["c3"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "b4"], ["rows"], transB=1),
        helper.make_node("ReduceL2", ["rows"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Div", ["rows", "length"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSION])],
        [numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    save(model, str(folder / "toy.onnx"))
    (folder / "toy.toml").write_text(TOML)
    return folder / "toy.toml"


def write_adapter(folder: Path) -> Path:
    """Write the embedder and its adapter, of which only the last bias was trained.

    Returns:
        The folder.
    """
    config, network = start_network(str(write_face_graph(folder)))
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        network.layers[-1].bias += 0.5
    save_bundle(folder / ADAPTER, subtract_start(network, start).state_dict(), config.as_json())
    return folder


def load_toy(folder: Path) -> Embedder:
    """Return the embedder that lies in a folder."""
    return create_embedder(str(folder / "toy.toml"), device=torch.device("cpu"))
