import numpy as np
import pytest
import torch

from forensic.errors import DtypeError, LandmarksError, RangeError
from forensic.gallery.index import GalleryIndex
from forensic.identification.enrol import embed_faces
from forensic.identification.identifier import Identifier
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import DirectMethod, FusionMethod, InversionMethod
from forensic.weights.fusions import Fusion, FusionPart
from tests.support.fakes import FakeEmbedder
from tests.support.generators import small_generator
from tests.support.images import face_landmarks, face_photo

SEEDS = range(6)


@pytest.fixture(scope="module")
def index() -> GalleryIndex:
    """Six phantoms, the first with two photos."""
    seeds = [*SEEDS, 0]
    takes = [0] * len(SEEDS) + [1]
    images = [face_photo(s, take=t) for s, t in zip(seeds, takes, strict=True)]
    points = [face_landmarks(s, take=t) for s, t in zip(seeds, takes, strict=True)]
    return GalleryIndex.build(
        embed_faces(FakeEmbedder(), images, points),
        photo_ids=[f"{s}-{t}.png" for s, t in zip(seeds, takes, strict=True)],
        subject_ids=[str(s) for s in seeds],
        embedder_name="fake",
        weights_sha256="f" * 64,
    )


def test_a_picture_finds_itself_first(index: GalleryIndex) -> None:
    identifier = Identifier(method=DirectMethod(embedder=FakeEmbedder()), index=index)
    for seed in SEEDS:
        ranked = identifier.identify(face_photo(seed), landmarks=face_landmarks(seed), k=3)
        assert ranked.candidates[0].subject_id == str(seed)
        assert ranked.candidates[0].similarity == pytest.approx(1, abs=1e-5)
        assert [c.rank for c in ranked.candidates] == [1, 2, 3]


def test_a_list_says_what_it_is_and_how_large_the_gallery_was(index: GalleryIndex) -> None:
    identifier = Identifier(method=DirectMethod(embedder=FakeEmbedder()), index=index)
    ranked = identifier.identify(face_photo(0), landmarks=face_landmarks(0), k=100)
    assert "leads only" in ranked.notice
    assert (ranked.gallery_size, ranked.n_photos) == (6, 7)
    assert len(ranked.candidates) == 6
    assert ranked.machine_made is None
    assert ranked.provenance["method"] == "none"


def test_inversion_hands_out_the_face_it_made(index: GalleryIndex) -> None:
    inverter = SketchInverter(small_generator(), device=torch.device("cpu"))
    method = InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small")
    ranked = Identifier(method=method, index=index).identify(
        face_photo(0), landmarks=face_landmarks(0)
    )
    assert ranked.machine_made is not None
    assert ranked.provenance["generator_weights_sha256"] == "a" * 64
    assert ranked.provenance["embedder_weights_sha256"] == "f" * 64


def test_refused_input(index: GalleryIndex) -> None:
    identifier = Identifier(method=DirectMethod(embedder=FakeEmbedder()), index=index)
    photo, points = face_photo(0), face_landmarks(0)
    with pytest.raises(DtypeError):
        identifier.identify(photo.astype(np.float32), landmarks=points)  # type: ignore[arg-type]
    with pytest.raises(LandmarksError):
        identifier.identify(photo, landmarks=points[::-1])
    with pytest.raises(RangeError):
        identifier.identify(photo, landmarks=points, k=0)


def test_two_sketches_of_a_person_count_the_same(index: GalleryIndex) -> None:
    identifier = Identifier(method=DirectMethod(embedder=FakeEmbedder()), index=index)
    drawings = [(face_photo(s), face_landmarks(s)) for s in (0, 3)]
    ranked = [
        identifier.identify(first[0], landmarks=first[1], more=[second])
        for first, second in (drawings, drawings[::-1])
    ]
    alone = identifier.identify(drawings[0][0], landmarks=drawings[0][1])
    assert ranked[0].candidates == ranked[1].candidates != alone.candidates
    assert ranked[0].candidates[0].similarity < alone.candidates[0].similarity
    assert ranked[0].provenance["sketches"] == 2


def test_a_fusion_says_what_each_part_adds(index: GalleryIndex) -> None:
    inverter = SketchInverter(small_generator(), device=torch.device("cpu"))
    made = InversionMethod(embedder=FakeEmbedder(), inverter=inverter, name="small")
    parts = (FusionPart("none", 3.0, {}), FusionPart("small", 1.0, {"small": "a" * 64}))
    method = FusionMethod(
        fusion=Fusion("fake", "f" * 64, parts, 0.0, {}),
        parts=[DirectMethod(embedder=FakeEmbedder()), made],
    )
    ranked = Identifier(method=method, index=index).identify(
        face_photo(0), landmarks=face_landmarks(0), k=4
    )
    sums = [sum(added.values()) for added in ranked.contributions]
    assert sums == sorted(sums, reverse=True)
    assert ranked.contributions[0]["none"] == pytest.approx(3, abs=1e-4)
    assert ranked.machine_made is not None
