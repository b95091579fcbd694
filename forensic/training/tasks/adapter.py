"""Training of a sketch encoder into the frozen space of an embedder."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from forensic.datasets.sketched import SketchedFaces
from forensic.datasets.taught import PHOTO, TO_DRAW
from forensic.embedders.adapter import subtract_start
from forensic.embedders.starts import start_adapter
from forensic.errors import RecipeError
from forensic.layers.memory import to_channels_last
from forensic.runtime import choose_precision
from forensic.training.augment import deform, jitter, relight, repaper
from forensic.training.descent import Descent
from forensic.training.drawing import draw, to_gray
from forensic.training.hand import (
    contours,
    exaggerate,
    hatch,
    leave_out,
    rework_strokes,
    sometimes,
)
from forensic.training.task import Batch
from forensic.weights.bundle import EIGHT_BITS


class AdapterTask:
    """The right photo among everybody's, chosen by cosine from the sketch's vector.

    The encoder starts as a copy of the embedder's own network. Its targets are the embedder's
    vectors of photos, which never change, so a gallery that exists stays as it is. With a drawn
    embedder (`drawn:NAME`) it starts where the encoder that draws now stands, and its targets are
    the drawn photos: sketches and gallery come nearer to each other with every such round, and the
    result is an adapter for drawn galleries.

    Args:
        bank: (N, D) unit rows, the embedder's vectors of all training photos.
        people: (N,) whose they are; vectors of one person do not repel each other's sketches.
        teacher_weights_sha256: SHA-256 of the embedder that made them.
        embedder: That embedder: a name, a TOML file, or an ONNX file with a TOML file beside it;
            before it `drawn:` for another round.
        weights: Folder of fetched weights, for embedders that do not come with the package.
        scale: Factor on cosines before the softmax.
        margin: Subtracted from the cosine to the right photo.
        n_hard: How many nearest wrong photos a second softmax is taken over.
        hard_weight: Weight of that softmax beside the one over everybody.
        exaggeration: Greatest relative change of a feature in a simulated drawing.
        redraw_share: Share of finished drawings that are drawn over by an operator.
        learning_rate: Peak of a warm cosine schedule.
        warmup_steps: Steps of its rise.
        total_steps: Steps until it reaches zero.
        weight_decay: Of AdamW, on kernels and matrices only.
        blend: How much of the change of every weight is kept when it is judged and published, 0
            to 1. Less keeps more of what the embedder knew of faces that training did not show.
        precision: `fp32`, or `bf16` for automatic mixed precision.

    Raises:
        MissingWeights: A file is not there, among others the adapter of a drawn embedder.
        RecipeError: The vectors were made by another embedder, or `blend` is not in 0 to 1.
        WeightsError: The embedder's network cannot be read.
        UnknownNameError: No such embedder or precision.

    Source:
        The margin on the cosine follows Wang et al., CosFace, CVPR 2018, equation 4, with frozen
        vectors of photos in place of learnt class centres. The blend follows Wortsman et al.,
        Robust fine-tuning of zero-shot models, CVPR 2022.
    """

    score, higher_is_better = "rank1", True
    samples = SketchedFaces

    def __init__(
        self,
        *,
        bank: Tensor,
        people: Tensor,
        teacher_weights_sha256: str,
        embedder: str,
        weights: str | None = None,
        scale: float = 22.0,
        margin: float = 0.15,
        n_hard: int = 64,
        hard_weight: float = 0.5,
        exaggeration: float = 0.15,
        redraw_share: float = 0.12,
        learning_rate: float = 5e-4,
        warmup_steps: int = 150,
        total_steps: int,
        weight_decay: float = 0.02,
        blend: float = 1.0,
        precision: str = "bf16",
        device: torch.device,
    ) -> None:
        start = start_adapter(embedder, weights=Path(weights) if weights else None)
        if start.teacher_weights_sha256 != teacher_weights_sha256:
            raise RecipeError(
                f"The data holds vectors of {teacher_weights_sha256[:12]}…, but {embedder} is "
                f"{start.teacher_weights_sha256[:12]}…. Make the data with that embedder."
            )
        if not 0 <= blend <= 1:
            raise RecipeError(f"options.blend is {blend}; it is a share, from 0 to 1.")
        self.blend = blend
        self.config, self._origin = start.config, start.origin
        self.network = to_channels_last(start.network, device)
        self.bank, self.people = bank.to(device), people.to(device)
        self.scale, self.margin = scale, margin
        self.n_hard, self.hard_weight = min(n_hard, len(bank) - 1), hard_weight
        self.exaggeration, self.redraw_share = exaggeration, redraw_share
        self._descent = Descent(
            self.network,
            learning_rate=learning_rate,
            warmup_steps=warmup_steps,
            total_steps=total_steps,
            weight_decay=weight_decay,
        )
        self.autocast = choose_precision(precision, device)
        self.metadata = dict(EIGHT_BITS)

    def networks(self) -> dict[str, nn.Module]:
        """Return the sketch encoder."""
        return {"adapter": self.network}

    def optimizers(self) -> dict[str, Optimizer]:
        """Return AdamW."""
        return {"adapter": self._descent.optimizer}

    def step(self, batch: Batch) -> dict[str, float]:
        """Train on a batch of `SketchedFaces` after changing every face at random."""
        self.network.train()
        faces = self.augment(_as_floats(batch["face"]), batch["kind"])
        with self.autocast:
            vectors = self.network(faces)
        losses = self._compute_losses(F.normalize(vectors.float()), batch)
        self._descent.step(losses["loss"])
        names, values = list(losses), torch.stack(list(losses.values())).tolist()
        return dict(zip(names, values, strict=True))

    def augment(self, faces: Tensor, kinds: Tensor) -> Tensor:
        """Return faces of the three kinds, changed as cameras, hands and scans would.

        Args:
            faces: (B, 3, H, W) in [0, 1].
            kinds: (B,) PHOTO, TO_DRAW or DRAWN.
        """
        photo, to_draw = kinds == PHOTO, kinds == TO_DRAW
        out = faces.clone()
        if photo.any():
            out[photo] = relight(jitter(out[photo], pixels=0.8, turn=0.02, stretch=0.015))
        if to_draw.any():
            bent = deform(exaggerate(out[to_draw], strength=self.exaggeration), pixels=4.0)
            out[to_draw] = _draw(bent)
        if not (photo | to_draw).all():
            out[~photo & ~to_draw] = self._redo(out[~photo & ~to_draw])
        if not photo.all():
            drawn = sometimes(0.5, rework_strokes(out[~photo]), out[~photo])
            drawn = sometimes(0.25, leave_out(drawn), drawn)
            out[~photo] = sometimes(0.75, repaper(drawn), drawn)
        return out.contiguous(memory_format=torch.channels_last)

    def _redo(self, drawings: Tensor) -> Tensor:
        """Return people's drawings as the same person might have drawn them another time."""
        bent = sometimes(0.3, exaggerate(drawings, strength=self.exaggeration / 2), drawings)
        bent = deform(bent, pixels=3.0)
        return sometimes(self.redraw_share, _draw(bent), bent)

    def _compute_losses(self, vectors: Tensor, batch: Batch) -> dict[str, Tensor]:
        cosine = (vectors * batch["target"]).sum(1)
        same = batch["person"][:, None] == self.people
        far = (vectors @ self.bank.T).masked_fill(same, -1.0)
        right = (cosine - self.margin)[:, None]
        choice = _choice(torch.cat([right, far], 1) * self.scale)
        hard = _choice(torch.cat([right, far.topk(self.n_hard, dim=1).values], 1) * self.scale)
        with torch.no_grad():
            hit = (cosine > far.amax(1)).float()
        return {
            "loss": choice + self.hard_weight * hard,
            "choice": choice.detach(),
            "hit": hit.mean(),
            "cosine": cosine.detach().mean(),
        }

    def validate(self, networks: dict[str, nn.Module], batch: Batch) -> dict[str, Tensor]:
        """Return how held-out people's drawings are found among all photos.

        The gallery is everybody: the photos of training and one of each held-out person, the
        drawn one. `rank1` is whether the right photo comes first, `surprise` minus the log of its
        share of the softmax without margin, which tells small changes sooner, `cosine` its own.
        """
        faces = _as_floats(batch["face"])
        with self.autocast:
            both = self._blended(networks["adapter"])(torch.cat([faces, faces.flip(3)]))
        first, second = F.normalize(both.float()).chunk(2)
        vectors = F.normalize(first + second)
        cosine = (vectors * batch["target"]).sum(1)
        same = batch["person"][:, None] == batch["others_person"]
        strangers = (vectors @ batch["others"].T).masked_fill(same, -1.0)
        wrong = torch.cat([strangers, vectors @ self.bank.T], 1)
        logits = torch.cat([cosine[:, None], wrong], 1) * self.scale
        return {
            "rank1": (cosine > wrong.amax(1)).float(),
            "surprise": -logits.log_softmax(1)[:, 0],
            "cosine": cosine,
        }

    def export(self, networks: dict[str, nn.Module]) -> dict[str, tuple[dict[str, Any], nn.Module]]:
        """Return how the encoder differs from the embedder's own network, and its configuration."""
        differences = subtract_start(self._blended(networks["adapter"]), self._origin)
        return {"adapter": (self.config.as_json(), differences)}

    def _blended(self, network: nn.Module) -> nn.Module:
        """Return a network between the embedder's own and the trained one."""
        if self.blend == 1:
            return network
        state = {
            name: torch.lerp(self._origin[name].to(tensor), tensor, self.blend)
            if tensor.is_floating_point()
            else tensor
            for name, tensor in network.state_dict().items()
        }
        blended = copy.deepcopy(network)
        blended.load_state_dict(state)
        return blended


def _draw(photos: Tensor) -> Tensor:
    """Return a drawing of each photo: by one of the operators, as hatching, or as contours."""
    gray = to_gray(photos)
    way = torch.rand(len(photos), 1, 1, 1, device=photos.device)
    lined = torch.where(way < 0.25, contours(gray), hatch(gray)).expand_as(photos)
    return torch.where(way < 0.45, lined, draw(photos))


def _choice(logits: Tensor) -> Tensor:
    return -logits.log_softmax(1)[:, 0].mean()


def _as_floats(faces: Tensor) -> Tensor:
    return faces.permute(0, 3, 1, 2).float().div_(255)
