"""Training of Convolutional Sketch Inversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.backbones.vgg import load_vgg_features
from forensic.datasets.pairs import SketchPhotoPairs
from forensic.errors import RecipeError
from forensic.generators.csi import CSI
from forensic.generators.mirrored import Mirrored
from forensic.generators.registry import SKETCH_TO_PHOTO, load_generator
from forensic.layers.memory import to_channels_last
from forensic.losses.perceptual import feature_loss
from forensic.losses.pixel import squared_error
from forensic.losses.total_variation import total_variation
from forensic.metrics.correlation import correlation
from forensic.metrics.psnr import psnr
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_precision
from forensic.training.task import Batch


class CSITask:
    """Pixel, feature and total-variation loss, minimised by Adam.

    The paper does not state the range of images in its loss. The reading taken here is the one in
    which its three weights make sense together: bytes, 0 to 255, the squared error averaged, and
    the variation summed. Features of a stand-in network have another scale than VGG-16's;
    `feature_scale` brings their error to the size of the pixel error.

    Args:
        in_channels: 1 for line and gray sketches, 3 for colour.
        start: Generator of an earlier training to start from: a name, or the path of its file.
        vgg: File of the network whose features are compared.
        pixel_weight: 1 in the paper, 0 in its feature-only ablation.
        feature_weight: 1 in the paper.
        variation_weight: 1e-5 in the paper.
        feature_scale: Factor on the feature error; 1 for VGG-16 on bytes.
        learning_rate: 1e-3 in the paper.
        precision: `fp32`, or `bf16` for automatic mixed precision.
        compile: Compile the loss, which needs a C++ compiler.

    Raises:
        MissingWeights: The VGG file is not there.
        WeightsError: The VGG file holds another network.
        UnknownNameError: No such precision, or no generator `start`.
        RecipeError: `start` is another network, or one of other channels.

    Source:
        Güçlütürk et al. 2016, section 4.1, equations 1 to 3.
    """

    score, higher_is_better = "psnr", True
    samples = SketchPhotoPairs

    def __init__(
        self,
        *,
        in_channels: int,
        start: str | None = None,
        vgg: str,
        pixel_weight: float = 1.0,
        feature_weight: float = 1.0,
        variation_weight: float = 1e-5,
        feature_scale: float = 1.0,
        learning_rate: float = 1e-3,
        precision: str = "bf16",
        compile: bool = False,  # noqa: A002
        device: torch.device,
    ) -> None:
        self.generator = to_channels_last(_first_network(start, in_channels), device)
        self.features = to_channels_last(load_vgg_features(Path(vgg)), device)
        self.optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=learning_rate, betas=(0.9, 0.999), eps=1e-8
        )
        self.metadata = {"direction": SKETCH_TO_PHOTO}
        self.weights = (pixel_weight, feature_weight * feature_scale, variation_weight)
        self.autocast = choose_precision(precision, device)
        self._losses = torch.compile(self._compute_losses) if compile else self._compute_losses

    def networks(self) -> dict[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return Adam."""
        return {"generator": self.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Minimise equation 3 on a batch of `sketch` and `photo`."""
        self.generator.train()
        losses = self._losses(batch["sketch"], batch["photo"])
        self.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def _compute_losses(self, sketch: Tensor, photo: Tensor) -> dict[str, Tensor]:
        with self.autocast:
            predicted = self.generator(sketch)
        return self._judge(predicted, photo)

    def _judge(self, predicted: Tensor, photo: Tensor) -> dict[str, Tensor]:
        """Return the losses of machine-made faces, both (B, 3, H, W) in [0, 1]."""
        pixel_weight, feature_weight, variation_weight = self.weights
        with self.autocast:
            features = feature_loss(predicted, photo, features=self.features)
        predicted_bytes = predicted.float() * 255
        pixel = squared_error(predicted_bytes, photo * 255)
        variation = total_variation(predicted_bytes)
        total = pixel_weight * pixel + feature_weight * features + variation_weight * variation
        return {"loss": total, "pixel": pixel, "feature": features, "variation": variation}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return PSNR (dB), SSIM and R of each image."""
        with self.autocast:
            predicted = networks["generator"](batch["sketch"])
        return self._measure(predicted.float(), batch["photo"])

    def _measure(self, predicted: Tensor, photo: Tensor) -> dict[str, Tensor]:
        return {
            "psnr": psnr(predicted, photo),
            "ssim": ssim(predicted, photo),
            "r": correlation(predicted, photo),
        }

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the generator and its constructor arguments."""
        return {"generator": (self.generator.config, networks["generator"])}


def _first_network(start: str | None, in_channels: int) -> CSI:
    """Return a new network, or that of an earlier training.

    Raises:
        RecipeError: The earlier one is another network, or has other channels.
    """
    if start is None:
        return CSI(in_channels=in_channels)
    network = load_generator(start, torch.device("cpu")).network
    if isinstance(network, Mirrored):
        network = network.network
    if not isinstance(network, CSI) or network.config["in_channels"] != in_channels:
        raise RecipeError(
            f"options.start: {start} is no CSI network of {in_channels} channels. Leave it out, or "
            "name one that is."
        )
    return network.requires_grad_(True)
