"""`forensic index` and `forensic identify`, from files to files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from forensic.images.io import write_image
from pipelines.cli import main
from tests.support.images import face_landmarks, face_photo, face_sketch, write_photos
from tests.support.onnx_model import write_flatten_model

DESCRIPTION = """
name = "toy"
file = "toy.onnx"
size = [112, 112]
template = "arcface-112"
mean = 127.5
scale = 0.0078125
channels = "rgb"
"""


def run(*args: object) -> Result:
    torch.set_num_threads(1)
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of three phantoms and a blank one, a sketch, its landmarks, an embedder."""
    root = tmp_path_factory.mktemp("identify")
    write_photos(root / "photos", range(3))
    write_image(root / "photos" / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    write_image(root / "probe.png", face_photo(1))
    write_image(root / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    points = {"landmarks": face_landmarks(1).tolist()}
    (root / "points.json").write_text(json.dumps(points))
    write_flatten_model(root / "toy.onnx")
    (root / "toy.toml").write_text(DESCRIPTION)
    return root


@pytest.fixture(scope="module")
def index(folder: Path) -> Path:
    out = folder / "index"
    result = run("index", folder / "photos", out, "--embedder", folder / "toy.toml")
    assert result.exit_code == 0, result.stderr
    assert "3 photos enrolled with toy, 1 rejected" in result.stdout
    return out


def search(folder: Path, gallery: Path, *args: object) -> Result:
    options = ("--gallery", gallery, "--embedder", folder / "toy.toml", "--generator", "none")
    return run("identify", folder / "probe.png", *options, *args)


def test_rejected_photos_are_listed_with_their_reason(index: Path) -> None:
    with open(index / "rejected.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["photo_id"] for row in rows] == ["blank.png"]
    assert "No face" in rows[0]["reason"]


def test_an_index_can_be_built_again_in_its_place(folder: Path, index: Path) -> None:
    again = run("index", folder / "photos", index, "--embedder", folder / "toy.toml")
    assert again.exit_code == 0, again.stderr


def test_json_names_the_right_person_and_everything_it_depends_on(
    folder: Path, index: Path
) -> None:
    result = search(folder, index, "--json", "--landmarks", folder / "points.json", "-k", 2)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["candidates"][0]["subject_id"] == "p0001"
    assert [c["rank"] for c in document["candidates"]] == [1, 2]
    assert document["gallery"] == 3
    assert "leads only" in document["notice"]
    assert document["provenance"]["embedder"] == "toy"
    assert len(document["provenance"]["embedder_weights_sha256"]) == 64


def test_an_index_tells_itself_which_embedder_made_it(
    folder: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--gallery", index, "--generator", "none", "--json")
    options += ("--landmarks", folder / "points.json")
    missing = run("identify", folder / "probe.png", *options)
    assert missing.exit_code == 2
    assert "'toy'" in missing.stderr
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(folder))  # where toy.toml lies
    found = run("identify", folder / "probe.png", *options)
    assert found.exit_code == 0, found.stderr
    assert json.loads(found.stdout)["provenance"]["embedder"] == "toy"


def test_a_folder_of_photos_serves_as_gallery(folder: Path) -> None:
    result = search(folder, folder / "photos")
    assert result.exit_code == 0, result.stderr
    assert "p0001" in result.stdout.splitlines()[3]
    assert "Not enrolled: blank.png" in result.stderr
    assert "leads only" in result.stdout


def test_the_page_stands_alone_and_carries_the_notice(folder: Path, index: Path) -> None:
    out = folder / "page.html"
    result = search(folder, index, "--out", out, "--photos", folder / "photos")
    assert result.exit_code == 0, result.stderr
    page = out.read_text()
    assert "leads only" in page
    assert page.count("data:image/jpeg;base64,") == 4
    assert "http" not in page.replace("http://www.w3.org", "")


def test_a_page_without_photos_says_so(folder: Path, index: Path) -> None:
    out = folder / "bare.html"
    assert search(folder, index, "--out", out).exit_code == 0
    assert "photo not at hand" in out.read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--gallery", "absent"), "absent"),
        (("--embedder", "sketchfaces"), "sketchface"),
        (("--generator", "csi-lines"), "csi-line"),
        (("--landmarks", "absent.json"), r"absent.json"),
        (("--aligned", "cufs"), "200×250"),
        (("--aligned", "cuhk"), "cufs"),
        (("--device", "tpu"), "tpu"),
        (("-k", "0"), "k is 0"),
        (("--landmarks", "points.json", "--aligned", "cufs"), "not both"),
    ],
)
def test_mistakes_exit_with_2_and_name_the_remedy(
    folder: Path, index: Path, args: tuple[str, ...], message: str
) -> None:
    write_image(folder / "small.png", face_photo(1, size_hw=(225, 180)))
    options = ["--gallery", index, "--embedder", folder / "toy.toml", "--generator", "none"]
    out = folder / "never.html"
    result = run("identify", folder / "small.png", *options, "--out", out, *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_the_bundled_models_search_with_best(folder: Path) -> None:
    result = run("identify", folder / "probe.png", "--gallery", folder / "photos", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["candidates"][0]["subject_id"] == "p0001"
    assert document["provenance"]["method"] == "best"
    assert len(document["contributions"]) == 3
    assert "adapter" in document["contributions"][0]
    assert "drawn:" not in result.stderr


@pytest.mark.parametrize(("asked", "drawn"), [("sketchface", True), ("plain:sketchface", False)])
def test_for_best_the_photos_of_a_folder_are_drawn_and_that_is_told(
    folder: Path, asked: str, drawn: bool
) -> None:
    options = ("--gallery", folder / "photos", "--embedder", asked, "--json")
    result = run("identify", folder / "probe.png", *options)
    assert result.exit_code == 0, result.stderr
    used = json.loads(result.stdout)["provenance"]["embedder"]
    assert used == ("drawn:sketchface" if drawn else "sketchface")
    assert ("`--embedder plain:sketchface` takes them as they are" in result.stderr) is drawn


def test_an_index_is_searched_by_best_as_it_was_made(folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    assert run("index", folder / "photos", index, "--embedder", "sketchface").exit_code == 0
    options = ("--gallery", index, "--embedder", "sketchface", "--json")
    result = run("identify", folder / "probe.png", *options)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["provenance"]["embedder"] == "sketchface"
    assert "plain:" not in result.stderr


def test_an_embedder_without_a_fusion_names_the_remedy(folder: Path, index: Path) -> None:
    options = ("--gallery", index, "--embedder", folder / "toy.toml")
    result = run("identify", folder / "probe.png", *options)
    assert result.exit_code == 2
    assert "forensic benchmark fusion" in result.stderr
    assert "--generator none" in result.stderr


def test_a_sketch_without_a_face_asks_for_landmarks(folder: Path, index: Path) -> None:
    options = ("--gallery", index, "--embedder", folder / "toy.toml", "--generator", "none")
    sheet = np.full((200, 160, 3), 255, np.uint8)
    sheet[90:110, 70:90] = 0
    write_image(folder / "square.png", sheet)
    result = run("identify", folder / "square.png", *options)
    assert result.exit_code == 2
    assert "--landmarks" in result.stderr


def test_an_index_of_another_embedder_is_refused(folder: Path, index: Path) -> None:
    (folder / "other.toml").write_text(DESCRIPTION.replace('"toy"', '"other"'))
    result = search(folder, index, "--embedder", folder / "other.toml")
    assert result.exit_code == 2
    assert "toy" in result.stderr
    assert "other" in result.stderr


def test_a_gallery_without_faces_writes_no_index(folder: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    out = tmp_path / "index"
    result = run("index", tmp_path / "photos", out, "--embedder", folder / "toy.toml")
    assert result.exit_code == 2
    assert not out.exists()


def test_a_folder_with_other_files_is_refused_before_any_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("keep")
    result = run("index", folder / "photos", tmp_path, "--embedder", "no-such-embedder")
    assert result.exit_code == 2
    assert "precious.txt" in result.stderr


def test_white_lines_on_black_find_whom_black_on_white_finds(
    folder: Path, index: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "drawn.png", face_sketch(1))
    write_image(tmp_path / "negative.png", 255 - face_sketch(1))
    options = ("--gallery", index, "--embedder", folder / "toy.toml", "--generator", "none")
    points = ("--landmarks", folder / "points.json", "--json")
    drawn, negative = (
        run("identify", tmp_path / f"{name}.png", *options, *points)
        for name in ("drawn", "negative")
    )
    assert "sketch inverted" in negative.stderr
    assert "inverted" not in drawn.stderr
    lists = [json.loads(result.stdout)["candidates"] for result in (drawn, negative)]
    assert lists[0] == lists[1]


def test_a_blank_sheet_is_refused_with_its_reason(folder: Path, index: Path) -> None:
    options = ("--gallery", index, "--embedder", folder / "toy.toml", "--generator", "none")
    result = run("identify", folder / "blank.png", *options)
    assert result.exit_code == 2
    assert "shows nothing" in result.stderr


def test_other_sketches_of_the_same_hand_are_used_and_named(folder: Path, index: Path) -> None:
    write_photos(folder / "hand", range(4, 8))
    write_image(folder / "hand" / "blank.png", np.full((200, 160, 3), 255, np.uint8))
    options = (index, "--json", "--landmarks", folder / "points.json")
    alone, beside = (
        search(folder, *options, *more) for more in ((), ("--same-hand", folder / "hand"))
    )
    assert beside.exit_code == 0, beside.stderr
    assert "blank.png" in beside.stderr
    documents = [json.loads(result.stdout) for result in (alone, beside)]
    assert documents[1]["provenance"]["same_hand_sketches"] == 4
    assert documents[0]["candidates"] != documents[1]["candidates"]
    points = ("--landmarks", folder / "points.json")
    few = search(folder, index, *points, "--same-hand", folder / "photos")
    assert few.exit_code == 0, "three are enough, and the blank one is left out"
    assert "What 3 sketches by the same artist share was taken out first" in few.stdout
    assert "same artist" not in search(folder, index, *points).stdout
