"""A worker process for kill tests: it says where it is, and waits there to be killed.

    python -m tests.support.doomed_worker FOLDER PLACE QUEUE

FOLDER holds `service.db` and `files`, QUEUE is the URL of the queue. At PLACE (`claimed`,
`uncommitted`, `ended`, or `nowhere`) the process writes the file `FOLDER/PLACE` and stands still.
Its one handler lists the photos of the gallery by number instead of by likeness, so that no
network has to be loaded.
"""

from __future__ import annotations

import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from db.models import Photo, Search
from db.queries.jobs import end_job
from db.queries.searches import RankedPhoto
from db.session import open_engine
from forensic.cases import searches
from forensic.jobs.galleries.hold import this_process
from forensic.jobs.tasks import Workshop, asker_of
from forensic.jobs.worker import Worker
from forensic.storage import FileStore
from tests.support.factories import outcome


def main(folder: Path, place: str, queue_url: str) -> None:
    def stand(here: str) -> None:
        if here == place:
            (folder / place).touch()
            time.sleep(600)

    def handler(shop, hold, job) -> None:
        stand("claimed")
        search_id = uuid.UUID(job.parameters["search_id"])

        def keep(session) -> None:
            end_job(session, job.id, shop.worker)
            search = session.get(Search, search_id)
            photos = select(Photo.id).where(Photo.gallery_id == search.gallery_id)
            ranked = [RankedPhoto(number, 0.5) for number in session.scalars(photos)]
            searches.record_outcome(
                session, asker_of(job), search_id, outcome=outcome(), ranked=ranked
            )
            stand("uncommitted")

        hold.write(keep)
        stand("ended")

    nothing = cast("Any", None)
    shop = Workshop(
        engine=open_engine(f"sqlite:///{folder}/service.db"),
        store=FileStore(str(folder / "files")),
        galleries=folder,
        models=nothing,
        searcher=nothing,
        worker=this_process(),
        lease=timedelta(minutes=10),
    )
    worker = Worker(
        shop,
        queue_url=queue_url,
        handlers={"search": handler},
        look_every_s=0.2,
    )
    worker.run(on_ready=(folder / f"ready-{place}").touch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
