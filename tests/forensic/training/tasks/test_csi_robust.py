"""The improved task of sketch inversion on pictures of 16 pixels."""

from pathlib import Path
from typing import Any

import pytest
import torch

from forensic.errors import MissingWeights, RecipeError
from forensic.generators.mirrored import Mirrored
from forensic.training.registry import TASKS
from forensic.training.task import Batch
from forensic.training.tasks.csi import CSITask
from forensic.training.tasks.csi_robust import RobustCSITask
from pipelines.recipe import RECIPES, load_recipe
from tests.support.face_graph import write_face_graph
from tests.support.vgg import write_vgg

PLAIN = {"redraw_share": 0.0, "deform_share": 0.0, "paper_share": 0.0}


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_vgg(tmp_path_factory.mktemp("vgg") / "vgg.safetensors"))


def _task(vgg: str, **options: Any) -> RobustCSITask:
    torch.manual_seed(0)
    settings = {"in_channels": 1, "precision": "fp32", "device": torch.device("cpu")}
    return RobustCSITask(vgg=vgg, **settings | options)


def _batch(channels: int = 1) -> Batch:
    photo = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    sketch = photo.mean(dim=1, keepdim=True).expand(-1, channels, -1, -1)
    return {"sketch": sketch, "photo": photo}


def test_without_changes_and_identity_it_is_the_papers_task(vgg: str) -> None:
    torch.manual_seed(0)
    faithful = CSITask(vgg=vgg, in_channels=1, precision="fp32", device=torch.device("cpu"))
    assert _task(vgg, **PLAIN).step(_batch()) == pytest.approx(faithful.step(_batch()), rel=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("share", ["redraw_share", "deform_share", "paper_share"])
def test_each_change_alters_sketches_within_their_range(
    vgg: str, share: str, channels: int
) -> None:
    task = _task(vgg, in_channels=channels, **PLAIN | {share: 1.0})
    batch = _batch(channels)
    torch.manual_seed(1)
    varied = task.vary(batch["sketch"], batch["photo"])
    assert varied.shape == batch["sketch"].shape
    assert ((varied - batch["sketch"]).abs().flatten(1).mean(1) > 0.003).all()
    assert varied.min() >= 0
    assert varied.max() <= 1


def test_a_share_changes_only_some(vgg: str) -> None:
    batch, task = _batch(), _task(vgg, **PLAIN | {"redraw_share": 0.5})
    torch.manual_seed(0)
    kept = [
        torch.isclose(task.vary(batch["sketch"], batch["photo"]), batch["sketch"], atol=1e-6)
        .flatten(1)
        .all(1)
        for _ in range(20)
    ]
    assert 0.2 < torch.stack(kept).float().mean() < 0.8


def test_retraced_drawings_are_whiter(vgg: str) -> None:
    batch, means = _batch(), []
    for retrace in (False, True):
        task = _task(vgg, **PLAIN | {"redraw_share": 1.0, "retrace": retrace})
        torch.manual_seed(2)
        means.append(float(task.vary(batch["sketch"], batch["photo"]).mean()))
    assert means[1] > means[0]


def test_the_identity_loss_counts_by_its_weight(vgg: str) -> None:
    task = _task(vgg, **PLAIN, identity="sketchface", identity_weight=300.0)
    figures = task.step(_batch())
    others = figures["pixel"] + figures["feature"] + 1e-5 * figures["variation"]
    assert 0 < figures["identity"] < 2
    assert figures["loss"] == pytest.approx(others + 300 * figures["identity"], rel=1e-5)


def test_several_embedders_count_by_their_mean_and_choose_what_is_kept(
    vgg: str, tmp_path: Path
) -> None:
    toy = str(write_face_graph(tmp_path))
    figures = {}
    for identity in ("sketchface", toy, f"sketchface+{toy}"):
        task = _task(vgg, **PLAIN, identity=identity, identity_weight=1.0)
        assert (task.score, task.higher_is_better) == ("identity", False)
        figures[identity] = task.validate(task.networks(), _batch())["identity"]
        assert figures[identity].shape == (4,)
    first, second, both = figures.values()
    torch.testing.assert_close(both, (first + second) / 2)
    assert _task(vgg, **PLAIN).score == "psnr"


def test_what_is_published_to_look_twice_is_judged_so(vgg: str) -> None:
    once, twice = _task(vgg, **PLAIN), _task(vgg, **PLAIN, mirror=True)
    assert twice.metadata == once.metadata | {"mirrored": "true"}
    network = once.networks()["generator"].eval()
    wanted = once.validate({"generator": Mirrored(network)}, _batch())
    found = twice.validate({"generator": network}, _batch())
    torch.testing.assert_close(found, wanted)
    assert not torch.equal(found["psnr"], once.validate({"generator": network}, _batch())["psnr"])


@pytest.mark.parametrize("name", ["csi-grayscale", "csi-color"])
def test_the_recipes_for_identity_go_on_from_the_papers_network(name: str) -> None:
    faithful = load_recipe(RECIPES / f"{name}.toml", ())
    improved = load_recipe(RECIPES / f"{name}-identity.toml", ())
    assert improved.data == faithful.data
    assert improved.options.items() >= {"start": name, "mirror": True, **PLAIN}.items()


@pytest.mark.parametrize(
    "options",
    [{"identity": "sketchface"}, {"identity_weight": 1.0}, {"paper_share": 1.5}],
)
def test_options_that_contradict_are_refused(vgg: str, options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="options"):
        _task(vgg, **options)


@pytest.mark.parametrize("name", ["csi-line", "csi-grayscale", "csi-color"])
def test_the_recipes_differ_from_the_papers_in_what_is_improved_only(vgg: str, name: str) -> None:
    faithful = load_recipe(RECIPES / f"{name}.toml", ())
    improved = load_recipe(RECIPES / f"{name}-robust.toml", ())
    assert (improved.data, improved.schedule) == (faithful.data, faithful.schedule)
    assert faithful.options.items() <= improved.options.items()
    task = TASKS[improved.task]
    made = task(in_channels=1, device=torch.device("cpu"), **improved.options | {"vgg": vgg})
    assert isinstance(made, RobustCSITask)


def test_each_set_can_be_left_out_of_an_adapter() -> None:
    whole = load_recipe(RECIPES / "adapter.toml", ())
    for source in ("ar", "cuhk", "cufsf", "fs2k"):
        recipe = load_recipe(RECIPES / f"adapter-no-{source}.toml", ())
        assert recipe.data.options["without"] == [source]
        assert source not in recipe.data.options["emphasis"]
        own = {"learning_rate", "warmup_steps", "embedder"}
        assert {k: recipe.options[k] for k in own} == {k: whole.options[k] for k in own}


def test_a_missing_ruler_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        _task(str(tmp_path / "nothing.safetensors"))
