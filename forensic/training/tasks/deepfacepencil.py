"""Training of DeepFacePencil in its three stages, and of its baselines in one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.backbones.vgg19 import load_vgg19_features
from forensic.datasets.deformed import DeformedPairs
from forensic.discriminators.multiscale import MultiScaleDiscriminator
from forensic.errors import RecipeError
from forensic.generators.deepfacepencil.generators import N_MATCHED, DualGenerator
from forensic.generators.deepfacepencil.pooling import DeformationClassifier
from forensic.generators.registry import SKETCH_TO_PHOTO
from forensic.layers.memory import to_channels_last
from forensic.losses.adversarial import Kind
from forensic.losses.feature_matching import feature_matching
from forensic.metrics.psnr import pooled_psnr
from forensic.metrics.ssim import ssim
from forensic.runtime import choose_precision
from forensic.training.adversary import Adversary
from forensic.training.schedules import set_learning_rate, steps_done
from forensic.training.task import Batch
from forensic.training.tasks.autoencoder import as_rgb

SYSTEMS = {"dual": 3, "baseline": 1, "baseline-deformed": 1}
"""Stages of each system of Table 1: both generators, pix2pixHD's global generator on aligned
sketches, and the same on aligned and deformed ones."""

VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Of the features, finest first, as in pix2pixHD."""

BETAS = (0.5, 0.999)


class DeepFacePencilTask:
    """The losses of equations 4 to 8, and which parts they train when.

    First G_a and D, and beside them the classifier of deformed strokes, whose body then stays as
    it is; second the pooling, G_m's encoder and D; third all.

    Departures and readings: the discriminator goes on from the first stage into the second. Its
    game is least squares as in the released code (`game="vanilla"` is equation 5, the generators'
    side in the form that does not saturate). Where the released code judged the aligned fake in
    the deformed branch, each branch has its own here. A face has one deformed sketch throughout.

    Args:
        in_channels: Of the stored sketches; one channel is repeated.
        system: A name in `SYSTEMS`.
        stage_steps: Steps of each stage; the rate falls linearly in the second half of each.
        width: Channels of the generators at full size, 48 in the released code.
        n_down: Halvings of the generators.
        n_blocks: Residual blocks.
        discriminator_width: Channels of the discriminators' first layer.
        learning_rate: Of all players.
        game: Of the discriminator.
        pixel_weight: Of equation 4, 1 in the paper.
        matching_weight: λ of equation 8.
        embedding_weight: μ of equation 8.
        vgg: File of a VGG-19 whose features are compared too, as in the released code; none in the
            paper.
        vgg_weight: Of that comparison.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        RecipeError: No such system, or another number of stages.
        MissingWeights: The VGG file is not there.
        WeightsError: The VGG file holds another network.
        UnknownNameError: No such game or precision.

    Source:
        Li et al., DeepFacePencil, ACM MM 2020, sections 3.3 and 4.1.
    """

    score, higher_is_better = "psnr", True
    samples = DeformedPairs

    def __init__(
        self,
        *,
        in_channels: int,  # noqa: ARG002 - every task of pairs is told
        system: str = "dual",
        stage_steps: Sequence[int],
        width: int = 48,
        n_down: int = 4,
        n_blocks: int = 9,
        discriminator_width: int = 64,
        learning_rate: float = 2e-4,
        game: Kind = "lsgan",
        pixel_weight: float = 1.0,
        matching_weight: float = 10.0,
        embedding_weight: float = 10.0,
        vgg: str = "",
        vgg_weight: float = 10.0,
        precision: str = "bf16",
        device: torch.device,
    ) -> None:
        if SYSTEMS.get(system) != len(stage_steps):
            raise RecipeError(
                f"system is {system!r} with {len(stage_steps)} stages, expected one of these with "
                f"so many stage_steps: {SYSTEMS}."
            )
        self.system, self.stage_steps = system, tuple(stage_steps)
        self.learning_rate = learning_rate
        self.weights = {
            "pixel": pixel_weight,
            # pix2pixHD's least squares have no half.
            "fool": 2.0 if game == "lsgan" else 1.0,
            "matching": matching_weight,
            "embedding": embedding_weight,
            "feature": vgg_weight,
        }
        self.autocast = choose_precision(precision, device)
        dual = DualGenerator(width=width, n_down=n_down, n_blocks=n_blocks)
        self.generator = to_channels_last(dual, device)
        classifier = DeformationClassifier(dual.pooling.features, width=width)
        self.classifier = to_channels_last(classifier, device)
        self.features = to_channels_last(load_vgg19_features(Path(vgg)), device) if vgg else None
        judge = MultiScaleDiscriminator(in_channels=6, width=discriminator_width)
        self.adversary = Adversary(
            to_channels_last(judge, device),
            kind=game,
            learning_rate=learning_rate,
            betas=BETAS,
            autocast=self.autocast,
        )
        self._optimizers = self._create_optimizers()
        self.metadata = {"direction": SKETCH_TO_PHOTO, "system": system}
        if self.features:
            self.metadata["features"] = self.features.name

    def _create_optimizers(self) -> dict[str, Optimizer]:
        dual = self.generator
        kept = {id(p) for p in self.classifier.parameters()}
        pooling = [p for p in dual.pooling.parameters() if id(p) not in kept]
        players = {
            "auxiliary": [*dual.encoder.parameters(), *dual.trunk.parameters()],
            "main": [*pooling, *dual.main_encoder.parameters()],
            "classifier": [*self.classifier.parameters()],
        }
        made: dict[str, Optimizer] = {
            name: torch.optim.Adam(parameters, self.learning_rate, BETAS)
            for name, parameters in players.items()
        }
        return made | {"discriminator": self.adversary.optimizer}

    def networks(self) -> dict[str, nn.Module]:
        """Return the generators, the discriminator and what the classifier has of its own."""
        return {
            "generator": self.generator,
            "discriminator": self.adversary.discriminator,
            "classifier_head": self.classifier.head,
        }

    def optimizers(self) -> dict[str, Optimizer]:
        """Return an Adam for each part that some stage trains by itself."""
        return self._optimizers

    def _place(self) -> tuple[int, float]:
        """Return the stage of the next step, counted from 1, and which share of it is over."""
        done = steps_done(self.adversary.optimizer)
        for stage, steps in enumerate(self.stage_steps[:-1], 1):
            if done < steps:
                return stage, done / steps
            done -= steps
        return len(self.stage_steps), min(1.0, done / self.stage_steps[-1])

    def step(self, batch: Batch) -> dict[str, float]:
        """Update the discriminator, then the parts of this stage, on triplets."""
        stage, share = self._place()
        for optimizer in self._optimizers.values():
            set_learning_rate(optimizer, self.learning_rate * min(1.0, 2 * (1 - share)))
            optimizer.zero_grad(set_to_none=True)
        self.generator.train()
        self.generator.trunk.requires_grad_(stage != 2)
        self.classifier.requires_grad_(stage == 1)
        losses, against = self._generators(batch, stage)
        losses["loss"].backward()
        moving = {1: ("auxiliary",), 2: ("main",), 3: ("auxiliary", "main")}[stage]
        for name in moving:
            self._optimizers[name].step()
        figures = losses | {"discriminator": against}
        if stage == 1 and self.system == "dual":
            figures["classifier"] = self._classify(batch)
        return {name: value.item() for name, value in figures.items()}

    def _generators(self, batch: Batch, stage: int) -> tuple[dict[str, Tensor], Tensor]:
        """Return the generators' losses and the discriminator's after its update."""
        aligned, deformed = as_rgb(batch["sketch"]), as_rgb(batch["deformed"])
        shown = self._branches(aligned, deformed, stage)
        embedded, pairs, photos = {}, [], []
        for sketch, main in shown:
            with self.autocast:
                embedded[main] = self.generator.embed(sketch, main=main)
                photos.append(self.generator.trunk.decode(embedded[main][-1]).float())
            pairs.append(torch.cat([sketch, photos[-1]], dim=1))
        made, photo = torch.cat(photos), batch["photo"]
        sketches = torch.cat([sketch for sketch, _ in shown])
        true = photo.repeat(len(made) // len(photo), 1, 1, 1)
        real, fake = torch.cat([sketches, true], dim=1), torch.cat(pairs)
        against = self.adversary.learn(real=real, made=fake)
        losses = self._against_photos(made, true, real, fake)
        if stage > 1:
            losses["embedding"] = self._embedding(embedded, aligned)
        # The paper adds the generators' losses; the means above are over both.
        total = [
            self.weights[name] * value * (1 if name == "embedding" else len(shown))
            for name, value in losses.items()
        ]
        return {"loss": torch.stack(total).sum(), **losses}, against

    def _branches(self, aligned: Tensor, deformed: Tensor, stage: int) -> list[tuple[Tensor, bool]]:
        """Return which sketches go to which generator, true for the main one."""
        if self.system == "baseline-deformed":
            return [(torch.cat([aligned, deformed]), False)]
        both = [(aligned, False), (deformed, True)]
        return {1: both[:1], 2: both[1:], 3: both}[stage]

    def _against_photos(
        self, made: Tensor, true: Tensor, real: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """Return reconstruction, adversarial and feature matching loss."""
        judgement = self.adversary.judge(fake)
        with torch.no_grad():
            truth = self.adversary.judge(real)
        n_layers = len(judgement[0]) - 1  # N_Q of equation 6, without the logits
        losses = {
            # The paper's pictures lie in [-1, 1], where a difference counts twice as much.
            "pixel": 2 * F.l1_loss(made, true),
            "fool": self.adversary.fool(judgement),
            "matching": feature_matching(judgement, truth) / n_layers,
        }
        if self.features:
            losses["feature"] = self._features_apart(self.features, made, true)
        return losses

    def _features_apart(self, features: nn.Module, made: Tensor, true: Tensor) -> Tensor:
        with self.autocast:
            ours = features(made)
            with torch.no_grad():
                theirs = features(true)
        apart = [
            weight * F.l1_loss(F.relu(a.float()), F.relu(b.float()))
            for weight, a, b in zip(VGG_WEIGHTS, ours, theirs, strict=False)
        ]
        return torch.stack(apart).sum()

    def _embedding(self, embedded: dict[bool, list[Tensor]], aligned: Tensor) -> Tensor:
        """Return the generator feature matching of equation 7; G_a stays fixed in stage 2."""
        theirs = embedded.get(False)
        if theirs is None:
            with torch.no_grad(), self.autocast:
                theirs = self.generator.embed(aligned, main=False)
        apart = [
            F.l1_loss(a.float(), b.float())
            for a, b in zip(embedded[True][:N_MATCHED], theirs[:N_MATCHED], strict=True)
        ]
        return torch.stack(apart).mean()

    def _classify(self, batch: Batch) -> Tensor:
        """Do one update of the classifier and return its loss."""
        sides = as_rgb(batch["sketch"]), as_rgb(batch["deformed"])
        with self.autocast:
            logits = self.classifier(torch.cat(sides)).float()
        is_deformed = (torch.arange(len(logits), device=logits.device) >= len(sides[0])).float()
        loss = F.binary_cross_entropy_with_logits(logits, is_deformed)
        loss.backward()
        self._optimizers["classifier"].step()
        return loss.detach()

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return PSNR (dB) and SSIM of photos from deformed sketches, and PSNR from aligned."""
        main = self.system == "dual"
        with self.autocast:
            deformed = networks["generator"](as_rgb(batch["deformed"]), main=main).float()
            aligned = networks["generator"](as_rgb(batch["sketch"]), main=main).float()
        return {
            "psnr": pooled_psnr(deformed, batch["photo"]),
            "ssim": ssim(deformed, batch["photo"]),
            "psnr_aligned": pooled_psnr(aligned, batch["photo"]),
        }

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the main generator, or the auxiliary one of a baseline, and its arguments."""
        dual = networks["generator"]
        if not isinstance(dual, DualGenerator):
            raise TypeError("The generator of this task is DualGenerator.")
        alone = dual.extract(main=self.system == "dual")
        return {"generator": (alone.config, alone)}
