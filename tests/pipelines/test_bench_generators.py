"""`forensic bench generators`: what it counts; how long anything takes is nobody's promise."""

import json

import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from forensic.generators.registry import NETWORKS, create_generator
from pipelines.bench_generators import SETTINGS, count_gflop
from pipelines.cli import main


def bench(*options: str) -> Result:
    return CliRunner().invoke(main, ["bench", "generators", "--device", "cpu", *options])


@pytest.mark.parametrize(
    ("name", "gflop"),
    [
        ("csi", 2.23),
        ("fcn-medium", 26.8),
        ("cali-sketch", 210.3),
        ("pix2pix", 12.1),
        ("deepfacepencil-baseline", 61.6),
        ("deepfacepencil", 179.0),  # 440.7 with the large kernel over enlarged maps
    ],
)
def test_work_of_the_published_networks(name: str, gflop: float) -> None:
    setting = SETTINGS[name]
    with torch.device("meta"):
        network = create_generator(setting.network, **setting.options).eval()
        work = count_gflop(network, torch.empty(1, *setting.shape))
    assert work == pytest.approx(gflop, rel=0.005)


def test_every_network_of_the_papers_is_timed() -> None:
    assert {setting.network for setting in SETTINGS.values()} <= set(NETWORKS)


def test_work_by_hand() -> None:
    layers = nn.Sequential(
        nn.Conv2d(2, 3, 3, stride=2, padding=1),  # 54 weights on 4 × 4
        nn.ConvTranspose2d(3, 1, 2, stride=2),  # 12 weights on 4 × 4
        nn.Flatten(),
        nn.Linear(64, 5),  # 320 weights
    )
    work = count_gflop(layers, torch.rand(2, 2, 8, 8))
    assert work == pytest.approx(2 * 2 * (54 * 16 + 12 * 16 + 320) / 1e9)


def test_report_names_network_way_and_share_of_the_roof() -> None:
    done = bench("--only", "csi", "--ways", "eager,bf16", "--repeats", "1", "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["timings"]
    assert [(row["setting"], row["way"]) for row in rows] == [("csi", "eager"), ("csi", "bf16")]
    for row in rows:
        assert row["refused"] == ""
        assert 0 < row["best_ms"] <= row["median_ms"]
        assert row["roof_share"] > 0


@pytest.mark.parametrize("options", [("--only", "cis"), ("--ways", "eager,fp8")])
def test_unknown_names_exit_with_2(options: tuple[str, str]) -> None:
    done = bench(*options)
    assert done.exit_code == 2
    assert "Unknown" in done.output
