"""Training of Cali-Sketch: stroke calibration and image synthesis, apart and then together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.backbones.vgg19 import load_vgg19_features
from forensic.datasets.calibration import CalibrationFaces
from forensic.discriminators.patch import PatchDiscriminator
from forensic.errors import RecipeError
from forensic.generators.cali_sketch import CaliSketch, Dilated
from forensic.generators.registry import SKETCH_TO_PHOTO
from forensic.layers.memory import to_channels_last
from forensic.losses.feature_matching import feature_matching
from forensic.losses.style import style_loss
from forensic.metrics.edges import edge_accuracy
from forensic.metrics.psnr import pooled_psnr
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_precision
from forensic.training.adversary import Adversary
from forensic.training.schedules import set_learning_rate, steps_done
from forensic.training.task import Batch

BETAS = (0.0, 0.9)
"""Of Adam, as in the ancestor; the paper does not say."""

TARGETS = ("contour", "detail")


class CaliSketchTask:
    """Algorithm 1, its first two stages side by side on each batch, then the third.

    Stage 1 trains the calibration network on the calibration loss and stage 2 the synthesis
    network on Canny times contour; neither sees the other, so that both take the same batches.
    In stage 3 the refined sketch goes on to the synthesis network and its gradient comes back.

    The size of each term, on which the paper is silent: absolute differences and variation are
    means, and the style is that of `style_loss`.

    Args:
        in_channels: Channels of the sketches.
        contours: The name of what drew the contours, kept beside the weights.
        vgg: File of the VGG-19 whose features are compared.
        width: See `CaliSketch`, as for the next four.
        n_blocks: Residual blocks.
        skip: Skip connections.
        dilated: Which convolutions of a block are dilated.
        synthesis: Which synthesis network.
        discriminator_width: Channels of the discriminators' first layer.
        separate_steps: Steps of stages 1 and 2, N1 = N2.
        learning_rate: Of the generators in stages 1 and 2.
        joint_rate: Of the generators in stage 3.
        discriminator_share: The discriminators' rate over the generators'.
        targets: What calibrates: `contour`, `detail` or both, for Table 2.
        calibration_only: Train the calibration network alone, all its time in stage 1; the
            synthesis network keeps its first weights. Enough for Table 2, which looks at the
            refined sketch and no further, at a third of the cost.
        calibration_weight: λ of equation 4.
        pixel_weight: λ1 of equation 6.
        adversarial_weight: λ2.
        feature_weight: λ3.
        style_weight: λ4.
        variation_weight: Of the total variation.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        MissingWeights: The VGG file is not there.
        WeightsError: The VGG file holds another network.
        UnknownNameError: No such precision or synthesis network.
        RecipeError: `targets` names nothing, or something else.

    Source:
        Xia et al., Cali-Sketch, 2021, sections 3.2 to 4.2. Equation 10's minus between the two
        gradients is read as a plus.
    """

    score, higher_is_better = "psnr", True
    samples = CalibrationFaces

    def __init__(
        self,
        *,
        in_channels: int,
        contours: str,
        vgg: str,
        width: int = 64,
        n_blocks: int = 8,
        skip: bool = True,
        dilated: Dilated = "both",
        synthesis: str = "original",
        discriminator_width: int = 64,
        separate_steps: int,
        learning_rate: float = 1e-4,
        joint_rate: float = 1e-5,
        discriminator_share: float = 0.1,
        targets: Sequence[str] = TARGETS,
        calibration_only: bool = False,
        calibration_weight: float = 10.0,
        pixel_weight: float = 1.0,
        adversarial_weight: float = 0.1,
        feature_weight: float = 0.1,
        style_weight: float = 200.0,
        variation_weight: float = 1.0,
        precision: str = "bf16",
        device: torch.device,
    ) -> None:
        if not targets or set(targets) - set(TARGETS):
            raise RecipeError(f"targets is {list(targets)}, expected some of {list(TARGETS)}.")
        self.targets, self.separate_steps = tuple(targets), separate_steps
        self.calibration_only = calibration_only
        if calibration_only:
            self.score = "f1"
        self.rates = (learning_rate, joint_rate, discriminator_share)
        self.calibration_weight = calibration_weight
        self.weights = {
            "pixel": pixel_weight,
            "fool": adversarial_weight,
            "feature": feature_weight,
            "style": style_weight,
            "variation": variation_weight,
        }
        self.autocast = choose_precision(precision, device)
        generator = CaliSketch(
            in_channels=in_channels,
            width=width,
            n_blocks=n_blocks,
            skip=skip,
            dilated=dilated,
            synthesis=synthesis,
        )
        self.generator = to_channels_last(generator, device)
        self.features = to_channels_last(load_vgg19_features(Path(vgg)), device)
        self.scn_optimizer = torch.optim.Adam(generator.scn.parameters(), learning_rate, BETAS)
        self.isn_optimizer = torch.optim.Adam(generator.isn.parameters(), learning_rate, BETAS)
        self.edge_adversary = self._adversary(1, discriminator_width, device)
        self.photo_adversary = self._adversary(3, discriminator_width, device)
        self.metadata = {
            "direction": SKETCH_TO_PHOTO,
            "contours": contours,
            "features": self.features.name,
            "trained": "calibration only" if calibration_only else "calibration and synthesis",
        }

    def _adversary(self, in_channels: int, width: int, device: torch.device) -> Adversary:
        network = PatchDiscriminator(
            in_channels=in_channels, width=width, norm="none", spectral=True
        )
        return Adversary(
            to_channels_last(network, device),
            kind="lsgan",
            learning_rate=self.rates[0] * self.rates[2],
            betas=BETAS,
            autocast=self.autocast,
        )

    def networks(self) -> dict[str, nn.Module]:
        """Return the generator, which holds both networks, and the two discriminators."""
        return {
            "generator": self.generator,
            "edge_discriminator": self.edge_adversary.discriminator,
            "photo_discriminator": self.photo_adversary.discriminator,
        }

    def optimizers(self) -> dict[str, Optimizer]:
        """Return an Adam for each of the four networks."""
        return {
            "scn": self.scn_optimizer,
            "isn": self.isn_optimizer,
            "edge_discriminator": self.edge_adversary.optimizer,
            "photo_discriminator": self.photo_adversary.optimizer,
        }

    @property
    def is_joint(self) -> bool:
        """Whether the next step belongs to stage 3."""
        if self.calibration_only:
            return False
        return steps_done(self.scn_optimizer) >= self.separate_steps

    def step(self, batch: Batch) -> dict[str, float]:
        """Update both discriminators and both networks on a batch of `CalibrationFaces`."""
        self.generator.train()
        is_joint = self.is_joint
        self._set_rates(self.rates[1] if is_joint else self.rates[0])
        with self.autocast:
            refined = self.generator.calibrate(batch["sketch"]).float()
        true_edges = torch.cat([batch[name] for name in self.targets])
        against = {"edge_discriminator": self.edge_adversary.learn(real=true_edges, made=refined)}
        losses = self._calibration(refined, batch)
        losses["loss"] = losses["scn"]
        if not self.calibration_only:
            with self.autocast:
                wanted = refined if is_joint else batch["detail"] * batch["contour"]
                photo = self.generator.synthesize(wanted).float()
            true = batch["photo"]
            against["photo_discriminator"] = self.photo_adversary.learn(real=true, made=photo)
            losses |= self._synthesis(photo, true)
            losses["loss"] = losses["scn"] + losses["isn"]
        for optimizer in (self.scn_optimizer, self.isn_optimizer):
            optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        self.scn_optimizer.step()
        self.isn_optimizer.step()
        return {name: value.item() for name, value in (losses | against).items()}

    def _set_rates(self, rate: float) -> None:
        for name, optimizer in self.optimizers().items():
            share = self.rates[2] if name.endswith("discriminator") else 1.0
            set_learning_rate(optimizer, rate * share)

    def _calibration(self, refined: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of equation 4 and its parts."""
        judgement = self.edge_adversary.judge(refined)
        fool = self.edge_adversary.fool(judgement)
        calibration = torch.zeros_like(fool)
        for name in self.targets:
            with torch.no_grad():
                true = self.edge_adversary.judge(batch[name])
            calibration = calibration + feature_matching(judgement, true, with_logits=True)
        return {"scn": fool + self.calibration_weight * calibration, "calibration": calibration}

    def _synthesis(self, photo: Tensor, true: Tensor) -> dict[str, Tensor]:
        """Return the loss of equation 6 and its parts."""
        with self.autocast:
            ours = self.features(photo)
            with torch.no_grad():
                theirs = self.features(true)
        apart = [F.l1_loss(a.float(), b.float()) for a, b in zip(ours, theirs, strict=True)]
        losses = {
            "pixel": F.l1_loss(photo, true),
            "fool": self.photo_adversary.fool(self.photo_adversary.judge(photo)),
            "feature": torch.stack(apart).sum(),
            "style": style_loss([F.relu(f) for f in ours], [F.relu(f) for f in theirs]),
            "variation": photo.diff(dim=2).abs().mean() + photo.diff(dim=3).abs().mean(),
        }
        weighted = [self.weights[name] * value for name, value in losses.items()]
        return {"isn": torch.stack(weighted).sum(), **losses}

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return PSNR (dB) and SSIM of each photo; precision, recall and F1 of each refined sketch.

        A task that only calibrates says nothing of photos.
        """
        generator = networks["generator"]
        if not isinstance(generator, CaliSketch):
            raise TypeError("The generator of this task is CaliSketch.")
        with self.autocast:
            refined = generator.calibrate(batch["sketch"])
        precision, recall = edge_accuracy(refined.float(), batch["detail"])
        f1 = 2 * precision * recall / (precision + recall).clamp_min(1e-12)
        figures = {"precision": precision, "recall": recall, "f1": f1}
        if self.calibration_only:
            return figures
        with self.autocast:
            photo = generator.synthesize(refined).float()
        true = batch["photo"]
        return figures | {"psnr": pooled_psnr(photo, true), "ssim": ssim(photo, true)}

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the generator and its constructor arguments."""
        return {"generator": (self.generator.config, networks["generator"])}
