"""`forensic bench generators`: how long each network of the papers takes for one batch.

Four ways: in single precision as written, under bfloat16 autocast, and both compiled. The roof is
the rate of one large convolution in the same precision on the same machine. All ways of a network
take turns in one run, so that a busy machine slows each of them.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import click

from forensic.registry import Registry
from forensic.runtime import choose_device, provenance, seed_everything

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

WAYS = ("eager", "bf16", "compiled", "compiled-bf16")
MICROSECONDS_AT_LEAST = 1e-6
ROOF_CHANNELS, ROOF_SIDE = 256, 64


@dataclass(frozen=True)
class Setting:
    """A published network and the size of its input.

    Attributes:
        network: A name of `NETWORKS`.
        shape: Channels, height and width of one picture.
        options: Arguments of the network.
    """

    network: str
    shape: tuple[int, int, int]
    options: dict[str, Any] = field(default_factory=dict)


SETTINGS: Registry[Setting] = Registry(
    "network setting",
    {
        "csi": Setting("csi", (1, 96, 96), {"in_channels": 1}),
        "fcn-sr": Setting("fcn", (3, 200, 155), {"size": "sr"}),
        "fcn-small": Setting("fcn", (3, 200, 155), {"size": "small"}),
        "fcn-medium": Setting("fcn", (3, 200, 155), {"size": "medium"}),
        "fcn-large": Setting("fcn", (3, 200, 155), {"size": "large"}),
        "cali-sketch": Setting("cali-sketch", (1, 256, 256)),
        "cali-sketch-128-narrow": Setting("cali-sketch", (1, 128, 128), {"width": 16}),
        "cali-sketch-improved-1": Setting(
            "cali-sketch", (1, 256, 256), {"synthesis": "improved-1"}
        ),
        "cali-sketch-improved-2": Setting(
            "cali-sketch", (1, 256, 256), {"synthesis": "improved-2"}
        ),
        "conv-autoencoder": Setting("conv-autoencoder", (3, 256, 256)),
        "deepfacepencil": Setting("deepfacepencil", (3, 256, 256)),
        "deepfacepencil-baseline": Setting("pix2pixhd-global", (3, 256, 256)),
        "deepfacepencil-128-narrow": Setting(
            "deepfacepencil", (3, 128, 128), {"width": 16, "n_blocks": 4}
        ),
        "pix2pix": Setting("pix2pix", (3, 256, 256)),
        "sparse-autoencoder": Setting("sparse-autoencoder", (3, 256, 256)),
        "vgg-autoencoder": Setting("vgg-autoencoder", (3, 224, 224)),
    },
)
"""The networks at the sizes of their papers, and those that were trained smaller."""


@dataclass(frozen=True)
class Timing:
    """One network in one way.

    Attributes:
        setting: A name of `SETTINGS`.
        way: A name of `WAYS`.
        batch: Pictures a pass.
        gflop: Work of a pass in its convolutions and matrix products, in 10⁹ operations.
        median_ms: Median time of a pass.
        best_ms: Least time of a pass.
        roof_share: Rate reached over that of one large convolution.
        refused: Why this way could not be measured, empty if it was.
    """

    setting: str
    way: str
    batch: int
    gflop: float
    median_ms: float = 0.0
    best_ms: float = 0.0
    roof_share: float = 0.0
    refused: str = ""


def time_generator(
    name: str, *, ways: Sequence[str], batch: int, repeats: int, device: torch.device
) -> list[Timing]:
    """Return the timings of one network with random weights, ways in turns.

    Args:
        name: A name of `SETTINGS`.
        ways: Names of `WAYS`.
        batch: Pictures a pass.
        repeats: Timed passes of each way, after two that are not timed.
        device: Where to compute.

    Raises:
        UnknownNameError: No such setting.
    """
    import torch

    from forensic.generators.registry import create_generator
    from forensic.layers.memory import to_channels_last

    setting = SETTINGS[name]
    seed_everything(0)
    network = to_channels_last(create_generator(setting.network, **setting.options).eval(), device)
    pictures = torch.rand(batch, *setting.shape, device=device)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    gflop = count_gflop(network, pictures)
    passes, refused = {}, {}
    for way in ways:
        run = _create_pass(network, pictures, way)
        try:
            for _ in range(2):
                run()
            passes[way] = run
        except Exception as error:  # the compiler raises classes of its own without a common root
            refused[way] = f"{type(error).__name__}: {error}".splitlines()[0]
    times = time_in_turns(passes, repeats=repeats, device=device)
    return [
        Timing(name, way, batch, gflop, refused=refused[way])
        if way in refused
        else Timing(
            name,
            way,
            batch,
            gflop,
            median_ms=1e3 * statistics.median(times[way]),
            best_ms=1e3 * min(times[way]),
            roof_share=gflop / min(times[way]) / measure_roof(way, device, repeats=repeats),
        )
        for way in ways
    ]


def count_gflop(network: nn.Module, pictures: Tensor) -> float:
    """Return the work of one pass in 10⁹ operations, two for each multiplication.

    Convolutions and matrix products count, as they are computed; what is between them does not.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(pictures)
    return float(counter.get_total_flops()) / 1e9


def time_in_turns(
    passes: dict[str, Callable[[], object]], *, repeats: int, device: torch.device
) -> dict[str, list[float]]:
    """Return the seconds of every repeat of each pass, the passes in turns."""
    import torch

    times: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(repeats):
        for name, run in passes.items():
            started = time.perf_counter()
            run()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times[name].append(max(time.perf_counter() - started, MICROSECONDS_AT_LEAST))
    return times


def measure_roof(way: str, device: torch.device, *, repeats: int) -> float:
    """Return the best rate of one large convolution in a way's precision, in 10⁹ a second."""
    import torch
    from torch import nn

    layer = nn.Conv2d(ROOF_CHANNELS, ROOF_CHANNELS, 3, padding=1, bias=False).to(device)
    layer = layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(4, ROOF_CHANNELS, ROOF_SIDE, ROOF_SIDE, device=device)
    run = _create_pass(
        layer,
        images.contiguous(memory_format=torch.channels_last),
        "bf16" if way.endswith("bf16") else "eager",
    )
    run()
    times = time_in_turns({way: run}, repeats=max(3, repeats), device=device)[way]
    return count_gflop(layer, images) / min(times)


def _create_pass(network: nn.Module, pictures: Tensor, way: str) -> Callable[[], object]:
    import torch

    from forensic.runtime import choose_precision

    called = torch.compile(network) if way.startswith("compiled") else network

    def run() -> object:
        precision = choose_precision("bf16" if way.endswith("bf16") else "fp32", pictures.device)
        with torch.inference_mode(), precision:
            return called(pictures)

    return run


@click.command()
@click.option("--only", multiple=True, help="A network; repeat for several. Default: all.")
@click.option("--ways", default=",".join(WAYS), show_default=True, help="Joined by commas.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; default: all cores.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_generators(
    only: tuple[str, ...],
    ways: str,
    batch: int,
    repeats: int,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Time the networks of the papers, random weights, eager, in bf16 and compiled."""
    import torch

    from forensic.errors import UnknownNameError

    wanted = tuple(filter(None, ways.split(",")))
    for way in wanted:
        if way not in WAYS:
            raise UnknownNameError("way to compute", way, WAYS, ())
    if threads:
        torch.set_num_threads(threads)
    where = choose_device(device)
    timings = [
        timing
        for name in only or SETTINGS
        for timing in time_generator(name, ways=wanted, batch=batch, repeats=repeats, device=where)
    ]
    if as_json:
        rows = [asdict(timing) for timing in timings]
        click.echo(json.dumps({"timings": rows, "provenance": provenance()}, indent=2))
        return
    for t in timings:
        shown = t.refused or (
            f"{t.median_ms:9.2f} ms (best {t.best_ms:.2f})  {t.batch * 1e3 / t.median_ms:9.1f} "
            f"images/s  {t.gflop:7.2f} GFLOP, {100 * t.roof_share:.0f} % of one large convolution"
        )
        click.echo(f"{t.setting:24} {t.way:14} {shown}")
