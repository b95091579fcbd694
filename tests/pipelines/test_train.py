"""`forensic train` from end to end, on pictures of 16 pixels and a VGG of random numbers."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from forensic.files import sha256_of_file
from forensic.generators.registry import create_generator
from forensic.weights.bundle import load_bundle, read_bundle_metadata
from forensic.weights.catalogue import load_catalogue
from pipelines.cli import main
from pipelines.train import hold_run_folder
from tests.support.adapter_data import write_adapter_data
from tests.support.packed import write_packed
from tests.support.vgg import write_vgg

RECIPE = """
name = "csi-toy"
task = "csi"
[data]
folder = "{folder}"
style = "line"
[schedule]
images = 24
batch_size = 2
validate_every = 4
average_decay = 0.9
seed = 3
[options]
vgg = "{vgg}"
precision = "fp32"
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("train")
    text = RECIPE.format(
        folder=write_packed(place / "data"), vgg=write_vgg(place / "vgg.safetensors")
    )
    (place / "toy.toml").write_text(text)
    return place / "toy.toml"


def train(recipe: Path, out: Path, *options: str) -> Result:
    arguments = ["train", str(recipe), "--out", str(out), "--device", "cpu", *options]
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def trained(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    result = train(recipe, out)
    assert result.exit_code == 0, result.output
    assert "24 images seen, best psnr" in result.output
    return out


def test_weights_rebuild_a_network(trained: Path) -> None:
    config, state = load_bundle(trained / "csi-toy.safetensors")
    assert config == {"in_channels": 1, "width": 32, "n_blocks": 5}
    network = create_generator("csi", **config)
    network.load_state_dict(state)
    with torch.no_grad():
        photo = network.eval()(torch.rand(1, 1, 16, 16))
    assert photo.isfinite().all()
    assert read_bundle_metadata(trained / "csi-toy.safetensors")["style"] == "line"


def test_record_beside_the_weights(trained: Path) -> None:
    record = json.loads((trained / "csi-toy.json").read_text())
    assert record["sha256"] == sha256_of_file(trained / "csi-toy.safetensors")
    assert record["recipe"]["schedule"]["seed"] == 3
    assert record["progress"]["images_seen"] == 24
    assert record["provenance"]["libraries"]["torch"]
    assert json.loads((trained / "recipe.json").read_text()) == record["recipe"]


def test_history_has_one_validation_every_four_images(trained: Path) -> None:
    lines = [json.loads(line) for line in (trained / "history.jsonl").read_text().splitlines()]
    validations = [line for line in lines if line["kind"] == "validation"]
    assert [line["images"] for line in validations] == [4, 8, 12, 16, 20, 24]
    best = json.loads((trained / "csi-toy.json").read_text())["progress"]["best_score"]
    assert max(line["psnr"] for line in validations) == best


def test_training_in_two_parts_gives_the_same_weights(
    recipe: Path, trained: Path, tmp_path: Path
) -> None:
    assert train(recipe, tmp_path, "--set", "schedule.images=10").exit_code == 0
    result = train(recipe, tmp_path)
    assert result.exit_code == 0, result.output
    assert "Resumed at 10 images" in result.output
    config, state = load_bundle(tmp_path / "csi-toy.safetensors")
    wanted_config, wanted = load_bundle(trained / "csi-toy.safetensors")
    assert config == wanted_config
    assert all(torch.equal(state[name], value) for name, value in wanted.items())


def test_time_limit_before_the_first_validation_writes_no_weights(
    recipe: Path, tmp_path: Path
) -> None:
    result = train(recipe, tmp_path, "--max-minutes", "0")
    assert result.exit_code == 0, result.output
    assert "2 images seen" in result.output
    assert (tmp_path / "checkpoint.pt").is_file()
    assert not list(tmp_path.glob("*.safetensors"))


def test_data_option_replaces_the_folder(recipe: Path, tmp_path: Path) -> None:
    result = train(recipe, tmp_path / "out", "--data", str(tmp_path / "no data"))
    assert result.exit_code == 2
    assert "no data is not a finished data set" in result.output


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ("options.vgg=absent.pth", "forensic weights fetch vgg16"),
        ("options.featur_scale=3", "featur_scale"),
        ("task=cis", "Did you mean 'csi'"),
        ("data.style=lines", "Did you mean 'line'"),
        ("schedule.imagse=3", "schedule.imagse"),
    ],
)
def test_what_the_user_can_mend_exits_with_2_and_names_it(
    recipe: Path, tmp_path: Path, change: str, phrase: str
) -> None:
    result = train(recipe, tmp_path, "--set", change)
    assert result.exit_code == 2, result.output
    assert phrase in result.output
    assert "Traceback" not in result.output


def test_a_fetched_embedder_is_looked_for_where_weights_are_fetched_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = tmp_path / "fetched"
    fetched.mkdir()
    (fetched / load_catalogue()["facenet-vggface2"].file).write_bytes(b"damaged")
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(fetched))
    data = write_adapter_data(tmp_path / "data")
    result = train(Path("adapter"), tmp_path / "run", "--embedder", "facenet", "--data", str(data))
    assert result.exit_code == 2, result.output
    assert "has SHA-256" in result.output
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["options"]["embedder"] == "facenet"
    assert "weights" not in recipe["options"]


def test_run_folder_of_another_recipe_is_refused_and_left_alone(
    recipe: Path, trained: Path, tmp_path: Path
) -> None:
    before = {p.name: p.read_bytes() for p in trained.iterdir()}
    for change in ("schedule.seed=4", "options.learning_rate=0.1", "data.style=pencil-gray"):
        result = train(recipe, trained, "--set", change)
        assert result.exit_code == 2, result.output
        assert change.partition("=")[0] in result.output
        assert "Choose another --out" in result.output
    assert {p.name: p.read_bytes() for p in trained.iterdir()} == before


def test_a_run_folder_takes_one_training_at_a_time(recipe: Path, tmp_path: Path) -> None:
    with hold_run_folder(tmp_path):
        result = train(recipe, tmp_path, "--max-minutes", "0")
    assert result.exit_code == 1
    assert "Another training is at work" in result.output
    assert not list(tmp_path.iterdir())
    assert train(recipe, tmp_path, "--max-minutes", "0").exit_code == 0


def test_loss_that_is_no_number_exits_with_1(recipe: Path, tmp_path: Path) -> None:
    result = train(recipe, tmp_path, "--set", "options.feature_scale=1e300")
    assert result.exit_code == 1
    assert "At step 0 (image 0) the loss (inf)" in result.output
