from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from facenet_pytorch import InceptionResnetV1

from forensic.datasets.sketched import SketchedFaces
from forensic.datasets.taught import DRAWN, PHOTO, TO_DRAW
from forensic.embedders.adapter import SketchAdapter, looks_at
from forensic.embedders.registry import create_embedder
from forensic.errors import RecipeError
from forensic.files import sha256_of_file
from forensic.images.tensors import images_to_tensor
from forensic.runtime import seed_everything
from forensic.training.loop import Schedule, Trainer
from forensic.training.tasks.adapter import AdapterTask
from forensic.weights.bundle import load_bundle, read_bundle_metadata, save_bundle
from tests.support.adapter_data import write_adapter_data
from tests.support.face_graph import ADAPTER, load_toy, write_adapter, write_face_graph

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("adapter")
    write_face_graph(out)
    return write_adapter_data(out / "data", teacher=sha256_of_file(out / "toy.onnx")).parent


def small_task(folder: Path, **options) -> AdapterTask:
    seed_everything(0)
    facts = SketchedFaces(folder / "data", split="train").facts
    settings = {"total_steps": 60, "warmup_steps": 2, "precision": "fp32", **options}
    return AdapterTask(**facts, embedder=str(folder / "toy.toml"), device=CPU, **settings)


def trainer(folder: Path, out: Path, images: int) -> Trainer:
    return Trainer(
        small_task(folder),
        training=SketchedFaces(folder / "data", split="train"),
        validation=SketchedFaces(folder / "data", split="validation"),
        folder=out,
        schedule=Schedule(images=images, batch_size=6, validate_every=12, average_decay=0.9),
        device=CPU,
    )


def test_loss_falls_on_a_tiny_set(folder: Path) -> None:
    task = small_task(folder, learning_rate=5e-3)
    training = SketchedFaces(folder / "data", split="train", drawing_share=0.8)
    losses = []
    for step in range(30):
        seed_everything(step)
        losses.append(task.step(training.batch(np.arange(16)))["loss"])
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


def test_choice_is_the_cross_entropy_with_margin_over_other_people(folder: Path) -> None:
    task = small_task(folder, scale=10.0, margin=0.2, n_hard=1, hard_weight=1.0)
    task.bank, task.people = torch.eye(6)[[0, 1, 2, 0]], torch.tensor([7, 8, 9, 7])
    own = torch.eye(6)[:1]
    half = F.normalize(torch.eye(6)[:1] + torch.eye(6)[1:2])
    losses = task._compute_losses(half, {"target": own, "person": torch.tensor([7])})
    # own cosine √½ less the margin; strangers at √½ and 0; both own photos, masked, at -1
    right, near, far, masked = (10 * c for c in (2**-0.5 - 0.2, 2**-0.5, 0.0, -1.0))
    everybody = np.log(sum(np.exp([right, near, far, masked, masked]))) - right
    hardest = np.log(np.exp(right) + np.exp(near)) - right
    assert losses["choice"].item() == pytest.approx(everybody, rel=1e-5)
    assert losses["loss"].item() == pytest.approx(everybody + hardest, rel=1e-5)


def test_vectors_of_another_embedder_are_refused(folder: Path) -> None:
    with pytest.raises(RecipeError, match="Make the data with that embedder"):
        AdapterTask(
            bank=torch.eye(6),
            people=torch.arange(6),
            teacher_weights_sha256="1" * 64,
            embedder=str(folder / "toy.toml"),
            total_steps=1,
            device=CPU,
        )


def test_another_round_goes_on_from_the_encoder_that_draws_the_gallery(tmp_path: Path) -> None:
    name = f"drawn:{write_adapter(tmp_path) / 'toy.toml'}"
    facts = {"bank": torch.eye(6), "people": torch.arange(6), "total_steps": 1, "device": CPU}
    facts |= {"embedder": name, "weights": str(tmp_path)}
    drawn = create_embedder(name, device=CPU, weights=tmp_path)
    task = AdapterTask(teacher_weights_sha256=drawn.weights_sha256, **facts)
    ((config, differences),) = task.export(task.networks()).values()
    # nothing trained yet: what would be published is the adapter as it is, for drawn galleries
    save_bundle(tmp_path / "again.safetensors", differences.state_dict(), config)
    earlier = load_bundle(tmp_path / ADAPTER)[0]
    assert load_bundle(tmp_path / "again.safetensors")[0] == earlier | {"drawn": True}
    torch.testing.assert_close(
        load_bundle(tmp_path / "again.safetensors")[1], load_bundle(tmp_path / ADAPTER)[1]
    )
    with pytest.raises(RecipeError, match="Make the data with that embedder"):
        AdapterTask(teacher_weights_sha256=load_toy(tmp_path).weights_sha256, **facts)


def test_each_kind_is_changed_in_its_own_way(folder: Path) -> None:
    task = small_task(folder)
    seed_everything(0)
    faces = torch.rand(3, 3, 14, 14).repeat_interleave(8, 2).repeat_interleave(8, 3)
    out = task.augment(faces, torch.tensor([PHOTO, TO_DRAW, DRAWN]))
    color = (out.amax(1) - out.amin(1)).mean((1, 2))
    assert color[1] < 1e-6  # drawn, hence gray
    assert (out - faces).abs().mean((1, 2, 3)).min() > 0.01
    assert out.min() >= 0
    assert out.max() <= 1


def test_validation_counts_hits_among_training_and_held_out_photos(folder: Path) -> None:
    class Oracle(torch.nn.Module):
        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            return torch.eye(6)[:3].repeat(len(faces) // 3, 1)

    task = small_task(folder)
    task.bank = F.normalize(torch.tensor([[0.0, 1.0, 0.1, 0, 0, 0], [0, 0, 0, 0, 0, 1.0]]))
    target = F.normalize(torch.eye(6)[:3] + 0.3 * torch.eye(6)[3:])
    batch = {
        "face": torch.zeros(3, 112, 112, 3, dtype=torch.uint8),
        "target": target,
        "person": torch.tensor([0, 1, 2]),
        "others": torch.cat([target, torch.eye(6)[:1]]),
        "others_person": torch.tensor([0, 1, 2, 0]),
    }
    figures = task.validate({"adapter": Oracle()}, batch)
    # the second loses to a stranger of the bank; the first's own other photo does not count
    assert figures["rank1"].tolist() == [1, 0, 1]
    np.testing.assert_allclose(figures["cosine"], (1 / 1.09**0.5,) * 3, rtol=1e-5)
    # the second's: itself, three strangers at 0 (its own masked), and the bank at 1 / 1.01^.5 and 0
    right, bank = task.scale / 1.09**0.5, task.scale / 1.01**0.5
    expected = np.log(np.exp(right) + 4 + np.exp(-task.scale) + np.exp(bank)) - right
    assert figures["surprise"][1].item() == pytest.approx(expected, rel=1e-4)


def test_stopped_and_resumed_is_the_same_as_one_run(folder: Path, tmp_path: Path) -> None:
    whole = trainer(folder, tmp_path / "a", 36)
    whole.fit()
    trainer(folder, tmp_path / "b", 18).fit()
    resumed = trainer(folder, tmp_path / "b", 36)
    resumed.fit()
    for one, other in zip(
        whole.task.network.parameters(), resumed.task.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)


def test_a_blend_is_judged_and_published_between_start_and_trained(folder: Path) -> None:
    task = small_task(folder, learning_rate=5e-3, warmup_steps=1, blend=0.25)
    start = {name: tensor.clone() for name, tensor in task.network.state_dict().items()}
    task.step(SketchedFaces(folder / "data", split="train").batch(np.arange(6)))
    trained = task.network.state_dict()
    quarter = {name: start[name] + 0.25 * (trained[name] - start[name]) for name in trained}
    ((_, differences),) = task.export(task.networks()).values()
    torch.testing.assert_close(
        differences.state_dict(), {name: quarter[name] - start[name] for name in quarter}
    )
    batch = SketchedFaces(folder / "data", split="validation").batch(np.arange(1))
    judged = task.validate(task.networks(), batch)["cosine"]
    task.network.load_state_dict(quarter)
    task.blend = 1.0
    torch.testing.assert_close(judged, task.validate(task.networks(), batch)["cosine"])


def test_a_blend_is_a_share(folder: Path) -> None:
    with pytest.raises(RecipeError, match="from 0 to 1"):
        small_task(folder, blend=1.5)


def test_facenet_learns_from_its_own_geometry(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(InceptionResnetV1(pretrained=None).state_dict(), tmp_path / "facenet.pt")
    bank = F.normalize(torch.randn(6, 512))
    task = AdapterTask(
        bank=bank,
        people=torch.arange(6),
        teacher_weights_sha256=sha256_of_file(tmp_path / "facenet.pt"),
        embedder=f"facenet:{tmp_path / 'facenet.pt'}",
        total_steps=10,
        warmup_steps=0,
        device=CPU,
    )
    assert (task.config.template, task.config.dimension) == ("facenet-160", 512)
    faces = torch.randint(0, 255, (2, 160, 160, 3), dtype=torch.uint8)
    kinds = torch.tensor([TO_DRAW, DRAWN])
    figures = task.step(
        {"face": faces, "kind": kinds, "target": bank[:2], "person": torch.arange(2)}
    )
    assert np.isfinite(list(figures.values())).all()
    config, differences = task.export(task.networks())["adapter"]
    assert config["embedder"].startswith("facenet")
    assert any(bool(change.any()) for change in differences.state_dict().values())


def test_what_is_exported_is_an_adapter(folder: Path, tmp_path: Path) -> None:
    task = small_task(folder, learning_rate=5e-3, warmup_steps=1)
    training = SketchedFaces(folder / "data", split="train")
    for _ in range(3):
        task.step(training.batch(np.arange(6)))
    (config, network), *more = task.export(task.networks()).values()
    assert not more
    save_bundle(tmp_path / "adapter.safetensors", network.state_dict(), config, task.metadata)
    assert read_bundle_metadata(tmp_path / "adapter.safetensors")["bits"] == "8"
    adapter = SketchAdapter(
        weights_path=tmp_path / "adapter.safetensors",
        embedder=create_embedder(str(folder / "toy.toml"), device=CPU),
        device=CPU,
        dtype=torch.float32,
    )
    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    batch = images_to_tensor(faces)
    with torch.inference_mode():
        looks = F.normalize(task.network.eval()(looks_at(batch)))
    expected = F.normalize(looks.unflatten(0, (-1, len(batch))).sum(0))
    np.testing.assert_allclose(adapter.embed(faces), expected, atol=2e-3)
