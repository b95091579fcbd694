"""One case with a reviewed search, seen by people of every role."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from db.models import Role, User
from forensic.cases import leads, lifecycle, searches
from forensic.cases.actor import Actor
from forensic.cases.audit import Tag
from tests.support.service import completed_search, events_of
from tests.support.web import Site

NAMES = {
    Role.INVESTIGATOR: "ines",
    Role.EXAMINER: "emil",
    Role.GALLERY_MANAGER: "gita",
    Role.AUDITOR: "aude",
    Role.ADMINISTRATOR: "adam",
}


@dataclass(frozen=True)
class Scene:
    """A site with people of every role, and one case with one finished search.

    The investigator `ines` opened the case; the examiners `emil`, `edda` and `enno` are assigned.
    """

    site: Site
    people: dict[str, User]
    case_id: uuid.UUID
    probe_id: uuid.UUID
    search_id: uuid.UUID
    gallery_id: uuid.UUID
    candidate_ids: tuple[uuid.UUID, ...]

    def client(self, name: str) -> FlaskClient:
        """Return a browser in which a person has signed in."""
        return self.site.signed_in(name)

    def actor(self, name: str, *roles: Role) -> Actor:
        """Return a person as services see them."""
        return Actor(self.people[name].id, name, frozenset(roles))

    def n_events(self, tag: Tag) -> int:
        """Return how many events of one kind the audit holds."""
        with self.site.session() as session:
            return len(events_of(session, tag))


@pytest.fixture
def scene(site: Site) -> Scene:
    people = {name: site.add_person(name, role) for role, name in NAMES.items()}
    for name in ("edda", "enno"):
        people[name] = site.add_person(name, Role.EXAMINER)
    ines = Actor(people["ines"].id, "ines", frozenset({Role.INVESTIGATOR}))
    with site.session() as session:
        case = lifecycle.open_case(
            session,
            ines,
            number="2026/0417",
            offence="Robbery",
            legal_basis="order 12",
            purpose="find leads",
        )
        for name in ("emil", "edda", "enno"):
            lifecycle.assign(session, ines, case.id, people[name].id)
        search = completed_search(session, ines, case, site.store)
        view = searches.get(session, ines, search.id)
        listed = leads.all_candidates(session, search.id)
        return Scene(
            site,
            people,
            case.id,
            view.inputs[0].probe_id,
            search.id,
            search.gallery_id,
            tuple(row.id for row in listed),
        )
