import numpy as np
import pytest
from PIL import Image

from forensic.errors import DeviceError, DtypeError, ManyFacesError, NoFaceError, RangeError
from forensic.faces.detect import FaceDetector, choose_face, order_landmarks
from forensic.values import RGB, Face
from tests.support.images import face_landmarks, face_photo

SEEDS = range(4)
POINTS = np.zeros((5, 2), np.float32)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def _only(detector: FaceDetector, image: RGB) -> Face:
    (faces,) = detector.detect([image])
    assert len(faces) == 1
    return faces[0]


def _face(center: tuple[float, float], size: float, probability: float = 1.0) -> Face:
    (x, y), half = center, size / 2
    return Face((x - half, y - half, x + half, y + half), POINTS, probability, "mtcnn/plain")


def test_landmarks_lie_near_the_true_ones(detector: FaceDetector) -> None:
    found = detector.detect([face_photo(seed) for seed in SEEDS])
    for seed, faces in zip(SEEDS, found, strict=True):
        true = face_landmarks(seed)
        distance = np.linalg.norm(true[1] - true[0])
        errors = np.linalg.norm(faces[0].landmarks - true, axis=1) / distance
        assert errors.max() < 0.2
        assert faces[0].probability > 0.9
        left, top, right, bottom = faces[0].box_xyxy_px
        assert (true > (left, top)).all()
        assert (true < (right, bottom)).all()


def test_a_mirrored_photo_gives_mirrored_landmarks(detector: FaceDetector) -> None:
    # Half a pixel of offset in the conventions would show here as a whole one.
    offsets = []
    for seed in SEEDS:
        photo = face_photo(seed)
        points = _only(detector, photo).landmarks
        mirrored = _only(detector, np.ascontiguousarray(photo[:, ::-1])).landmarks
        back = mirrored[[1, 0, 2, 4, 3]] * (-1, 1) + (photo.shape[1] - 1, 0)
        offsets.append((points - back)[:, 0])
    assert abs(np.mean(offsets)) < 0.5


def test_a_larger_photo_gives_the_same_place(detector: FaceDetector) -> None:
    photo = face_photo(0)
    enlarged = np.asarray(Image.fromarray(photo).resize((800, 1000), Image.Resampling.BICUBIC))
    small, large = (_only(detector, image).landmarks for image in (photo, enlarged))
    np.testing.assert_allclose((large + 0.5) / 4 - 0.5, small, atol=2.5)


def test_images_of_several_sizes_keep_their_order(detector: FaceDetector) -> None:
    wide = np.pad(face_photo(1), ((0, 0), (40, 0), (0, 0)), mode="edge")
    blank = np.full((250, 200, 3), 255, np.uint8)
    tiny = np.full((8, 300, 3), 128, np.uint8)
    images = [face_photo(0), wide, blank, face_photo(2), tiny]
    together = detector.detect(images)
    assert [len(faces) for faces in together] == [1, 1, 0, 1, 0]
    alone = [_only(detector, images[i]) for i in (0, 1, 3)]
    for one, other in zip(alone, [together[i][0] for i in (0, 1, 3)], strict=True):
        np.testing.assert_allclose(one.landmarks, other.landmarks, atol=0.01)


def test_faces_below_the_smallest_size_are_not_looked_for() -> None:
    page = np.full((1000, 1000, 3), 200, np.uint8)
    page[400:650, 400:600] = face_photo(0)  # the face is about 110 px wide
    assert FaceDetector(min_face_share=0.25).detect([page]) == [[]]
    for detector in (FaceDetector(), FaceDetector(min_face_px=60)):
        (faces,) = detector.detect([page])
        true = np.add(face_landmarks(0), 400)
        assert np.linalg.norm(faces[0].landmarks - true, axis=1).max() < 10


def test_nothing_to_detect_gives_nothing(detector: FaceDetector) -> None:
    assert detector.detect([]) == []


def test_the_grid_of_squares_finds_the_same_face(detector: FaceDetector) -> None:
    (faces,) = detector.detect_everywhere([face_photo(0)])
    assert faces
    true = face_landmarks(0)
    assert np.linalg.norm(faces[0].landmarks - true, axis=1).max() < 10


def test_unusable_input_is_refused(detector: FaceDetector) -> None:
    with pytest.raises(DtypeError):
        detector.detect([face_photo(0).astype(np.float32)])  # type: ignore[list-item]
    with pytest.raises(RangeError, match="min_face_px"):
        FaceDetector(min_face_px=3)
    with pytest.raises(DeviceError):
        FaceDetector("tpu")


def test_swapped_eyes_and_mouth_are_put_in_order() -> None:
    points = np.array([(9, 0), (1, 0), (5, 5), (8, 9), (2, 9)], np.float32)
    expected = [(1, 0), (9, 0), (5, 5), (2, 9), (8, 9)]
    np.testing.assert_array_equal(order_landmarks(points), expected)


def test_the_central_face_wins_over_a_larger_one_at_the_border() -> None:
    central, bystander = _face((90, 90), 60), _face((170, 60), 80)
    assert choose_face([bystander, central], (180, 180)) is central


def test_the_larger_of_two_central_faces_wins() -> None:
    large, small = _face((95, 90), 80), _face((90, 95), 30)
    assert choose_face([small, large], (180, 180)) is large


def test_two_equal_faces_are_refused_unless_allowed() -> None:
    left, right = _face((60, 90), 50), _face((120, 90), 52)
    with pytest.raises(ManyFacesError, match=r"--landmarks.*--aligned") as caught:
        choose_face([left, right], (180, 180))
    assert caught.value.count == 2
    assert choose_face([left, right], (180, 180), allow_many=True) is right


def test_no_face_names_the_remedy() -> None:
    with pytest.raises(NoFaceError, match=r"--landmarks.*--aligned"):
        choose_face([], (180, 180))
