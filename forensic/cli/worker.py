"""`forensic worker`: the process that computes."""

from __future__ import annotations

import click


@click.command(short_help="Do the background work of the service.")
def worker() -> None:
    """Do searches, renditions, imports and reports of the service, and answer live previews.

    Settings come from FORENSIC_* variables and the file that FORENSIC_SETTINGS names. Ends on
    SIGTERM or Ctrl-C once the jobs in hand are done, at the latest after half a minute; what is not
    done by then is taken up again by the next worker.
    """
    from forensic.runtime import let_waiting_threads_sleep

    let_waiting_threads_sleep()  # before torch and faiss are loaded

    from datetime import timedelta

    from db.migrations import check as check_database
    from db.session import open_engine
    from forensic.cases.galleries import embedders
    from forensic.cases.renditions import generator_names
    from forensic.jobs.galleries.hold import this_process
    from forensic.jobs.galleries.searching import GallerySearcher
    from forensic.jobs.handlers.preview import preview_with
    from forensic.jobs.handlers.registry import HANDLERS
    from forensic.jobs.models import ModelShelf
    from forensic.jobs.preview import PreviewServer
    from forensic.jobs.tasks import Workshop
    from forensic.jobs.worker import Worker
    from forensic.settings import load_settings
    from forensic.storage import FileStore
    from forensic.web.logs import configure

    settings = load_settings()
    configure(settings.log_level)
    check_database(settings.records_url)
    models = ModelShelf(device=settings.device)
    models.warm(
        embedders=[choice.name for choice in embedders() if choice.is_bundled],
        generators=generator_names(),
    )
    engine = open_engine(settings.records_url)
    searcher = GallerySearcher(engine, settings.indexes_folder, device=settings.device)
    searcher.warm()
    shop = Workshop(
        engine=engine,
        store=FileStore(settings.store_url),
        galleries=settings.indexes_folder,
        models=models,
        searcher=searcher,
        worker=this_process(),
        lease=timedelta(seconds=settings.lease_s),
    )
    previews = PreviewServer(
        preview_with(models), port=settings.worker_port, token=settings.preview_token
    )
    Worker(shop, queue_url=settings.jobs_url, handlers=HANDLERS, previews=previews).run(
        on_ready=lambda: click.echo("The worker is ready.", err=True)
    )
