"""`forensic benchmark`: commands that parse, call one function, and print."""

from __future__ import annotations

import os
from pathlib import Path

import click

from forensic.weights.embedders import DEFAULT, tell_drawing
from pipelines.benchmark.papers import papers

FOLDER = click.Path(path_type=Path)
METHODS = "best,none,csi-line"
EMBEDDER_HELP = (
    "Name, TOML of an ONNX network, or a plain matcher: pixels, vgg, vgg:PATH; with --methods "
    "fcn-sketch: fcn:NAME, fcn:PATH or gray."
)
AMONG_DRAWINGS, FACES, DRAWINGS = "fcn-sketch", DEFAULT, "fcn:fcn-sr"
"""A method, and the embedders that come with the package: of faces, and of drawings for it."""

OWN_EMBEDDER = click.option(
    "--embedder",
    help=f"{EMBEDDER_HELP} For best photos are drawn as well; plain:NAME leaves them as they are.  "
    f"[default: {FACES}; {DRAWINGS} for {AMONG_DRAWINGS}]",
)
KINDS = ("viewed", "forensic", "composite", "freehand", "unknown")


@click.group()
def benchmark() -> None:
    """Measure how often the right person is found, with intervals and tests.

    A benchmark states how a system does on known pairs. It says nothing about a single case.
    """


def read_rates(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    """Return shares between 0 and 1 that were separated by commas.

    Raises:
        click.BadParameter: Something else was given.
    """
    try:
        rates = tuple(float(word) for word in value.split(","))
    except ValueError:
        rates = ()
    if not rates or not all(0 < rate < 1 for rate in rates):
        raise click.BadParameter(f"{value!r} is not a list of rates between 0 and 1.", ctx, param)
    return rates


def split_methods(methods: str) -> tuple[str, ...]:
    """Return names that were separated by commas."""
    return tuple(name.strip() for name in methods.split(","))


def choose_embedder(embedder: str | None, methods: str, gallery_index: Path | None = None) -> str:
    """Return the embedder asked for, else the one that comes with the package for the methods.

    For `best` its gallery is drawn, which is told; that of an index stays as it is.
    """
    from forensic.embedders.registry import choose_gallery_embedder
    from forensic.weights.store import choose_weights_folder

    asked = embedder or (DRAWINGS if methods.strip() == AMONG_DRAWINGS else FACES)
    if gallery_index:
        return asked
    weights = choose_weights_folder(os.environ)
    chosen = choose_gallery_embedder(asked, split_methods(methods), weights=weights)
    if chosen != asked:
        click.echo(tell_drawing(asked), err=True)
    return chosen


GALLERY_INDEX = click.option(
    "--gallery-index",
    type=FOLDER,
    help="Index of `forensic index`, made with the same embedder: more people in the gallery.",
)


@benchmark.command()
@click.option("--photos", type=FOLDER, required=True, help="One photo of each person.")
@click.option("--sketches", type=FOLDER, required=True, help="One sketch of each person.")
@click.option("--distractors", type=FOLDER, multiple=True, help="Photos of others; repeatable.")
@GALLERY_INDEX
@click.option(
    "--non-mated", "nonmated", type=FOLDER, help="Sketches of people who are not in the gallery."
)
@click.option(
    "--fpir",
    "fpirs",
    callback=read_rates,
    default="0.1,0.01,0.001",
    show_default=True,
    help="Wanted rates of false alarms; the first sets the threshold for --cohorts.",
)
@click.option(
    "--cohorts", type=FOLDER, help="CSV: sketch, then columns of labels; needs --non-mated."
)
@click.option(
    "--calibrate",
    type=(FOLDER, FOLDER),
    metavar="PHOTOS SKETCHES",
    help="Two folders of people used for nothing else: likelihood ratios.",
)
@click.option(
    "--same-hand",
    type=FOLDER,
    help="Sketches by the artist of all --sketches (and of --non-mated and --calibrate), which may "
    "be among them: what they share is taken out of each; no photos needed.",
)
@click.option(
    "--methods",
    default=METHODS,
    show_default=True,
    help="Ways from sketch to vector, separated by commas; `none` embeds the sketch itself.",
)
@OWN_EMBEDDER
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--kind", type=click.Choice(KINDS), default="unknown", show_default=True,
    help="How the sketches came about.",
)  # fmt: skip
@click.option("--aligned", help="Geometry in which the images lie already, e.g. cufs.")
@click.option("--landmarks", type=FOLDER, help="JSON with five points by file name.")
@click.option("--no-faces", is_flag=True, help="Show no picture of a person on the page.")
@click.option(
    "--allow-many", is_flag=True, help="In a photo of several people take the most central one."
)
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="Folder for the report.")
def pairs(
    photos: Path,
    sketches: Path,
    distractors: tuple[Path, ...],
    gallery_index: Path | None,
    nonmated: Path | None,
    fpirs: tuple[float, ...],
    cohorts: Path | None,
    calibrate: tuple[Path, Path] | None,
    same_hand: Path | None,
    methods: str,
    embedder: str | None,
    device: str,
    kind: str,
    aligned: str | None,
    landmarks: Path | None,
    no_faces: bool,
    allow_many: bool,
    cache: Path | None,
    out: Path,
) -> None:
    """Search every sketch in a gallery that holds one photo of its person.

    Files of --photos and --sketches belong together by their path inside the folder without
    suffix, else by their stem. Nobody may be both in the gallery and in --non-mated or
    --calibrate; names and contents of files are compared.
    """
    from pipelines.benchmark.pairs import PairsOptions, benchmark_pairs

    options = PairsOptions(
        photos=photos,
        sketches=sketches,
        distractors=distractors,
        methods=split_methods(methods),
        embedder=choose_embedder(embedder, methods, gallery_index),
        device=device,
        sketch_kind=kind,
        aligned=aligned,
        landmarks=landmarks,
        show_faces=not no_faces,
        allow_many=allow_many,
        nonmated=nonmated,
        fpirs=fpirs,
        cohorts=cohorts,
        calibrate=calibrate,
        gallery_index=gallery_index,
        same_hand=same_hand,
    )
    click.echo(benchmark_pairs(options, out=out, cache=cache, environment=os.environ))


@benchmark.command()
@click.option("--cufs", type=FOLDER, required=True, help="CUFS, with sub-sets as folders.")
@click.option("--split", default="test", show_default=True, help="Part to test on, if divided.")
@click.option("--distractors", type=FOLDER, multiple=True, help="Photos of others; repeatable.")
@GALLERY_INDEX
@click.option("--methods", default=METHODS, show_default=True, help="As for pairs.")
@OWN_EMBEDDER
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--aligned", help="Geometry in which the images lie already, e.g. cufs.")
@click.option(
    "--allow-many", is_flag=True, help="In a photo of several people take the most central one."
)
@click.option(
    "--drawings/--no-drawings",
    default=True,
    show_default=True,
    help="FCN's Table 1 as well: CUHK's sketches among drawings made of the photos.",
)
@click.option("--no-faces", is_flag=True, help="Show no picture of a person on the pages.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--out", type=FOLDER, required=True, help="Folder for one report a sub-set.")
def cuhk(
    cufs: Path,
    split: str,
    distractors: tuple[Path, ...],
    gallery_index: Path | None,
    methods: str,
    embedder: str | None,
    device: str,
    aligned: str | None,
    allow_many: bool,
    drawings: bool,
    no_faces: bool,
    cache: Path | None,
    out: Path,
) -> None:
    """Run `pairs` on every sub-set of CUFS (CUHK students, AR, XM2VTS) that a folder holds."""
    from pipelines.benchmark.cufs import benchmark_cufs
    from pipelines.benchmark.pairs import PairsOptions

    options = PairsOptions(
        photos=cufs,
        sketches=cufs,
        distractors=distractors,
        methods=split_methods(methods),
        embedder=choose_embedder(embedder, methods, gallery_index),
        device=device,
        sketch_kind="viewed",
        aligned=aligned,
        landmarks=None,
        show_faces=not no_faces,
        allow_many=allow_many,
        gallery_index=gallery_index,
    )
    done = benchmark_cufs(
        cufs,
        options,
        split=split,
        drawings=drawings and methods.strip() != AMONG_DRAWINGS,
        out=out,
        cache=cache,
        environment=os.environ,
    )
    click.echo(done)


@benchmark.command()
@click.argument("first", metavar="A.json", type=FOLDER)
@click.argument("second", metavar="B.json", type=FOLDER)
@click.option("--methods", help="One method of A and one of B, e.g. none,csi-line.")
@click.option("--rank", default=1, show_default=True, help="What counts as found.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(first: Path, second: Path, methods: str | None, rank: int, as_json: bool) -> None:
    """Say which of two reports on the same probes is better, or that it cannot be told."""
    from pipelines.benchmark.compare import compare_files

    click.echo(compare_files(first, second, methods=methods, rank=rank, as_json=as_json))


@benchmark.command()
@click.argument("report", metavar="REPORT.json", type=FOLDER)
@click.option("--labels", type=FOLDER, required=True, help="CSV: sketch, then columns of labels.")
@click.option("--out", type=FOLDER, help="JSON file of the rates.")
def cohorts(report: Path, labels: Path, out: Path | None) -> None:
    """Print the rank-1 rates of a finished report by cohort.

    `pairs --cohorts` with --non-mated tells error rates at one threshold instead.
    """
    from pipelines.benchmark.cohorts import benchmark_cohorts

    click.echo(benchmark_cohorts(report, labels, out=out))


@benchmark.command()
def schema() -> None:
    """Print the JSON Schema of report.json."""
    import json

    from forensic.reports.record import BenchmarkReport

    click.echo(json.dumps(BenchmarkReport.model_json_schema(), indent=2))


benchmark.add_command(papers)
