"""`forensic train`: from a recipe and a packed data set to weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forensic.errors import RecipeError
from forensic.files import sha256_of_file, write_json
from forensic.runtime import choose_device, provenance, seed_everything
from pipelines.recipe import TrainRecipe, load_recipe

if TYPE_CHECKING:
    import torch

    from forensic.training.loop import Trainer


def build_trainer(
    recipe: TrainRecipe, out: Path, *, device: torch.device, report: Any = str
) -> Trainer:
    """Return a trainer for a recipe, resumed from `out` where a checkpoint lies there.

    Raises:
        RecipeError: The task does not know one of the options.
        DataFolderError: The data set is missing or unfinished.
        UnknownNameError: No such task or sketch style.
        WeightsError: A network that the task needs is missing or damaged.
        TrainingError: The checkpoint is damaged or belongs to another recipe.
    """
    from forensic.datasets.pairs import SketchPhotoPairs
    from forensic.training.loop import Schedule, Trainer
    from forensic.training.registry import TASKS

    seed_everything(recipe.schedule.seed)
    folder, data = Path(recipe.data.folder), recipe.data
    training = SketchPhotoPairs(folder, split="train", style=data.style, limit=data.limit)
    validation = SketchPhotoPairs(folder, split="validation", style=data.style, limit=data.limit)
    channels = training.sketches.shape[3]
    try:
        task = TASKS[recipe.task](in_channels=channels, device=device, **recipe.options)
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
    from forensic.weights.bundle import save_bundle

    written = []
    for config, network in trainer.task.export(trainer.best_networks()).values():
        path = out / f"{recipe.name}.safetensors"
        save_bundle(path, network.state_dict(), config, {"style": recipe.data.style})
        write_json(
            path.with_suffix(".json"),
            {
                "weights": path.name,
                "sha256": sha256_of_file(path),
                "recipe": recipe.model_dump(),
                "progress": vars(trainer.progress),
                "data": sha256_of_file(Path(recipe.data.folder) / "manifest.json"),
                "provenance": provenance(),
            },
        )
        written.append(path)
    return written


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--data", help="Packed data set; replaces data.folder of the recipe.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change the recipe.")
@click.option("--max-minutes", type=float, default=math.inf, help="Stop cleanly after so long.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=int, help="CPU threads; default: all cores.")
def train(
    recipe: Path,
    out: Path,
    data: str | None,
    changes: tuple[str, ...],
    max_minutes: float,
    device: str,
    threads: int | None,
) -> None:
    """Train what RECIPE says, or go on where the run folder stands.

    Stops by itself at the end of the schedule, when validation no longer improves, or after
    --max-minutes; Ctrl-C also saves first. The best weights so far are written each time.
    """
    import torch

    if threads:
        torch.set_num_threads(threads)
    if data:
        changes = (*changes, f'data.folder="{data}"')
    loaded = load_recipe(recipe, changes)
    write_json(out / "recipe.json", loaded.model_dump())
    trainer = build_trainer(loaded, out, device=choose_device(device), report=click.echo)
    progress = trainer.fit(max_minutes=max_minutes)
    for path in export_weights(loaded, trainer, out) if progress.best_score is not None else ():
        click.echo(f"Wrote {path}")
    click.echo(
        f"{progress.images_seen} images seen, best {trainer.task.score} {progress.best_score}"
    )
