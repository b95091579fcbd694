from pathlib import Path

import numpy as np
import pytest

from forensic.errors import DataFolderError, InputError, UnknownNameError
from forensic.faces.align import align_face
from forensic.images.io import write_image
from forensic.runtime import choose_device
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks
from pipelines.benchmark import simulated
from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.lfw import PAPER_RATES, arrange, photos_of_people, read_people
from pipelines.benchmark.scoring import Published, score_method
from pipelines.benchmark.simulated import Desk, create_simulated
from pipelines.benchmark.stored import StoredGallery, without_mates
from tests.support.benchmark import FakeMethod
from tests.support.fakes import FakeEmbedder
from tests.support.images import face_landmarks, face_photo


@pytest.fixture
def people(tmp_path: Path) -> Path:
    for person, count in {"Ann": 3, "Bob": 1, "Cy": 2}.items():
        for number in range(1, count + 1):
            image = np.full((20, 20, 3), 10 * number + len(person), np.uint8)
            write_image(tmp_path / "lfw" / person / f"{person}_{number:04d}.png", image)
    return tmp_path / "lfw"


def test_same_photo_searches_every_photo_and_finds_itself(people: Path) -> None:
    data = arrange(photos_of_people(people), protocol="same-photo", probed={"Ann", "Bob"})
    assert [pair.probe_id for pair in data.pairs] == [
        "Ann/Ann_0001", "Ann/Ann_0002", "Ann/Ann_0003", "Bob/Bob_0001"
    ]  # fmt: skip
    assert all(pair.sketch == pair.photo for pair in data.pairs)
    assert not any(pair.sketch.is_drawing for pair in data.pairs)  # nothing mends a photo
    assert [image.name for image in data.distractors] == ["Cy/Cy_0001.png", "Cy/Cy_0002.png"]


def test_cross_photo_never_searches_for_the_photo_that_was_sketched(people: Path) -> None:
    data = arrange(photos_of_people(people), protocol="cross-photo", probed={"Ann", "Bob", "Cy"})
    assert [(p.sketch.name, p.photo.name) for p in data.pairs] == [
        ("Ann/Ann_0001.png", "Ann/Ann_0002.png"),
        ("Cy/Cy_0001.png", "Cy/Cy_0002.png"),
    ]
    assert [image.name for image in data.distractors] == ["Bob/Bob_0001.png"]
    with pytest.raises(DataFolderError, match="Nobody"):
        arrange(photos_of_people(people), protocol="cross-photo", probed={"Bob"})


def test_other_photos_of_the_wanted_in_a_stored_index_are_no_wrong_answers(people: Path) -> None:
    data = arrange(photos_of_people(people), protocol="cross-photo", probed={"Ann"})
    vectors = np.eye(4, dtype=np.float32)
    names = ["lfw/Ann/3", "lfw/Ann/2", "lfw/Bob/1", "lfw/Cy/1"]
    stored = StoredGallery(vectors, names, ["Ann", "Ann", "Bob", "Cy"], "0" * 64)
    mates = Embedded(vectors[1:2], np.array([True]))
    kept, left_out = without_mates(stored, mates, data.pairs)
    assert kept.subjects == ["Bob", "Cy"]
    assert left_out == ["lfw/Ann/3", "lfw/Ann/2"]


def test_lists_of_people_are_read_and_checked(people: Path, tmp_path: Path) -> None:
    known = photos_of_people(people)
    (tmp_path / "list.txt").write_text("2\nAnn\t3\nBob\t1\n")
    assert read_people(tmp_path / "list.txt", known) == {"Ann", "Bob"}
    (tmp_path / "list.txt").write_text("1\nDi\t3\n")
    with pytest.raises(DataFolderError, match="Di"):
        read_people(tmp_path / "list.txt", known)
    with pytest.raises(DataFolderError, match="cannot be read"):
        read_people(tmp_path / "absent.txt", known)


def test_photos_outside_of_peoples_folders_are_refused(people: Path) -> None:
    write_image(people / "stray.png", np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(DataFolderError, match=r"stray\.png"):
        photos_of_people(people)


@pytest.mark.parametrize("style", sorted(SKETCH_STYLES))
def test_every_style_gives_a_sketch_that_can_be_embedded(style: str) -> None:
    device = choose_device("cpu")
    method = create_simulated(f"raw-{style}", embedder=FakeEmbedder(), device=device)
    photo, points = face_photo(1), face_landmarks(1)
    sketch, moved = method.draw(photo, points)
    assert sketch.shape == (96, 96, 3)
    assert moved[:2, 1].mean() == pytest.approx(38, abs=0.6)  # where CSI puts the eyes
    vectors = method.probe([photo, photo], [points, points]).vectors
    assert vectors.shape == (2, 64)


def test_sketch_is_handed_on_as_simulated() -> None:
    told = []

    class Inner(FakeMethod):
        def probe(self, sketches, landmarks, *, is_simulated=False):  # type: ignore[no-untyped-def]
            told.append((is_simulated, sketches[0].shape))
            return super().probe(sketches, landmarks)

    from pipelines.benchmark.simulated import SimulatedMethod

    method = SimulatedMethod(style="line", inner=Inner(), name="csi-line")
    method.probe([face_photo(1)], [face_landmarks(1)])
    assert told == [(True, (96, 96, 3))]


def test_a_batch_is_drawn_once_for_all_methods_and_anew_for_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aligned: list[int] = []

    def counting(image: RGB, points: Landmarks, template: str) -> tuple[RGB, Landmarks]:
        aligned.append(1)
        return align_face(image, points, template)

    monkeypatch.setattr(simulated, "align_face", counting)
    desk, photos = Desk(), [face_photo(0), face_photo(1)]
    points = [face_landmarks(0), face_landmarks(1)]
    lines = desk.draw("line", photos, points)
    assert desk.draw("line", photos, points) is lines
    colored = desk.draw("pencil-color", photos, points)
    assert len(aligned) == 2
    again = Desk().draw("pencil-color", photos[:1], points[:1])
    assert np.array_equal(again[0][0], colored[0][0])
    assert np.array_equal(desk.draw("line", [photos[1]], [points[1]])[0][0], lines[1][0])
    assert len(aligned) == 4


def test_unknown_styles_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="sketch style"):
        create_simulated("raw-lime", embedder=FakeEmbedder(), device=choose_device("cpu"))


def test_generator_of_a_wider_geometry_is_refused() -> None:
    name = "cali-sketch-128-narrow"
    with pytest.raises(InputError, match=r"portrait-256.*forensic benchmark pairs"):
        create_simulated(name, embedder=FakeEmbedder(), device=choose_device("cpu"))


def test_published_rate_is_tested_as_fixed() -> None:
    ranks = np.where(np.arange(1000) < 811, 1.0, 2.0)
    paper = Published("paper", PAPER_RATES["raw-line"], 11_990)
    record = score_method(
        ranks, [str(i) for i in range(1000)], gallery_size=1000, weights_sha256={}, published=paper
    )
    assert record.published is not None
    assert record.published.ci95 == pytest.approx((0.8043, 0.8184), abs=1e-4)
    assert record.published.p_differs > 0.9
    worse = score_method(
        ranks + 1, [str(i) for i in range(1000)], gallery_size=1000, weights_sha256={},
        published=paper,
    )  # fmt: skip
    assert worse.published is not None
    assert worse.published.p_differs < 1e-10
