"""An ONNX face network as a torch module, so that training can go on from its weights.

Networks like MobileFaceNet are read: convolutions, rectifiers, sums, normalisations and one
matrix at the end. The division by the vector's length, where the graph has one, is left out,
since whoever compares vectors does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from forensic.errors import WeightsError

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Arrays = Mapping[str, Any]
"""Constant tensors of a graph by name, as NumPy arrays."""

PASSED_ON = ("Identity", "Dropout")
LENGTH = ("ReduceL2", "LpNormalization")
"""Operations with which the scaling to length 1 begins; the graph ends before them."""


class Affine(nn.Module):
    """A factor and an offset for each channel: a batch normalisation with fixed statistics.

    Args:
        channels: Size of axis 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, channels) or (B, channels, H, W)."""
        shape = [1, -1] + [1] * (features.ndim - 2)
        return features * self.weight.view(shape) + self.bias.view(shape)


class ChannelPReLU(nn.Module):
    """A rectifier with a trained slope for each channel below zero.

    The same as `torch.nn.PReLU`, in operations whose gradient is fast on a CPU: with torch's own
    it took 45 % of a training step of MobileFaceNet.

    Args:
        channels: Size of axis 1, or 1 for one slope.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 0.25))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        slope = self.weight.to(features.dtype).view([1, -1] + [1] * (features.ndim - 2))
        return torch.relu(features) * (1 - slope) + features * slope


class Add(nn.Module):
    """The sum of two branches."""

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the sum."""
        return first + second


LAYERS: dict[str, Callable[..., nn.Module]] = {
    "conv": nn.Conv2d,
    "prelu": ChannelPReLU,
    "relu": nn.ReLU,
    "affine": Affine,
    "add": Add,
    "flatten": nn.Flatten,
    "linear": nn.Linear,
}
"""Layers by the name that a graph's configuration uses."""


class GraphNetwork(nn.Module):
    """Layers in the order in which they compute, each fed by earlier ones.

    Args:
        layers: `[name, inputs, arguments]` each: a name of `LAYERS`, the values it takes (0 is
            the network's input, i the output of layer i counted from 1), and the constructor's
            arguments.
        mean: The network takes (pixel - mean) * scale, pixels in 0 to 255.
        scale: See `mean`.
        channels: Order of the channels it was trained with, `rgb` or `bgr`.
    """

    def __init__(
        self,
        *,
        layers: Sequence[tuple[str, Sequence[int], Mapping[str, Any]]],
        mean: float,
        scale: float,
        channels: str,
    ) -> None:
        super().__init__()
        self.config = {
            "layers": [[name, list(inputs), dict(options)] for name, inputs, options in layers],
            "mean": mean,
            "scale": scale,
            "channels": channels,
        }
        self._inputs = [tuple(inputs) for _, inputs, _ in layers]
        self._last_use = {value: i for i, inputs in enumerate(self._inputs) for value in inputs}
        self._mean, self._scale, self._is_bgr = mean, scale, channels == "bgr"
        self.layers = nn.ModuleList(LAYERS[name](**options) for name, _, options in layers)

    def forward(self, faces: Tensor) -> Tensor:
        """Return (B, dimension), not scaled to length 1, for RGB faces (B, 3, H, W) in [0, 1]."""
        ordered = faces.flip(1) if self._is_bgr else faces
        values = {0: (ordered * 255 - self._mean) * self._scale}
        for i, (layer, inputs) in enumerate(zip(self.layers, self._inputs, strict=True)):
            values[i + 1] = layer(*(values[k] for k in inputs))
            for k in set(inputs):
                if self._last_use[k] == i:
                    del values[k]
        return values[len(self.layers)]


def read_onnx(path: Path, *, mean: float, scale: float, channels: str) -> GraphNetwork:
    """Return an ONNX network as a module with the same weights.

    Args:
        path: The ONNX file.
        mean: See `GraphNetwork`.
        scale: See `GraphNetwork`.
        channels: See `GraphNetwork`.

    Raises:
        WeightsError: The file is no ONNX network, or has an operation that is not read here.
    """
    import onnx

    try:
        model = onnx.load(str(path))
    except Exception as error:  # the parser's own classes have no common root
        raise WeightsError(f"{path} is not an ONNX network: {error}.") from error
    layers, state = _Reader(path.name, model).read()
    network = GraphNetwork(layers=layers, mean=mean, scale=scale, channels=channels)
    network.load_state_dict(state)
    return network.eval()


class _Reader:
    """Walks through a graph's operations and collects layers and weights."""

    def __init__(self, name: str, model: ModelProto) -> None:
        from onnx import numpy_helper

        self._name, self._nodes = name, list(model.graph.node)
        self._arrays = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        constants = {i.name for i in model.graph.initializer}
        first = next(i.name for i in model.graph.input if i.name not in constants)
        self._values = {first: 0}
        self._layers: list[tuple[str, list[int], dict[str, Any]]] = []
        self._state: dict[str, Tensor] = {}

    def read(self) -> tuple[list[tuple[str, list[int], dict[str, Any]]], dict[str, Tensor]]:
        for node in self._nodes:
            if node.op_type in LENGTH:
                break
            if node.op_type in PASSED_ON:
                self._values[node.output[0]] = self._values[node.input[0]]
            elif node.op_type != "Constant":
                self._add(node)
        return self._layers, self._state

    def _add(self, node: NodeProto) -> None:
        if node.op_type not in _READ:
            raise WeightsError(
                f"{self._name} computes {node.op_type}, which is not read here "
                f"(known: {', '.join(sorted(_READ))}). Start the training from another network."
            )
        inputs = [self._values[name] for name in node.input if name in self._values]
        weights = [self._arrays[name] for name in node.input if name in self._arrays]
        try:
            layer, options, state = _READ[node.op_type](_attributes(node), weights)
        except (IndexError, KeyError, ValueError) as error:
            raise WeightsError(f"{self._name}: {node.name or node.op_type}: {error}.") from error
        for key, value in state.items():
            self._state[f"layers.{len(self._layers)}.{key}"] = torch.from_numpy(np.array(value))
        self._layers.append((layer, inputs, options))
        self._values[node.output[0]] = len(self._layers)


Read = tuple[str, dict[str, Any], dict[str, Any]]
"""Name of a layer, its constructor's arguments, and its weights."""


def _conv(attributes: Mapping[str, Any], weights: Sequence[Any]) -> Read:
    kernel, bias = weights[0], weights[1:]
    groups = attributes.get("group", 1)
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right) or attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise ValueError("padding differs between opposite sides")
    options = {
        "in_channels": kernel.shape[1] * groups,
        "out_channels": kernel.shape[0],
        "kernel_size": list(kernel.shape[2:]),
        "stride": list(attributes.get("strides", [1, 1])),
        "padding": [top, left],
        "dilation": list(attributes.get("dilations", [1, 1])),
        "groups": groups,
        "bias": bool(bias),
    }
    return "conv", options, {"weight": kernel, **({"bias": bias[0]} if bias else {})}


def _prelu(attributes: Mapping[str, Any], weights: Sequence[Any]) -> Read:
    del attributes
    slope = weights[0].reshape(-1)
    return "prelu", {"channels": len(slope)}, {"weight": slope}


def _norm(attributes: Mapping[str, Any], weights: Sequence[Any]) -> Read:
    gain, offset, mean, variance = weights
    factor = gain / np.sqrt(variance + attributes.get("epsilon", 1e-5))
    return "affine", {"channels": len(gain)}, {"weight": factor, "bias": offset - mean * factor}


def _linear(attributes: Mapping[str, Any], weights: Sequence[Any]) -> Read:
    matrix, bias = weights[0], weights[1:]
    if attributes.get("alpha", 1.0) != 1 or attributes.get("beta", 1.0) != 1:
        raise ValueError("a factor beside the matrix")
    kernel = matrix if attributes.get("transB", 0) else matrix.T
    options = {"in_features": kernel.shape[1], "out_features": kernel.shape[0], "bias": bool(bias)}
    return "linear", options, {"weight": kernel, **({"bias": bias[0]} if bias else {})}


def _plain(name: str) -> Callable[[Mapping[str, Any], Sequence[Any]], Read]:
    return lambda attributes, weights: (name, {}, {})  # noqa: ARG005 - one signature for all


_READ: dict[str, Callable[[Mapping[str, Any], Sequence[Any]], Read]] = {
    "Conv": _conv,
    "PRelu": _prelu,
    "Relu": _plain("relu"),
    "Add": _plain("add"),
    "BatchNormalization": _norm,
    "Flatten": _plain("flatten"),
    "Reshape": _plain("flatten"),
    "Gemm": _linear,
    "MatMul": _linear,
}


def _attributes(node: NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
