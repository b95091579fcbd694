"""The system under test: who finds faces, who embeds them, and the methods compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from forensic.embedders.embedder import Embedder
from forensic.errors import InputError
from forensic.faces.detect import FaceDetector
from forensic.faces.landmarks import ALIGNED, aligned_landmarks
from forensic.faces.search import Kind, find_faces
from forensic.identification.enrol import embed_faces
from forensic.identification.hand import Hand, read_hand
from forensic.identification.methods import METHODS, FusionMethod, create_method
from forensic.identification.probes import Method
from forensic.runtime import choose_device
from forensic.values import RGB, Face, Landmarks, Vectors
from pipelines.benchmark.locating import FaceFinder, Found
from pipelines.benchmark.matchers import create_matcher
from pipelines.benchmark.sketch_domain import (
    FCN_SKETCH,
    SketchDomainMethod,
    create_sketch_domain,
    is_sketch_domain,
)


@dataclass(frozen=True)
class System:
    """Everything that turns images into vectors, with its identity for cache and report.

    Attributes:
        embedder: Embeds photos; every method uses the same.
        methods: Compared in this order.
        photo_finder: Finds the face in a photo of the pairs.
        distractor_finder: Finds the face in a photo of another person.
        sketch_finder: Finds the face in a sketch.
        device: Where it computes, as reported.
        same_hand: Other sketches by the artist of all probes, where every method knows them.
    """

    embedder: Embedder
    methods: tuple[Method, ...]
    photo_finder: FaceFinder
    distractor_finder: FaceFinder
    sketch_finder: FaceFinder
    device: str
    same_hand: Hand | None = None

    def embed_photos(self, images: Sequence[RGB], landmarks: Sequence[Landmarks]) -> Vectors:
        """Return one unit row per photo."""
        return embed_faces(self.embedder, images, landmarks)

    def identity(self, step: str) -> dict[str, Any]:
        """Return what a vector of the gallery or of the method called `step` depends on."""
        method = next((m for m in self.methods if m.name == step), None)
        return {
            "way": step,
            "embedder": self.embedder.weights_sha256,
            "template": self.embedder.template,
            "generators": method.weights_sha256 if method else {},
            **({"fusion": dict(method.weights)} if isinstance(method, FusionMethod) else {}),
            **({"same_hand": self.same_hand.sha256} if method and self.same_hand else {}),
            "device": self.device,
        }


class DetectedFaces:
    """Finds faces with the detector, as the service itself does.

    Args:
        detector: Finds all faces.
        kind: `photo` or `sketch`; a sketch is looked at in more ways.
        allow_many: Take the heaviest face even where another competes.
    """

    def __init__(self, detector: FaceDetector, kind: Kind, *, allow_many: bool = False) -> None:
        self.identity: Mapping[str, Any] = {
            "finder": "detected", "kind": kind, "allow_many": allow_many
        }  # fmt: skip
        self._detector, self._kind, self._allow_many = detector, kind, allow_many

    def find(self, images: Sequence[RGB]) -> list[Found | InputError]:
        """Return the landmarks of each image, or why it has none."""
        faces = find_faces(images, self._detector, kind=self._kind, allow_many=self._allow_many)
        return [
            Found(face.landmarks, face.detector) if isinstance(face, Face) else face
            for face in faces
        ]


class AlignedFaces:
    """Knows where the landmarks lie in images of a set that was aligned by its makers.

    Args:
        geometry: A name of `ALIGNED`.
        otherwise: Asked for images of another size; without it they have no landmarks.

    Raises:
        UnknownNameError: No such geometry.
    """

    def __init__(self, geometry: str, *, otherwise: FaceFinder | None = None) -> None:
        self._size_hw = ALIGNED[geometry].size_hw
        self._geometry, self._otherwise = geometry, otherwise
        after = dict(otherwise.identity) if otherwise else None
        self.identity: Mapping[str, Any] = {"finder": f"aligned:{geometry}", "otherwise": after}

    def find(self, images: Sequence[RGB]) -> list[Found | InputError]:
        """Return the landmarks of each image, or why it has none."""
        return [self._find_one(image) for image in images]

    def _find_one(self, image: RGB) -> Found | InputError:
        if self._otherwise and image.shape[:2] != self._size_hw:
            return self._otherwise.find([image])[0]
        try:
            return Found(aligned_landmarks(image, self._geometry), f"aligned:{self._geometry}")
        except InputError as error:
            return error


def create_system(
    *,
    embedder: str,
    methods: Sequence[str],
    device: str,
    aligned: str | None = None,
    weights: Path | None = None,
    allow_many: bool = False,
    same_hand: Path | None = None,
) -> System:
    """Load everything a benchmark needs, by name.

    Args:
        embedder: See `create_matcher`; `fcn:NAME` or `gray` for matching among drawings.
        methods: Names of `METHODS`, or `fcn-sketch` alone for matching among drawings.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        aligned: Geometry in which photos and sketches lie, if they were aligned by their
            makers; distractors of the same size are taken to lie in it too.
        weights: Folder of fetched weights.
        allow_many: Take the most central large face of a photo that shows several.
        same_hand: Folder of sketches by the artist of all probes; the probes may be among them.

    Raises:
        UnknownNameError: A name is in no table.
        DataFolderError: `same_hand` holds too few sketches that can be used.
        InputError: A method is named twice, or does not go with the embedder.
        WeightsError: Weights are missing or damaged.
        DeviceError: The device is not there.
    """
    for name in methods:
        if name != FCN_SKETCH:
            METHODS[name]
    _check_domain(embedder, methods)
    if same_hand and is_sketch_domain(embedder):
        raise InputError("--same-hand is for methods that compare faces, not for fcn-sketch.")
    if len(set(methods)) < len(methods):
        raise InputError(f"--methods names one method twice: {', '.join(methods)}.")
    chosen = choose_device(device)
    detector = FaceDetector(str(chosen))
    detected = DetectedFaces(detector, "photo", allow_many=allow_many)
    known = AlignedFaces(aligned) if aligned else None
    sketch_finder = known or DetectedFaces(detector, "sketch")
    hand = read_hand(same_hand, partial(_points_of, sketch_finder)) if same_hand else None
    network: Embedder
    ways: tuple[Method, ...]
    if is_sketch_domain(embedder):
        network = create_sketch_domain(embedder, device=chosen)
        ways = (SketchDomainMethod(network),)
    else:
        network = create_matcher(embedder, device=chosen, weights=weights)
        ways = tuple(
            create_method(name, embedder=network, device=chosen, weights=weights, hand=hand)
            for name in methods
        )
    return System(
        embedder=network,
        methods=ways,
        photo_finder=known or detected,
        distractor_finder=AlignedFaces(aligned, otherwise=detected) if aligned else detected,
        sketch_finder=sketch_finder,
        device=str(chosen),
        same_hand=hand,
    )


def _points_of(finder: FaceFinder, sketch: RGB) -> Landmarks:
    """Return the five points of one sketch.

    Raises:
        InputError: It shows no face.
    """
    found = finder.find([sketch])[0]
    if isinstance(found, InputError):
        raise found
    return found.landmarks


def _check_domain(embedder: str, methods: Sequence[str]) -> None:
    """Refuse to compare drawings by an embedder of photos, or the other way round.

    Raises:
        InputError: `fcn-sketch` stands beside another method or has not its own embedder.
    """
    if is_sketch_domain(embedder) != (FCN_SKETCH in methods) or (
        FCN_SKETCH in methods and len(methods) > 1
    ):
        raise InputError(
            "fcn-sketch compares drawings, other methods compare faces: give --methods fcn-sketch "
            "alone, with --embedder fcn:NAME (or fcn:PATH.safetensors, or gray for the paper's "
            "baseline), and set two reports side by side with `forensic benchmark compare`."
        )
