from pathlib import Path

import numpy as np
import pytest

from forensic.errors import DataFolderError, EmptyGallery
from forensic.faces.detect import FaceDetector
from forensic.identification.enrol import FaceEnroller
from forensic.identification.gallery import build_gallery, photos_of_folder
from forensic.images.io import write_image
from tests.support.fakes import FakeEmbedder
from tests.support.images import write_photos


def test_identifiers_come_from_the_path_below_the_folder(tmp_path: Path) -> None:
    write_photos(tmp_path / "ann", range(1))
    write_photos(tmp_path / "bob", range(1))
    each = photos_of_folder(tmp_path)
    assert [p.photo_id for p in each] == ["ann/p0000.png", "bob/p0000.png"]
    assert [p.subject_id for p in each] == ["ann/p0000", "bob/p0000"]
    by_folder = photos_of_folder(tmp_path, subject_from="folder")
    assert [p.subject_id for p in by_folder] == ["ann", "bob"]


def test_folders_without_photos_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError):
        photos_of_folder(tmp_path)
    with pytest.raises(DataFolderError):
        photos_of_folder(tmp_path / "absent")
    with pytest.raises(ValueError, match="'file' or 'folder'"):
        photos_of_folder(tmp_path, subject_from="name")


def test_the_index_holds_what_could_be_enrolled(tmp_path: Path) -> None:
    write_photos(tmp_path, range(2))
    write_image(tmp_path / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    enroller = FaceEnroller(embedder=FakeEmbedder(), detector=FaceDetector())
    index, enrolment = build_gallery(photos_of_folder(tmp_path), enroller=enroller)
    assert list(index.photo_ids) == ["p0000.png", "p0001.png"]
    assert index.embedder_name == "fake"
    assert [r.photo_id for r in enrolment.rejected] == ["blank.png"]


def test_a_gallery_of_nobody_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_image(tmp_path / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    enroller = FaceEnroller(embedder=FakeEmbedder(), detector=FaceDetector())
    with pytest.raises(EmptyGallery, match="None of 1 photos could be enrolled: No face"):
        build_gallery(photos_of_folder(tmp_path), enroller=enroller)
