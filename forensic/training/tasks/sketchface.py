"""Distillation of the bundled embedder: a sketch should get the vector of its photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.datasets.taught import DRAWN, PHOTO, TO_DRAW, TaughtFaces
from forensic.embedders.sketchface import SketchFace, load_sketchface
from forensic.errors import RecipeError
from forensic.layers.memory import to_channels_last
from forensic.runtime import choose_precision
from forensic.training.augment import deform, jitter, relight, repaper
from forensic.training.descent import Descent
from forensic.training.drawing import dodge, draw, to_gray
from forensic.training.task import Batch

SAME_PERSON = 0.5
"""Cosine between two photos above which they may show one person, and repel nothing."""


class SketchFaceTask:
    """Cosine to the teacher's vector, and a choice of it among the vectors of other photos.

    Args:
        dimension: Length of the teacher's vectors.
        widths: See `SketchFace`.
        depths: See `SketchFace`.
        scale: Factor on cosines before the softmax.
        margin: Subtracted from the cosine to the right photo.
        choice_weight: Weight of the choice beside the cosine.
        redraw_share: Share of finished drawings that are drawn over by an operator.
        learning_rate: Peak of a warm cosine schedule.
        warmup_steps: Steps of its rise.
        total_steps: Steps until it reaches zero.
        weight_decay: Of AdamW, on kernels and matrices only.
        precision: `fp32`, or `bf16` for automatic mixed precision.
        start: Bundle of an earlier training to start from; its network decides widths and depths.

    Raises:
        UnknownNameError: No such precision.
        WeightsError: `start` is no bundle of `SketchFace`.
        RecipeError: `start` has vectors of another length than the teacher's.

    Source:
        The margin on the cosine follows Wang et al., CosFace, CVPR 2018, equation 4, with frozen
        vectors of photos in place of learnt class centres.
    """

    score, higher_is_better = "rank1", True
    samples = TaughtFaces

    def __init__(
        self,
        *,
        dimension: int,
        widths: Sequence[int] = (64, 128, 256),
        depths: Sequence[int] = (2, 3, 2),
        scale: float = 24.0,
        margin: float = 0.15,
        choice_weight: float = 0.2,
        redraw_share: float = 0.15,
        learning_rate: float = 2e-3,
        warmup_steps: int = 200,
        total_steps: int,
        weight_decay: float = 0.02,
        precision: str = "bf16",
        start: str | None = None,
        device: torch.device,
    ) -> None:
        if start:
            network = load_sketchface(Path(start)).requires_grad_(True)
        else:
            network = SketchFace(widths=widths, depths=depths, dimension=dimension)
        if network.head.out_features != dimension:
            raise RecipeError(
                f"{start} gives vectors of length {network.head.out_features}, but the teacher's "
                f"have {dimension}. Leave options.start out."
            )
        self.network = to_channels_last(network, device)
        self.scale, self.margin, self.choice_weight = scale, margin, choice_weight
        self.redraw_share = redraw_share
        self._descent = Descent(
            self.network,
            learning_rate=learning_rate,
            warmup_steps=warmup_steps,
            total_steps=total_steps,
            weight_decay=weight_decay,
        )
        self.autocast = choose_precision(precision, device)
        self.metadata: dict[str, str] = {}

    def networks(self) -> dict[str, nn.Module]:
        """Return the embedder."""
        return {"embedder": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return AdamW."""
        return {"embedder": self._descent.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Train on a batch of `TaughtFaces` after changing every face at random."""
        self.network.train()
        faces = self.augment(batch["face"], batch["kind"])
        with self.autocast:
            vectors = self.network(faces)
        vectors = F.normalize(vectors.float())
        losses = self._compute_losses(vectors, batch)
        self._descent.step(losses["loss"])
        return {name: value.item() for name, value in losses.items()}

    def augment(self, faces: Tensor, kinds: Tensor) -> Tensor:
        """Return faces of the three kinds, changed as scans, cameras and hands would.

        Args:
            faces: (B, 3, H, W) in [0, 1].
            kinds: (B,) PHOTO, TO_DRAW or DRAWN.
        """
        redrawn = torch.rand(len(kinds), device=kinds.device) < self.redraw_share
        photo = kinds == PHOTO
        to_draw = (kinds == TO_DRAW) | (~photo & redrawn)
        out = faces.clone()
        if to_draw.any():
            out[to_draw] = draw(out[to_draw])
        if photo.any():
            out[photo] = relight(jitter(out[photo], pixels=0.8, turn=0.02, stretch=0.015))
        if not photo.all():
            out[~photo] = repaper(deform(out[~photo], pixels=4.0))
        return out.contiguous(memory_format=torch.channels_last)

    def _compute_losses(self, vectors: Tensor, batch: Batch) -> dict[str, Tensor]:
        target, others = batch["target"], batch["others"]
        cosine = (vectors * target).sum(1)
        far = (vectors @ others.T).masked_fill(target @ others.T > SAME_PERSON, -1.0)
        logits = torch.cat([cosine[:, None] - self.margin, far], 1) * self.scale
        choice = -logits.log_softmax(1)[:, 0].mean()
        distance = 1 - cosine.mean()
        photo = batch["kind"] == PHOTO
        return {
            "loss": distance + self.choice_weight * choice,
            "choice": choice,
            "photo": _mean(cosine[photo]),
            "drawing": _mean(cosine[~photo]),
        }

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return `rank1` of each face, and rank 1 and cosine apart for each kind of face.

        Photos still to be drawn are drawn as lines. A face counts when no photo of the split
        comes nearer than its own; photos that the teacher takes for the same person are not asked.
        """
        faces, kinds = batch["face"].clone(), batch["kind"]
        to_draw = kinds == TO_DRAW
        if to_draw.any():
            faces[to_draw] = _line(faces[to_draw])
        with self.autocast:
            vectors = networks["embedder"](faces) + networks["embedder"](faces.flip(3))
        vectors, target, others = F.normalize(vectors.float()), batch["target"], batch["others"]
        cosine = (vectors * target).sum(1)
        far = (vectors @ others.T).masked_fill(target @ others.T > SAME_PERSON, -1.0)
        hit = (cosine > far.amax(1)).float()
        figures = {"rank1": hit}
        for name, kind in (("photo", PHOTO), ("line", TO_DRAW), ("drawing", DRAWN)):
            figures[f"{name}_rank1"] = hit[kinds == kind]
            figures[f"{name}_cosine"] = cosine[kinds == kind]
        return figures

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return the embedder and its constructor arguments."""
        return {"embedder": (self.network.config, networks["embedder"])}


def _line(photos: Tensor) -> Tensor:
    return dodge(to_gray(photos), sigma=3.5, darkness=1.0).expand_as(photos)


def _mean(values: Tensor) -> Tensor:
    return values.mean() if len(values) else torch.zeros((), device=values.device)
