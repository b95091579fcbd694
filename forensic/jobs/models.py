"""The models of one worker: each is loaded once, checked, and kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from forensic.embedders.embedder import Embedder
from forensic.embedders.registry import create_embedder
from forensic.errors import IndexMismatch, MissingWeights
from forensic.faces.detect import FaceDetector
from forensic.generators.registry import GENERATORS, load_generator
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import create_method
from forensic.identification.probes import Method
from forensic.runtime import choose_device
from forensic.weights.fusions import Fusion, find_fusion
from forensic.weights.store import choose_weights_folder

T = TypeVar("T")


class Models(Protocol):
    """Where handlers get their models from.

    Attributes:
        device: Name of the device on which they compute.
    """

    device: str

    def detector(self) -> FaceDetector:
        """Return the detector of faces."""

    def embedder(self, name: str, *, weights_sha256: str | None = None) -> Embedder:
        """Return an embedder, with exactly these weights where they are named."""

    def inverter(self, generator: str) -> SketchInverter:
        """Return what makes faces with a generator."""

    def fusion(self, embedder: Embedder) -> Fusion:
        """Return the fusion that was fitted for an embedder."""

    def method(self, name: str, embedder: Embedder) -> Method:
        """Return a way from sketch to vector, of an embedder."""


class ModelShelf:
    """Loads models from the weights of this machine when they are first asked for.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Raises:
        DeviceError: The device is not there.
    """

    def __init__(self, *, device: str = "cpu") -> None:
        self._device = choose_device(device)
        self.device = str(self._device)
        self._kept: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def detector(self) -> FaceDetector:
        """Return the detector of faces."""
        return self._keep("detector", "", lambda: FaceDetector(self.device))

    def embedder(self, name: str, *, weights_sha256: str | None = None) -> Embedder:
        """Return an embedder, with exactly these weights where they are named.

        Raises:
            UnknownNameError: No such embedder.
            WeightsError: Its weights are missing or damaged.
            IndexMismatch: The weights on this machine are others than those named.
        """
        folder = choose_weights_folder(os.environ)
        found = self._keep(
            "embedder", name, lambda: create_embedder(name, device=self._device, weights=folder)
        )
        if weights_sha256 is not None and found.weights_sha256 != weights_sha256:
            raise IndexMismatch(
                f"The gallery was embedded with weights {weights_sha256} of {name!r}, this machine "
                f"has {found.weights_sha256}. Bring the former back, or embed the gallery anew."
            )
        return found

    def inverter(self, generator: str) -> SketchInverter:
        """Return what makes faces with a generator.

        Raises:
            UnknownNameError: No such generator.
            WeightsError: Its weights are missing or damaged.
        """
        return self._keep("inverter", generator, lambda: self._load_inverter(generator))

    def fusion(self, embedder: Embedder) -> Fusion:
        """Return the fusion that was fitted for an embedder.

        Raises:
            MissingWeights: There is none.
            WeightsError: A file of a fusion is damaged.
        """
        sha256, folder = embedder.weights_sha256, choose_weights_folder(os.environ)
        return self._keep(
            "fusion", sha256, lambda: find_fusion(embedder.name, sha256, folder=folder)
        )

    def method(self, name: str, embedder: Embedder) -> Method:
        """Return a way from sketch to vector, of an embedder.

        Raises:
            UnknownNameError: No such method.
            WeightsError: Its weights are missing or damaged.
        """
        folder, key = choose_weights_folder(os.environ), f"{name} {embedder.weights_sha256}"
        return self._keep(
            "method",
            key,
            lambda: create_method(name, embedder=embedder, device=self._device, weights=folder),
        )

    def warm(self, *, embedders: Sequence[str], generators: Sequence[str]) -> None:
        """Load models before they are needed, so that the first search is as fast as the next.

        Raises:
            UnknownNameError: One of them is not known.
            WeightsError: Weights are missing or damaged.
        """
        self.detector()
        for name in embedders:
            self._warm_best(self.embedder(name))
        for name in generators:
            self.inverter(name)

    def _warm_best(self, embedder: Embedder) -> None:
        """Load the parts of an embedder's fusion; many embedders have none."""
        try:
            fusion = self.fusion(embedder)
        except MissingWeights:
            return
        for part in fusion.parts:
            if part.method not in GENERATORS:
                self.method(part.method, embedder)

    def _load_inverter(self, generator: str) -> SketchInverter:
        return SketchInverter(load_generator(generator, self._device), device=self._device)

    def _keep(self, kind: str, name: str, load: Callable[[], T]) -> T:
        with self._lock:  # two threads must not load the same model twice
            if (kind, name) not in self._kept:
                self._kept[kind, name] = load()
            found: T = self._kept[kind, name]
            return found
