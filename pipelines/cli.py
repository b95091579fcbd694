"""The composition root: every command and pipeline under the one command `forensic`.

Modules of commands are imported only when their command is asked for, so that `forensic --help`
loads neither torch nor faiss.
"""

from __future__ import annotations

import click

import forensic
from forensic.cli.boundary import LazyGroup

bench = LazyGroup(
    "bench",
    help="Measure speed and detection rates on this machine.",
    short_help="Measure speed and detection rates.",
    lazy={
        "benchmark": (
            "pipelines.bench_benchmark:bench_benchmark",
            "Photos per second of benchmark lfw, beside one face at a time.",
        ),
        "faces": (
            "pipelines.face_rates:face_rates",
            "How often a face is found in sketches and photos.",
        ),
        "generators": (
            "pipelines.bench_generators:bench_generators",
            "Time of each network of the papers: eager, bf16, compiled.",
        ),
        "identify": (
            "pipelines.bench_identify:bench_identify",
            "What each way of comparing adds to the time of a search.",
        ),
        "index": (
            "pipelines.bench_index:bench_index",
            "Photos imported per second, beside a plain facenet-pytorch loop.",
        ),
        "pipeline": (
            "pipelines.bench_pipeline:bench_pipeline",
            "Faces enrolled per second, beside a plain facenet-pytorch loop.",
        ),
        "service": (
            "pipelines.bench_service:bench_service",
            "The whole case service: sketch to list, and many users at once.",
        ),
        "search": (
            "pipelines.bench_search:bench_search",
            "Searches per second over large galleries.",
        ),
    },
)


@click.group(
    cls=LazyGroup,
    lazy={
        "audit": ("forensic.cli.audit:audit", "Prove that the audit is as it was written."),
        "benchmark": ("pipelines.benchmark:benchmark", "Measure accuracy with its statistics."),
        "dataset": ("pipelines.build_dataset:dataset", "Build training data from photos."),
        "evaluate": (
            "pipelines.evaluate_images:evaluate",
            "Measure how near synthesized faces come to the photos.",
        ),
        "db": (
            "forensic.cli.database:db",
            "Make, bring up to date and check the database.",
        ),
        "demo": ("pipelines.demo:demo", "Show the whole system on synthetic people, offline."),
        "doctor": ("forensic.cli.doctor:doctor", "Say what this installation has and lacks."),
        "generate": (
            "forensic.cli.generate:generate",
            "Make faces from sketches, labelled machine-made.",
        ),
        "gallery": (
            "forensic.cli.gallery:gallery",
            "Keep galleries on record: import, search, remove, verify.",
        ),
        "identify": ("forensic.cli.identify:identify", "Rank a gallery by a sketch."),
        "index": ("forensic.cli.index:index", "Build a gallery index from a folder of photos."),
        "serve": (
            "forensic.cli.serve:serve",
            "Run the web of the case service, or all of it with --demo.",
        ),
        "train": ("pipelines.train:train", "Train a network from a recipe."),
        "user": ("forensic.cli.users:user", "Add people, list them, set their roles."),
        "worker": ("forensic.cli.worker:worker", "Do the background work of the service."),
        "weights": ("forensic.cli.weights:weights", "List, fetch and check trained weights."),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(forensic.__version__, prog_name="forensic")
def main() -> None:
    """From a witness sketch to a ranked list of investigative leads.

    A list ranks who resembles the sketch. It is a lead, never an identification.
    """


main.add_command(bench)
