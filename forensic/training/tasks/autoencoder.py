"""Training of the study's three autoencoders, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.backbones.vgg_file import copy_vgg
from forensic.datasets.pairs import SketchPhotoPairs
from forensic.errors import RecipeError
from forensic.generators.autoencoders import SparseAutoencoder, VGGAutoencoder
from forensic.generators.registry import PHOTO_TO_SKETCH, SKETCH_TO_PHOTO, create_generator
from forensic.layers.memory import to_channels_last
from forensic.metrics.psnr import psnr
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_precision
from forensic.training.schedules import set_learning_rate, steps_done
from forensic.training.task import Batch

AUTOENCODERS = ("sparse-autoencoder", "conv-autoencoder", "vgg-autoencoder")
DIRECTIONS = {PHOTO_TO_SKETCH: ("photo", "sketch"), SKETCH_TO_PHOTO: ("sketch", "photo")}
"""Names of source and target in a batch."""


def check_direction(direction: str) -> tuple[str, str]:
    """Return the names of source and target in a batch.

    Raises:
        RecipeError: Another direction.
    """
    if direction not in DIRECTIONS:
        raise RecipeError(f"direction is {direction!r}; known: {', '.join(DIRECTIONS)}.")
    return DIRECTIONS[direction]


def as_rgb(pictures: Tensor) -> Tensor:
    """Return (B, 3, H, W) of pictures with one or three channels."""
    return pictures.expand(-1, 3, -1, -1)


class AutoencoderTask:
    """Mean squared error (binary cross-entropy and a sparse code for `sparse`), by Adam.

    Args:
        in_channels: Of the stored drawings; one channel is repeated.
        network: A name in `AUTOENCODERS`.
        direction: `photo-to-sketch` or `sketch-to-photo`.
        network_options: Constructor arguments, e.g. `side_px` of a smaller sparse network.
        sparsity: Weight of the L1 norm of the sparse code, unspecified in the study.
        vgg: File whose convolutions fill the encoder of `vgg-autoencoder`; those found in it stay
            frozen at first. `none` trains the whole network from a random start.
        finetune_after_steps: Steps after which all is trained, at `finetune_rate`; 0 for never.
        learning_rate: Of Adam, unspecified in the study.
        finetune_rate: 1e-4 in the study.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        RecipeError: No such direction or autoencoder, or VGG without a file.
        MissingWeights: The VGG file is not there.
        WeightsError: It is no VGG.
        UnknownNameError: No such precision.

    Source:
        Skubisz, sections III-A, III-B, III-D and IV-A.
    """

    score, higher_is_better = "ssim", True
    samples = SketchPhotoPairs

    def __init__(
        self,
        *,
        in_channels: int,  # noqa: ARG002 - every task of pairs is told
        network: str,
        direction: str,
        network_options: dict[str, Any] | None = None,
        sparsity: float = 1e-5,
        vgg: str = "",
        finetune_after_steps: int = 0,
        learning_rate: float = 1e-3,
        finetune_rate: float = 1e-4,
        precision: str = "fp32",
        device: torch.device,
    ) -> None:
        if network not in AUTOENCODERS:
            raise RecipeError(f"network is {network!r}; known: {', '.join(AUTOENCODERS)}.")
        self.source, self.target = check_direction(direction)
        built = create_generator(network, **(network_options or {}))
        self.frozen = _fill_encoder(built, vgg) if isinstance(built, VGGAutoencoder) else []
        self.generator = to_channels_last(built, device)
        self.sparsity, self.finetune_after_steps = sparsity, finetune_after_steps
        self.rates = learning_rate, finetune_rate
        kept = {id(p) for p in self.frozen}
        free = [p for p in self.generator.parameters() if id(p) not in kept]
        # Free ones first: their count of steps is the training's, whatever thaws later.
        self.optimizer = torch.optim.Adam([*free, *self.frozen], lr=learning_rate)
        self.autocast = choose_precision(precision, device)
        self.metadata = {"direction": direction}

    def networks(self) -> dict[str, nn.Module]:
        """Return the generator."""
        return {"generator": self.generator}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return Adam."""
        return {"generator": self.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Do one update towards the target pictures of a batch."""
        self.generator.train()
        self._set_stage(steps_done(self.optimizer))
        source, target = as_rgb(batch[self.source]), as_rgb(batch[self.target])
        with self.autocast:
            losses = self._compute_losses(source, target)
        self.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.optimizer.step()
        return {name: value.item() for name, value in losses.items()}

    def _set_stage(self, step: int) -> None:
        thawed = 0 < self.finetune_after_steps <= step
        for parameter in self.frozen:
            parameter.requires_grad_(thawed)
        set_learning_rate(self.optimizer, self.rates[thawed])

    def _compute_losses(self, source: Tensor, target: Tensor) -> dict[str, Tensor]:
        if not isinstance(self.generator, SparseAutoencoder):
            return {"loss": F.mse_loss(self.generator(source).float(), target)}
        code = self.generator.encode(source)
        made = self.generator.decode(code).float()
        with torch.autocast(made.device.type, enabled=False):
            cross_entropy = F.binary_cross_entropy(made, target)
        norm = code.float().abs().sum(1).mean()
        loss = cross_entropy + self.sparsity * norm
        return {"loss": loss, "cross_entropy": cross_entropy, "code_norm": norm}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return SSIM, mean squared error and PSNR (dB) of each picture."""
        with self.autocast:
            made = networks["generator"](as_rgb(batch[self.source]))
        return picture_figures(made.float(), as_rgb(batch[self.target]))

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the generator and its constructor arguments."""
        network = networks["generator"]
        return {"generator": (network.config, network)}  # type: ignore[dict-item]


def picture_figures(made: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return what the study measures of each picture, (B,) each, and PSNR."""
    made = made.clamp(0, 1)
    return {
        "ssim": ssim(made, target),
        "mse": (made - target).square().mean(dim=(1, 2, 3)),
        "psnr": psnr(made, target),
    }


def _fill_encoder(network: VGGAutoencoder, vgg: str) -> list[nn.Parameter]:
    """Fill the encoder from a file and return its parameters that the file gave."""
    if not vgg:
        raise RecipeError(
            "options.vgg is missing: the path of a VGG-16 (`forensic weights fetch vgg16`), or "
            "'none' to train the encoder from a random start."
        )
    if vgg == "none":
        return []
    convolutions = [layer for layer in network.encoder if isinstance(layer, nn.Conv2d)]
    colours = copy_vgg(Path(vgg), convolutions)
    network.get_buffer("colour_map").copy_(colours.matrix)
    network.get_buffer("colour_shift").copy_(colours.shift)
    return [p for layer in convolutions[: colours.n_layers] for p in layer.parameters()]
