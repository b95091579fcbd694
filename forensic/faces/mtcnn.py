"""The three networks of MTCNN, run as one batched cascade over tensors.

The networks and their weights come with facenet-pytorch. The cascade around them is ours, because
the library's own crops its candidates one by one, misplaces landmarks of faces cut by the border,
and cannot judge boxes that come from elsewhere. Images, files and choosing among faces live in
`detect` and `search`.

Source:
    Zhang, Zhang, Li, Qiao, Joint face detection and alignment using multitask cascaded
    convolutional networks, IEEE SPL 2016. Differs from it in: crops reaching outside the image
    are padded with mid grey and resampled by area-averaging RoIAlign; the last candidates of one
    face are averaged instead of all but one dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from facenet_pytorch import ONet, PNet, RNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms

from forensic.faces.resample import Resampler

CELL_PX, STRIDE_PX = 12, 2
"""Receptive field and stride of the P-net: it sees a face that is 12 pixels wide."""

PYRAMID_FACTOR = 0.709
"""Ratio of successive pyramid levels, so that the area halves."""

NEAR = 0.703
"""Overlap from which two boxes are one face. Boxes of the P-net lie on a lattice, where overlaps
of exactly 0.7 are common and rounding would decide."""

CHUNK = 1024
"""Candidate crops that go through a network at once, to bound memory."""

VECTOR = 16
"""Numbers of single precision that the widest vectors of a CPU hold."""

N_SECOND_LOOKS = 48
"""Given boxes per image that are moved and judged again."""


@dataclass(frozen=True)
class Detections:
    """Faces found in a batch, the most probable first.

    Attributes:
        boxes_xyxy: (N, 4) float32; pixel edges, so that the first pixel spans 0 to 1.
        points: (N, 5, 2) float32 in the same frame, in the order of `forensic.values.Landmarks`.
        probabilities: (N,) float32.
        image_index: (N,) int64, which image of the batch.
    """

    boxes_xyxy: NDArray[np.float32]
    points: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    image_index: NDArray[np.int64]


class Cascade:
    """P-net proposes boxes, R-net rejects most, O-net judges the rest and gives the landmarks."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        # On a CPU, the pooling of channels-last maps is several times as fast.
        self.proposer, self.refiner, self.judge = (
            _filled_up(net().eval()).to(device).to(memory_format=torch.channels_last)
            for net in (PNet, RNet, ONet)
        )

    @torch.inference_mode()
    def detect(
        self, images: Tensor, *, min_face_px: float, thresholds: tuple[float, float, float]
    ) -> Detections:
        """Return the faces of a batch.

        Args:
            images: (B, 3, H, W) float, values in [0, 1], red first.
            min_face_px: Width of the smallest face looked for, in pixels.
            thresholds: Least probability that each of the three networks lets pass.
        """
        pixels = self._laid_out(images)
        boxes, index = self._propose(pixels, min_face_px, thresholds[0])
        boxes, index = self._refine(pixels, boxes, index, thresholds[1])
        return self._judge(pixels, boxes, index, thresholds[2])

    @torch.inference_mode()
    def detect_in(self, images: Tensor, boxes: Tensor, *, threshold: float) -> Detections:
        """Return the faces that the O-net sees in or near given boxes of every image.

        The likeliest boxes of each image are moved to where the network wants them and judged anew.

        Args:
            images: (B, 3, H, W) float, values in [0, 1], red first.
            boxes: (N, 4) squares to look into, the same for every image.
            threshold: Least probability at the second judgement.
        """
        pixels = self._laid_out(images)
        n_images, n_boxes = len(images), len(boxes)
        index = torch.arange(n_images, device=self.device).repeat_interleave(n_boxes)
        boxes = boxes.to(self.device, torch.float32).repeat(n_images, 1)
        shift, _, probability = self._outputs(self.judge, pixels, boxes, index, 48)
        likely = probability[:, 1].view(n_images, n_boxes)
        best = likely.topk(min(N_SECOND_LOOKS, n_boxes), dim=1).indices
        chosen = (best + torch.arange(n_images, device=self.device)[:, None] * n_boxes).flatten()
        moved = _squared(_moved(boxes[chosen], shift[chosen]))
        return self._judge(pixels, moved, index[chosen], threshold)

    def _laid_out(self, images: Tensor) -> Resampler:
        return Resampler((images.to(self.device, torch.float32) - 0.5) * (255 / 128))

    def _propose(
        self, pixels: Resampler, min_face_px: float, least: float
    ) -> tuple[Tensor, Tensor]:
        height, width = pixels.height, pixels.width
        scale, found = CELL_PX / min_face_px, []
        while min(height, width) * scale >= CELL_PX:
            size = round(height * scale), round(width * scale)
            shift, probability = self.proposer(pixels.shrunk(size))
            image, row, column = (probability[:, 1] >= least).nonzero(as_tuple=True)
            corner = torch.stack([column, row, column, row], 1) * STRIDE_PX
            corner = corner + torch.tensor([0, 0, CELL_PX, CELL_PX], device=self.device)
            ratio = torch.tensor([width / size[1], height / size[0]] * 2, device=self.device)
            boxes = corner * ratio
            likely = probability[image, 1, row, column]
            keep = _suppressed(boxes, likely, image, 0.503)
            found.append(
                (boxes[keep], shift[image, :, row, column][keep], likely[keep], image[keep])
            )
            scale *= PYRAMID_FACTOR
        if not found:
            none = torch.zeros(0, 4, device=self.device)
            return none, none[:, 0].long()
        boxes, shift, likely, image = (torch.cat(part) for part in zip(*found, strict=True))
        keep = _suppressed(boxes, likely, image, NEAR)
        return _squared(_moved(boxes[keep], shift[keep])), image[keep]

    def _refine(
        self, pixels: Resampler, boxes: Tensor, index: Tensor, least: float
    ) -> tuple[Tensor, Tensor]:
        shift, probability = self._outputs(self.refiner, pixels, boxes, index, 24)
        passed = probability[:, 1] >= least
        boxes, index, shift = boxes[passed], index[passed], shift[passed]
        keep = _suppressed(boxes, probability[passed, 1], index, NEAR)
        return _squared(_moved(boxes[keep], shift[keep])), index[keep]

    def _judge(self, pixels: Resampler, boxes: Tensor, index: Tensor, least: float) -> Detections:
        shift, points, probability = self._outputs(self.judge, pixels, boxes, index, 48)
        size = boxes[:, 2:] - boxes[:, :2]
        # The network gives five x, then five y, as shares of the box.
        points = boxes[:, None, :2] + points.view(-1, 2, 5).transpose(1, 2) * size[:, None]
        passed = (probability[:, 1] >= least).nonzero()[:, 0]
        moved = _moved(boxes[passed], shift[passed]).cpu().numpy()
        likely = probability[passed, 1].cpu().numpy()
        image = index[passed].cpu().numpy()
        return _merged(moved, points[passed].cpu().numpy(), likely, image)

    def _outputs(
        self, net: nn.Module, pixels: Resampler, boxes: Tensor, index: Tensor, size: int
    ) -> tuple[Tensor, ...]:
        # One spare crop, dropped again: the networks cannot take an empty batch.
        boxes, index = (
            torch.cat([boxes, boxes.new_zeros(1, 4)]),
            torch.cat([index, index.new_zeros(1)]),
        )
        chunks = zip(boxes.split(CHUNK), index.split(CHUNK), strict=True)
        parts = [net(pixels.crops(chunk, images, size)) for chunk, images in chunks]
        return tuple(torch.cat(part)[:-1] for part in zip(*parts, strict=True))


def _filled_up(net: PNet | RNet | ONet) -> PNet | RNet | ONet:
    """Fill the channels of a network's first maps up with zeros, to whole vectors of a CPU.

    The P-net has 10 there and the R-net 28, with which rectifying and pooling take up to eight
    times as long as with 16 and 32. What the network gives stays the same.
    """
    first, slope, second = net.conv1, net.prelu1, net.conv2
    more = -len(first.weight) % VECTOR
    with torch.no_grad():
        first.weight = nn.Parameter(F.pad(first.weight, (0, 0, 0, 0, 0, 0, 0, more)))
        first.bias = nn.Parameter(F.pad(first.bias, (0, more)))
        slope.weight = nn.Parameter(F.pad(slope.weight, (0, more)))
        second.weight = nn.Parameter(F.pad(second.weight, (0, 0, 0, 0, 0, more)))
    first.out_channels = slope.num_parameters = second.in_channels = len(first.weight)
    return net


def _moved(boxes: Tensor, shift: Tensor) -> Tensor:
    """Return boxes with each edge moved by a share of the box's width or height."""
    size = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    return boxes + shift * size


def _squared(boxes: Tensor) -> Tensor:
    """Return squares about the centres of boxes, as wide as the longer side."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True) / 2
    return torch.cat([center - half, center + half], 1)


def _suppressed(boxes: Tensor, likely: Tensor, image: Tensor, overlap: float) -> Tensor:
    """Return which boxes stay once those that overlap a likelier one of their image are dropped."""
    # In double precision: the shift that keeps images apart would cost digits, and which box
    # stays would depend on what else is in the batch.
    kept: Tensor = batched_nms(boxes.double(), likely.double(), image, overlap)
    return kept


def _merged(
    boxes: NDArray[np.float32],
    points: NDArray[np.float32],
    likely: NDArray[np.float32],
    image: NDArray[np.int64],
) -> Detections:
    """Return one detection per face: candidates near the likeliest one are averaged into it.

    The average, weighted by probability, is steadier than the likeliest candidate alone.
    Candidates mostly inside a likelier one are dropped.
    """
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    leaders: list[int] = []
    faces: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for one in np.argsort(-likely, kind="stable"):
        low = np.maximum(boxes[:, :2], boxes[one, :2])
        high = np.minimum(boxes[:, 2:], boxes[one, 2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1) * (image == image[one])
        if (shared > NEAR * np.minimum(area, area[one]))[leaders].any():
            continue
        near = shared > NEAR * (area + area[one] - shared)
        weights = likely[near] / likely[near].sum()
        leaders.append(int(one))
        faces.append((weights @ boxes[near], np.tensordot(weights, points[near], axes=1)))
    chosen = np.array(leaders, dtype=np.int64)
    return Detections(
        np.array([box for box, _ in faces], dtype=np.float32).reshape(-1, 4),
        np.array([five for _, five in faces], dtype=np.float32).reshape(-1, 5, 2),
        likely[chosen],
        image[chosen],
    )
