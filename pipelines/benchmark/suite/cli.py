"""`forensic benchmark all`: rebuild the reports that are out of date, then tables and cards."""

from __future__ import annotations

import os
from pathlib import Path

import click

from forensic.errors import ForensicError

FOLDER = click.Path(path_type=Path)


class ReportsFailed(ForensicError):
    """Some reports could not be made; the others were."""


@click.command("all")
@click.option("--data", type=FOLDER, required=True, help="Folder of the plan's data.")
@click.option("--out", type=FOLDER, required=True, help="Folder of reports, tables and logs.")
@click.option("--plan", "plan_file", type=FOLDER, help="Plan.  [default: pipelines/reports.toml]")
@click.option(
    "--at", "places", multiple=True, metavar="NAME=PATH",
    help="Where data of the plan lie, or a report that was made elsewhere; repeatable.",
)  # fmt: skip
@click.option("--only", multiple=True, help="A report, with those it reads; repeatable.")
@click.option("--list", "only_list", is_flag=True, help="Say what is out of date; make nothing.")
@click.option("--force", is_flag=True, help="Make the chosen reports anew, fresh or not.")
@click.option("--max-minutes", type=float, help="Stop after so long; the next run goes on.")
@click.option("--cache", type=FOLDER, help="Folder for embeddings.  [default: user's cache]")
@click.option("--readme", type=FOLDER, help="Page whose marked tables are brought up to date.")
@click.option("--cards", is_flag=True, help="Bring the cards beside the weights up to date.")
def everything(
    data: Path,
    out: Path,
    plan_file: Path | None,
    places: tuple[str, ...],
    only: tuple[str, ...],
    only_list: bool,
    force: bool,
    max_minutes: float | None,
    cache: Path | None,
    readme: Path | None,
    cards: bool,
) -> None:
    """Rebuild every report of a plan that is missing or out of date, and write its tables.

    A report is out of date when its command, its data, the weights, or the code on which figures
    depend have changed. A table is written only if all of its reports are up to date; pages and
    cards keep the others as they are.
    """
    from forensic.weights.store import choose_weights_folder
    from pipelines.benchmark.cache import default_cache_folder
    from pipelines.benchmark.suite.plan import PLAN, read_plan
    from pipelines.benchmark.suite.publishing import publish
    from pipelines.benchmark.suite.running import make_all, told
    from pipelines.benchmark.suite.states import Workshop, read_places

    plan = read_plan(plan_file or PLAN)
    workshop = Workshop(
        plan,
        data=data,
        places=read_places(places, plan),
        out=out,
        weights=choose_weights_folder(os.environ),
    )
    names = plan.needed(only)
    if only_list:
        for name in names:
            click.echo(told(workshop.state(name)))
        return
    done = make_all(
        workshop,
        names,
        cache=cache or default_cache_folder(os.environ),
        force=force,
        max_minutes=max_minutes,
        say=click.echo,
    )
    click.echo(publish(workshop, page=readme, cards=cards))
    failed = [one.name for one in done if one.failed]
    if failed:
        raise ReportsFailed(f"{len(failed)} reports could not be made: {', '.join(failed)}.")
