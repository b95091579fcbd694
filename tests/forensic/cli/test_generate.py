"""`forensic generate` with networks of random numbers read from files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from forensic.generators.csi import CSI
from forensic.generators.fcn import FCN
from forensic.generators.registry import GENERATORS
from forensic.images.frame import Frame
from forensic.images.io import load_image, write_image
from forensic.weights.bundle import save_bundle
from pipelines.cli import main
from tests.support.images import face_photo, face_sketch


@pytest.fixture(scope="module")
def inverting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = CSI(in_channels=1, width=4, n_blocks=1)
    path = tmp_path_factory.mktemp("weights") / "toy.safetensors"
    save_bundle(path, network.state_dict(), network.config, {"network": "csi", "style": "line"})
    return path


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = FCN(size="sr")
    path = tmp_path_factory.mktemp("weights") / "drawing.safetensors"
    facts = {
        "network": "fcn",
        "style": "drawing",
        "direction": "photo-to-sketch",
        "geometry": "cufs-250",
        "frame": Frame((200, 155)).to_json(),
    }
    save_bundle(path, network.state_dict(), network.config, facts)
    return path


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    write_image(tmp_path / "a.png", face_sketch(1))
    return tmp_path / "a.png"


def generate(*arguments: Path | str) -> Result:
    return CliRunner().invoke(main, ["generate", *map(str, arguments), "--device", "cpu"])


def test_one_sketch_beside_its_labelled_face(inverting: Path, sketch: Path, tmp_path: Path) -> None:
    out = tmp_path / "face.png"
    result = generate(sketch, "--generator", inverting, "--aligned", "cufs", "--out", out)
    assert result.exit_code == 0, result.output
    picture = load_image(out)
    assert picture.shape == (96 + 14, 192, 3)  # own resolution, and the band with the labels
    assert (picture[-1] == 0).all()
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["generator"] == "toy"
    assert len(record["generator_weights_sha256"]) == 64
    assert record["sketch_mended"] == []
    assert record["provenance"]["libraries"]


def test_batch_goes_on_past_what_cannot_be_used(
    inverting: Path, sketch: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "blank.png", np.full((250, 200, 3), 255, np.uint8))
    write_image(tmp_path / "negative.png", 255 - face_sketch(2))
    sources = [tmp_path / "blank.png", sketch, tmp_path / "negative.png"]
    out = tmp_path / "faces"
    result = generate(*sources, "--generator", inverting, "--aligned", "cufs", "--out", out)
    assert result.exit_code == 2
    assert "1 of 3 could not be used" in result.output
    assert "blank.png shows nothing" in result.output
    assert sorted(p.name for p in out.glob("*.png")) == ["a.png", "negative.png"]
    assert "negative.png (sketch inverted)" in result.output
    assert json.loads((out / "negative.json").read_text())["sketch_mended"] == ["inverted"]


OWN_HW = {
    "cali-sketch": (128, 128),
    "conv-autoencoder": (128, 128),
    "csi": (96, 96),
    "deepfacepencil": (128, 128),
    "fcn": (188, 143),
}


@pytest.mark.parametrize("name", list(GENERATORS))
def test_every_generator_of_the_package_single_and_in_a_batch(name: str, tmp_path: Path) -> None:
    is_drawing = GENERATORS[name] == "fcn"
    for i in (1, 2):
        write_image(tmp_path / f"{i}.png", face_photo(i) if is_drawing else face_sketch(i))
    common = ("--generator", name, "--aligned", "cufs", "--face-only", "--out")
    sources = (tmp_path / "1.png", tmp_path / "2.png")
    result = generate(*sources, *common, tmp_path / "both")
    assert result.exit_code == 0, result.output
    result = generate(sources[1], *common, tmp_path / "one.png")
    assert result.exit_code == 0, result.output
    height, width = OWN_HW[GENERATORS[name]]
    one, two = (load_image(tmp_path / "both" / f"{i}.png") for i in (1, 2))
    assert one.shape == two.shape == (2 * height + 14, 2 * width, 3)  # shown at twice its size
    assert not np.array_equal(one, two)
    np.testing.assert_allclose(load_image(tmp_path / "one.png"), two, atol=2)


def test_artwork_of_any_size_by_given_landmarks(inverting: Path, tmp_path: Path) -> None:
    canvas = np.full((500, 700, 3), 255, np.uint8)
    canvas[100:350, 300:500] = face_sketch(1)
    write_image(tmp_path / "art.png", canvas)
    points = [[375, 225], [425, 225], [400, 253], [380, 281], [420, 281]]
    (tmp_path / "points.json").write_text(json.dumps({"landmarks": points}))
    result = generate(
        tmp_path / "art.png", "--generator", inverting, "--face-only",
        "--landmarks", tmp_path / "points.json", "--out", tmp_path / "made.png",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert load_image(tmp_path / "made.png").shape == (2 * 96 + 14, 2 * 96, 3)


def test_generator_from_photo_to_sketch_keeps_the_photo_as_it_is(
    drawing: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "photo.png", face_photo(1))
    arguments = ("--generator", drawing, "--aligned", "cufs", "--out", tmp_path / "drawn.png")
    result = generate(tmp_path / "photo.png", *arguments)
    assert result.exit_code == 0, result.output
    picture = load_image(tmp_path / "drawn.png")
    assert picture.shape == (200 + 14, 155 + 143, 3)
    np.testing.assert_array_equal(picture[:200, :155], face_photo(1)[25:225, 22:177])


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--aligned", "cufs", "--landmarks", "points.json"], "not both"),
        (["--generator", "absent.safetensors"], "forensic train"),
        (["--generator", "csi-lin"], "csi-line"),
    ],
)
def test_what_the_user_can_mend(
    sketch: Path, tmp_path: Path, arguments: list[str], phrase: str
) -> None:
    result = generate(sketch, *arguments, "--out", tmp_path / "face.png")
    assert result.exit_code == 2, result.output
    assert phrase in result.output


def test_names_that_would_collide(inverting: Path, sketch: Path, tmp_path: Path) -> None:
    common = ("--generator", inverting, "--aligned", "cufs", "--out")
    for out, phrase in ((tmp_path / "one.png", "one file"), (tmp_path / "two", "a.png")):
        result = generate(sketch, sketch, *common, out)
        assert result.exit_code == 2
        assert phrase in result.output
