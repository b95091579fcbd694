"""`forensic train`: from a recipe and a packed data set to weights."""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensic.errors import RecipeError, TrainingError
from forensic.files import sha256_of_file, write_json
from forensic.runtime import choose_device, provenance, seed_everything
from forensic.weights.store import choose_weights_folder
from pipelines.recipe import TrainRecipe, check_resumable, find_recipe, load_recipe

if TYPE_CHECKING:
    import torch

    from forensic.training.loop import Trainer


EMBEDDERS = frozenset({"embedder", "identity"})
"""Options of tasks that name an embedder, whose weights may have been fetched."""


def build_trainer(
    recipe: TrainRecipe,
    out: Path,
    *,
    device: torch.device,
    weights: Path | None = None,
    report: Any = str,
) -> Trainer:
    """Return a trainer for a recipe, resumed from `out` where a checkpoint lies there.

    Args:
        recipe: What to train.
        out: Run folder.
        device: Where to compute.
        weights: Folder of fetched weights, for an embedder that the recipe names.
        report: Told of the training's progress.

    Raises:
        RecipeError: The task or its samples do not know one of the options, or miss one.
        DataFolderError: The data set is missing or unfinished.
        UnknownNameError: No such task or sketch style.
        WeightsError: A network that the task needs is missing or damaged.
        TrainingError: The checkpoint is damaged or belongs to another recipe.
    """
    from forensic.training.loop import Schedule, Trainer
    from forensic.training.registry import TASKS

    seed_everything(recipe.schedule.seed)
    chosen, folder = TASKS[recipe.task], Path(recipe.data.folder)
    wanted = recipe.data.model_dump(exclude_none=True, exclude={"folder", "options"})
    try:
        training = chosen.samples(folder, split="train", **wanted, **recipe.data.options)
        validation = chosen.samples(folder, split="validation", **wanted, **recipe.data.options)
    except TypeError as error:
        raise RecipeError(f"data of {recipe.name}: {error}.") from error
    options = dict(recipe.options)
    if weights and EMBEDDERS & options.keys():
        options.setdefault("weights", str(weights))
    try:
        task = chosen(**training.facts, device=device, **options)
    except TypeError as error:
        raise RecipeError(f"options of {recipe.name}: {error}.") from error
    return Trainer(
        task,
        training=training,
        validation=validation,
        folder=out,
        schedule=Schedule(**recipe.schedule.model_dump()),
        device=device,
        report=report,
    )


def export_weights(recipe: TrainRecipe, trainer: Trainer, out: Path) -> list[Path]:
    """Write the best networks of a training as fp16 safetensors with a record beside them.

    Raises:
        TrainingError: Nothing was validated yet.
        OSError: The folder cannot be written.
    """
    from forensic.generators.registry import find_network_name
    from forensic.weights.bundle import save_bundle

    written = []
    for config, network in trainer.task.export(trainer.best_networks()).values():
        path = out / f"{recipe.name}.safetensors"
        facts = {"recipe": recipe.name, **trainer.training.metadata, **trainer.task.metadata}
        if kind := find_network_name(network):
            facts["network"] = kind
        save_bundle(path, network.state_dict(), config, facts)
        write_json(
            path.with_suffix(".json"),
            {
                "weights": path.name,
                "sha256": sha256_of_file(path),
                "recipe": recipe.model_dump(),
                "progress": vars(trainer.progress),
                "data": _manifest_hashes(Path(recipe.data.folder)),
                "provenance": provenance(),
            },
        )
        written.append(path)
    return written


def _manifest_hashes(folder: Path) -> dict[str, str]:
    """Return the hash of every data set's manifest in a folder and of the records beside it."""
    names = ("manifest.json", "targets.json", "contours.json")
    found = [path for name in names for at in ("", "*/") for path in folder.glob(at + name)]
    return {p.relative_to(folder).as_posix(): sha256_of_file(p) for p in sorted(found)}


@contextmanager
def hold_run_folder(out: Path) -> Iterator[None]:
    """Make a run folder if need be, and keep other trainings out of it until the block ends.

    Raises:
        TrainingError: Another training is at work in it.
        OSError: It cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = os.open(out, os.O_RDONLY)
    try:
        _lock(lock, out)
        yield
    finally:
        os.close(lock)


def _lock(descriptor: int, out: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TrainingError(
            f"Another training is at work in {out}. Wait for it, stop it, or choose another --out."
        ) from error


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--data", help="Packed data set; replaces data.folder of the recipe.")
@click.option("--embedder", help="Whose space an adapter leads into: name, TOML or ONNX file.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option("--max-minutes", type=float, default=math.inf, help="Stop cleanly after so long.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=int, help="CPU threads; default: all cores.")
def train(
    recipe: Path,
    out: Path,
    data: str | None,
    embedder: str | None,
    changes: tuple[str, ...],
    max_minutes: float,
    device: str,
    threads: int | None,
) -> None:
    """Train what RECIPE says, or go on where the run folder stands.

    RECIPE is a file, or the name of one that comes with the package, e.g. adapter.

    Stops by itself at the end of the schedule, when validation no longer improves, or after
    --max-minutes; Ctrl-C also saves first. The best weights so far are written each time.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    if data:
        changes = (*changes, f'data.folder="{data}"')
    if embedder:
        changes = (*changes, f'options.embedder="{embedder}"')
    loaded = load_recipe(find_recipe(recipe), changes)
    with hold_run_folder(out):
        _run(loaded, out, device=device, max_minutes=max_minutes)


def _run(loaded: TrainRecipe, out: Path, *, device: str, max_minutes: float) -> None:
    from forensic.training.loop import CHECKPOINT

    if (out / CHECKPOINT).is_file():
        check_resumable(out / "recipe.json", loaded)
    write_json(out / "recipe.json", loaded.model_dump())
    weights = choose_weights_folder(os.environ)
    chosen = choose_device(device)
    trainer = build_trainer(loaded, out, device=chosen, weights=weights, report=click.echo)
    progress = trainer.fit(max_minutes=max_minutes)
    if progress.best_score is None:
        every = loaded.schedule.validate_every
        click.echo(
            f"{progress.images_seen} images seen; weights come after validation, at {every}."
        )
        return
    for path in export_weights(loaded, trainer, out):
        click.echo(f"Wrote {path}")
    click.echo(
        f"{progress.images_seen} images seen, best {trainer.task.score} {progress.best_score:.4g}"
    )
