from pathlib import Path

import torch

from forensic.generators.csi import CSI
from forensic.generators.mirrored import Mirrored
from forensic.generators.registry import load_generator
from forensic.training.tasks.csi import CSITask
from forensic.weights.bundle import save_bundle
from tests.support.vgg import write_vgg

CPU = torch.device("cpu")


def _sketches() -> torch.Tensor:
    return torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def _bundle(folder: Path, **facts: str) -> Path:
    torch.manual_seed(0)
    network = CSI(in_channels=1)
    path = folder / "mine.safetensors"
    saved = {"network": "csi", "style": "line", **facts}
    save_bundle(path, network.state_dict(), network.config, saved)
    return path


def test_a_mirrored_sketch_gives_the_mirrored_face_and_the_mean_of_both_looks() -> None:
    torch.manual_seed(0)
    network, sketches = CSI(in_channels=1).eval(), _sketches()
    with torch.inference_mode():
        made, turned = network(sketches), network(sketches.flip(3)).flip(3)
        both = Mirrored(network)(sketches)
        assert (made - turned).abs().max() > 1e-3
        torch.testing.assert_close(both, (made + turned) / 2)
        torch.testing.assert_close(Mirrored(network)(sketches.flip(3)), both.flip(3))


def test_weights_say_that_their_generator_looks_twice(tmp_path: Path) -> None:
    once = load_generator(str(_bundle(tmp_path)), CPU).network
    with torch.inference_mode():
        wanted = Mirrored(once)(_sketches())
        twice = load_generator(str(_bundle(tmp_path, mirrored="true")), CPU)
        torch.testing.assert_close(twice.network(_sketches()), wanted)
    assert not twice.network.training


def test_a_training_goes_on_from_one_that_looks_twice(tmp_path: Path) -> None:
    vgg, start = write_vgg(tmp_path / "vgg.safetensors"), _bundle(tmp_path, mirrored="true")
    task = CSITask(in_channels=1, start=str(start), vgg=str(vgg), precision="fp32", device=CPU)
    assert isinstance(task.networks()["generator"], CSI)
    assert "mirrored" not in task.metadata
