"""Searching a gallery with images from files, outside any case: every search is in the audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from db.models import Gallery
from db.queries.indexes import held_sha256s
from db.queries.subjects import SubjectFilter
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.jobs.galleries.found import Found, Hit
from forensic.jobs.galleries.probing import Probe, vectors_of
from forensic.jobs.galleries.searching import GallerySearcher


@dataclass(frozen=True)
class Question:
    """What is asked of a gallery about every image; see `GallerySearcher.search`."""

    k: int
    wanted: SubjectFilter | None = None
    group_by_subject: bool = True
    approximate: bool = False
    purpose: str = ""


@dataclass(frozen=True)
class Answer:
    """The list of one image.

    Attributes:
        probe: The image.
        hits: Best first; None where the image could not be searched with.
        is_own: Whether the gallery holds this very file.
    """

    probe: Probe
    hits: tuple[Hit, ...] | None
    is_own: bool

    @property
    def finds_itself(self) -> bool:
        """Whether the list begins with the image's own file."""
        if not self.hits:
            return False
        return self.hits[0].photo_sha256 == self.probe.sha256


def search_images(
    engine: Engine,
    searcher: GallerySearcher,
    gallery: Gallery,
    batches: Iterable[Sequence[Probe]],
    question: Question,
    *,
    actor: Actor,
) -> Iterator[tuple[list[Answer], Found | None]]:
    """Yield the answers of each batch, and what was searched; None where no image was usable.

    Args:
        engine: The records.
        searcher: Searches the gallery.
        gallery: Which gallery.
        batches: Images to search with.
        question: What is asked.
        actor: Who asks, for the audit.

    Raises:
        GalleryError: As `GallerySearcher.search`.
        RangeError: `k` is out of range.
    """
    for batch in batches:
        usable = [probe for probe in batch if probe.vector is not None]
        found = None
        if usable:
            found = searcher.search(
                gallery.id,
                vectors_of(usable),
                question.k,
                weights_sha256=gallery.weights_sha256,
                wanted=question.wanted,
                group_by_subject=question.group_by_subject,
                approximate=question.approximate,
            )
            _record(engine, gallery, usable, found, question, actor)
        with session_scope(engine, read_only=True) as session:
            own = held_sha256s(session, gallery.id, [p.sha256 for p in batch if p.sha256])
        lists = iter(found.lists if found else ())
        yield (
            [Answer(p, None if p.vector is None else next(lists), p.sha256 in own) for p in batch],
            found,
        )


def _record(
    engine: Engine,
    gallery: Gallery,
    probes: Sequence[Probe],
    found: Found,
    question: Question,
    actor: Actor,
) -> None:
    with session_scope(engine) as session:
        audit.record(
            session,
            actor,
            audit.Tag.GALLERY_SEARCHED,
            gallery_id=gallery.id,
            probes=[probe.sha256 for probe in probes],
            generation=found.generation_number,
            list_length=question.k,
            is_exact=found.is_exact,
            purpose=question.purpose,
        )
