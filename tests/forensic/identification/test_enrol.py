from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.faces.detect import FaceDetector
from forensic.identification.enrol import Enrolment, FaceEnroller, Photo, embed_faces
from forensic.images.io import write_image
from tests.support.fakes import FakeEmbedder
from tests.support.images import face_landmarks, face_photo, write_photos


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that compete for cores would only slow the small networks down."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def enrolment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Enrolment, list[int]]:
    """Five phantoms among a blank picture, a text file and a missing one, in batches of three."""
    folder = tmp_path_factory.mktemp("photos")
    paths = write_photos(folder, range(5))
    write_image(folder / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    (folder / "text.png").write_text("no picture")
    paths[1:1] = [folder / "blank.png", folder / "text.png", folder / "absent.png"]
    photos = [Photo(path, path.name, path.stem) for path in paths]
    done: list[int] = []
    enroller = FaceEnroller(embedder=FakeEmbedder(), detector=FaceDetector(), batch_size=3)
    return enroller.enrol(iter(photos), on_photos=done.append), done


def test_photos_keep_their_order_and_their_names(enrolment: tuple[Enrolment, list[int]]) -> None:
    result, _ = enrolment
    assert [p.subject_id for p in result.photos] == ["p0000", "p0001", "p0002", "p0003", "p0004"]
    assert result.vectors.shape == (5, FakeEmbedder.dimension)


def test_each_rejected_photo_has_its_reason(enrolment: tuple[Enrolment, list[int]]) -> None:
    reasons = {r.photo_id: r.reason for r in enrolment[0].rejected}
    assert set(reasons) == {"blank.png", "text.png", "absent.png"}
    assert "No" in reasons["blank.png"]
    assert "not an image" in reasons["text.png"]
    assert "cannot be read" in reasons["absent.png"]


def test_progress_counts_every_photo(enrolment: tuple[Enrolment, list[int]]) -> None:
    assert enrolment[1] == [3, 3, 2]


def test_a_vector_belongs_to_its_photo(enrolment: tuple[Enrolment, list[int]]) -> None:
    """Vectors of detected faces are nearest to those at the true landmarks of the same phantom."""
    images = [face_photo(seed) for seed in range(5)]
    truth = embed_faces(FakeEmbedder(), images, [face_landmarks(seed) for seed in range(5)])
    nearest = (enrolment[0].vectors @ truth.T).argmax(axis=1)
    assert nearest.tolist() == [0, 1, 2, 3, 4]


def test_batching_hardly_changes_the_vectors(
    enrolment: tuple[Enrolment, list[int]], tmp_path: Path
) -> None:
    """Not at all is too much to ask: the detector's choice among like boxes hangs on rounding."""
    photos = [Photo(p, p.name, p.stem) for p in write_photos(tmp_path, range(5))]
    enroller = FaceEnroller(embedder=FakeEmbedder(), detector=FaceDetector(), batch_size=5)
    vectors = enroller.enrol(photos).vectors
    assert np.sum(vectors * enrolment[0].vectors, axis=1).min() > 0.9


def test_nothing_in_nothing_out() -> None:
    enroller = FaceEnroller(embedder=FakeEmbedder(), detector=FaceDetector())
    result = enroller.enrol([])
    assert result.vectors.shape == (0, 64)
    assert result.photos == result.rejected == ()
    assert embed_faces(FakeEmbedder(), [], []).shape == (0, 64)
