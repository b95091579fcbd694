"""Training of the fully convolutional photo-to-sketch networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.check import check_range
from forensic.datasets.pairs import SketchPhotoPairs
from forensic.errors import UnknownNameError
from forensic.generators.fcn import FCN
from forensic.generators.registry import PHOTO_TO_SKETCH
from forensic.layers.memory import to_channels_last
from forensic.losses.discriminative import discriminative_regulariser, summed_squared_error
from forensic.metrics.mprl import mprl
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_precision
from forensic.training.drawing import to_gray
from forensic.training.task import Batch

OPTIMIZERS = ("sgd", "adam")


class FCNTask:
    """The joint generative-discriminative objective, minimised by gradient descent.

    The loss is that of the paper: pictures are bytes, squared errors are summed over a drawing
    and averaged over people. Where momentum and batch size are unspecified, the recipes say what
    they take. As printed, the regulariser's gradient is about 5e-6 of the other one's.

    Args:
        in_channels: Of the stored drawings; they are turned to one gray level.
        size: A name in `forensic.generators.fcn.SIZES`.
        coordinates: False leaves the two position channels out (Fig. 6 of the paper).
        discriminative_weight: The paper's alpha, 1e4; 0 trains without the regulariser.
        discriminative_scale: The paper's lambda.
        optimizer: `sgd` as in the paper, or `adam`, which comes further in a short training.
        learning_rate: 1e-11 for `sgd` in the paper.
        momentum: Of `sgd`.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        UnknownNameError: No such size, optimizer or precision.
        RangeError: A negative weight.

    Source:
        Zhang et al. 2015, equations 1 to 3 and algorithm 1.
    """

    score, higher_is_better = "prl", False
    samples = SketchPhotoPairs

    def __init__(
        self,
        *,
        in_channels: int,  # noqa: ARG002 - every task of pairs is told
        size: str = "medium",
        coordinates: bool = True,
        discriminative_weight: float = 1e4,
        discriminative_scale: float = 1e9,
        optimizer: str = "sgd",
        learning_rate: float = 1e-11,
        momentum: float = 0.9,
        precision: str = "fp32",
        device: torch.device,
    ) -> None:
        check_range(discriminative_weight, 0, float("inf"), name="discriminative_weight")
        if optimizer not in OPTIMIZERS:
            raise UnknownNameError("optimizer", optimizer, OPTIMIZERS, ())
        self.generator = to_channels_last(FCN(size=size, coordinates=coordinates), device)
        self.alpha, self.scale = discriminative_weight, discriminative_scale
        parameters = self.generator.parameters()
        self.optimizer: Optimizer = (
            torch.optim.SGD(parameters, lr=learning_rate, momentum=momentum)
            if optimizer == "sgd"
            else torch.optim.Adam(parameters, lr=learning_rate)
        )
        self.autocast = choose_precision(precision, device)
        self.metadata = {"direction": PHOTO_TO_SKETCH}

    def networks(self) -> dict[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return the optimizer."""
        return {"generator": self.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Do one update of algorithm 1 on a batch of `sketch` and `photo`."""
        self.generator.train()
        with self.autocast:
            made = self.generator(batch["photo"]).float() * 255
        drawn = _wanted(batch["sketch"], made) * 255
        generative = summed_squared_error(made, drawn)
        regulariser = discriminative_regulariser(made, drawn, scale=self.scale)
        loss = generative + self.alpha * regulariser
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return {
            "loss": loss.item(),
            "generative": generative.item(),
            "discriminative": regulariser.item(),
        }

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return the pixel-wise reconstruction loss (bytes) and SSIM of each drawing."""
        with self.autocast:
            made = networks["generator"](batch["photo"])
        made = made.float()
        drawn = _wanted(batch["sketch"], made)
        return {"prl": mprl(made, drawn, scales=(1.0,))[:, 0], "ssim": ssim(made, drawn)}

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the generator and its constructor arguments."""
        return {"generator": (self.generator.config, networks["generator"])}


def _wanted(sketch: Tensor, made: Tensor) -> Tensor:
    """Return the gray centre of artists' drawings in the size of the made ones."""
    gray = to_gray(sketch) if sketch.shape[1] == 3 else sketch
    top, left = ((a - b) // 2 for a, b in zip(gray.shape[2:], made.shape[2:], strict=True))
    return gray[:, :, top : top + made.shape[2], left : left + made.shape[3]]
