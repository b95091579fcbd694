"""Training of pix2pix: a U-Net against a patch discriminator that also sees the input."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.datasets.pairs import SketchPhotoPairs
from forensic.discriminators.patch import Norm, PatchDiscriminator
from forensic.generators.pix2pix import UNet
from forensic.layers.memory import to_channels_last
from forensic.losses.adversarial import Kind
from forensic.runtime import choose_precision
from forensic.training.adversary import Adversary
from forensic.training.task import Batch
from forensic.training.tasks.autoencoder import as_rgb, check_direction, picture_figures


class Pix2PixTask:
    """Logarithmic adversarial loss and an L1 loss, both players by Adam.

    Args:
        in_channels: Of the stored drawings; one channel is repeated.
        direction: `photo-to-sketch` or `sketch-to-photo`.
        width: Channels of the first level of both networks, 64 in the paper.
        depth: Levels of the U-Net, 8 for 256 pixels.
        n_strided: Strided layers of the discriminator: 4 in the study (6,965,441 parameters), 3 in
            the paper's 70×70 PatchGAN.
        norm: Of the discriminator, `batch` in the study; `instance` for batches of one picture
            where activations are small.
        pixel_weight: Of the L1 loss, 100 in the paper.
        game: `vanilla` in the paper, or `lsgan`.
        learning_rate: 2e-4 in the paper, for both players.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        RecipeError: No such direction.
        UnknownNameError: No such game or precision.

    Source:
        Isola et al., CVPR 2017, equations 1 to 4 and section 3.3; the sizes of Skubisz, section
        III-C. Its factor 0.5 on the discriminator's loss is part of `AdversarialLoss`.
    """

    score, higher_is_better = "ssim", True
    samples = SketchPhotoPairs

    def __init__(
        self,
        *,
        in_channels: int,  # noqa: ARG002 - every task of pairs is told
        direction: str,
        width: int = 64,
        depth: int = 8,
        n_strided: int = 4,
        norm: Norm = "batch",
        pixel_weight: float = 100.0,
        game: Kind = "vanilla",
        learning_rate: float = 2e-4,
        precision: str = "fp32",
        device: torch.device,
    ) -> None:
        self.source, self.target = check_direction(direction)
        self.generator = to_channels_last(UNet(width=width, depth=depth), device)
        judge = PatchDiscriminator(in_channels=6, width=width, n_strided=n_strided, norm=norm)
        self.autocast = choose_precision(precision, device)
        self.adversary = Adversary(
            to_channels_last(judge, device),
            kind=game,
            learning_rate=learning_rate,
            autocast=self.autocast,
        )
        self.optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=learning_rate, betas=(0.5, 0.999)
        )
        self.pixel_weight = pixel_weight
        self.metadata = {"direction": direction}

    def networks(self) -> dict[str, nn.Module]:
        """Return both players."""
        return {"generator": self.generator, "discriminator": self.adversary.discriminator}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return the optimizer of each player."""
        return {"generator": self.optimizer, "discriminator": self.adversary.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Do one update of the discriminator, then one of the generator."""
        self.generator.train()
        source, target = as_rgb(batch[self.source]), as_rgb(batch[self.target])
        with self.autocast:
            made = self.generator(source)
        made = made.float()
        against = self.adversary.learn(
            real=torch.cat([source, target], 1), made=torch.cat([source, made], 1)
        )
        fooled = self.adversary.fool(self.adversary.judge(torch.cat([source, made], 1)))
        # The paper's pictures lie in [-1, 1], where a difference counts twice as much.
        pixel = 2 * F.l1_loss(made, target)
        loss = fooled + self.pixel_weight * pixel
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        figures = {"loss": loss, "pixel": pixel, "fooled": fooled, "discriminator": against}
        return {name: value.item() for name, value in figures.items()}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return SSIM, mean squared error and PSNR (dB) of each picture."""
        with self.autocast:
            made = networks["generator"](as_rgb(batch[self.source]))
        return picture_figures(made.float(), as_rgb(batch[self.target]))

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the generator alone and its constructor arguments."""
        return {"generator": (self.generator.config, networks["generator"])}
