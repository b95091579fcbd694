"""Which pages open to which role, what each says first, and what frames all of them."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from db.models import Role
from forensic.cases.audit import Tag, record
from forensic.values import LEAD_ONLY

from .conftest import NAMES, Scene

INV, EXA, MAN, AUD, ADM = (
    Role.INVESTIGATOR,
    Role.EXAMINER,
    Role.GALLERY_MANAGER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)
EVERYONE = frozenset(Role)
PAGES = {
    "/cases": ({INV, EXA, AUD}, "2026/0417"),
    "/cases/{case_id}": ({INV, EXA, AUD}, "Case 2026/0417"),
    "/cases/{case_id}/draw": ({INV}, "Keep this drawing"),
    "/cases/{case_id}/search": ({INV, EXA}, "Search a gallery"),
    "/cases/retention": ({ADM}, "Retention"),
    "/cases/{case_id}/reports": ({INV, EXA, AUD}, "Reports"),
    "/benchmarks": (EVERYONE, "Runs here"),
    "/draw": ({INV, EXA}, "Drawing board"),
    "/galleries": ({INV, EXA, AUD, MAN}, "Galleries"),
    "/galleries/{gallery_id}": ({INV, EXA, AUD, MAN}, "Rules of intake"),
    "/keys": (EVERYONE, "API keys"),
    "/models": (EVERYONE, "csi-line"),
    "/models/csi-line": (EVERYONE, "Limits of use"),
    "/password": (EVERYONE, "Change password"),
    "/probes/{probe_id}": ({INV, EXA, AUD}, "Sketch of person 1"),
    "/probes/{probe_id}/sketch": ({INV, EXA, AUD}, ""),
    "/searches/{search_id}": ({INV, EXA, AUD}, "leads from"),
    "/searches/{search_id}/review": ({EXA}, "Decision"),
    "/searches/{search_id}/adjudication": ({EXA}, "Adjudication"),
    "/users": ({ADM}, "New user"),
    "/users/{user_id}": ({ADM}, "One-time password"),
    "/audit": ({AUD}, "each event sealed"),
}


def address(scene: Scene, path: str) -> str:
    return path.format(
        case_id=scene.case_id,
        probe_id=scene.probe_id,
        search_id=scene.search_id,
        gallery_id=scene.gallery_id,
        user_id=scene.people["emil"].id,
    )


@pytest.mark.parametrize("role", Role)
def test_each_page_opens_to_its_roles_and_to_no_other(scene: Scene, role: Role) -> None:
    client = scene.client(NAMES[role])
    refused = 0
    for path, (roles, phrase) in PAGES.items():
        answer = client.get(address(scene, path), follow_redirects=True)
        if role in roles:
            assert answer.status_code == 200, (path, answer.text)
            assert phrase.encode() in answer.data, path
        else:
            refused += 1
            assert answer.status_code == 403, (path, answer.status_code)
    assert scene.n_events(Tag.PERMISSION_REFUSED) == refused


def test_signed_out_people_are_led_to_sign_in_and_back(scene: Scene) -> None:
    client = scene.site.app.test_client()
    for path in PAGES:
        answer = client.get(address(scene, path))
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/sign-in?next=%2F"), path


class _Page(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse, and what leads elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.posts_without_token = 0
        self._in_post = False
        self._has_token = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if "style" in values or tag == "style" or (tag == "script" and "src" not in values):
            self.faults.append(f"inline: {tag} {values}")
        self.faults += [f"handler: {name}" for name in values if name.startswith("on")]
        for name in ("src", "href", "action", "srcset"):
            if (values.get(name) or "").startswith(("http:", "https:", "//")):
                self.faults.append(f"elsewhere: {values[name]}")
        if tag == "form" and values.get("method") == "post":
            self._in_post, self._has_token = True, False
        if tag == "input" and values.get("name") == "csrf_token":
            self._has_token = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._in_post:
            self.posts_without_token += not self._has_token
            self._in_post = False


@pytest.mark.parametrize("role", Role)
def test_pages_are_self_contained_and_carry_the_notice(scene: Scene, role: Role) -> None:
    client = scene.client(NAMES[role])
    for path, (roles, _) in PAGES.items():
        if role not in roles or path.endswith("/sketch"):
            continue
        answer = client.get(address(scene, path), follow_redirects=True)
        page = _Page()
        page.feed(answer.text)
        assert page.faults == [], path
        assert page.posts_without_token == 0, path
        assert LEAD_ONLY.partition(". ")[2] in answer.text, path
        assert '<html lang="en">' in answer.text
        summary = re.search(r'id="page-summary">([^<]*)</p>', answer.text)
        assert summary, path
        assert summary[1].strip().endswith("."), path
        assert 'aria-describedby="page-summary"' in answer.text, path


def test_the_bar_shows_only_where_one_may_go(scene: Scene) -> None:
    def bar(client: FlaskClient, path: str) -> str:
        return client.get(path).text.partition('aria-label="Main"')[2].partition("</nav>")[0]

    investigator = bar(scene.client("ines"), f"/probes/{scene.probe_id}")
    assert ">Users<" not in investigator
    assert ">Audit<" not in investigator
    assert 'href="/cases" aria-current="page"' in investigator
    administrator = bar(scene.client("adam"), "/users")
    assert ">Cases<" not in administrator
    assert 'href="/users" aria-current="page"' in administrator


def test_errors_are_pages_too(scene: Scene) -> None:
    answer = scene.client("ines").get("/cases/00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
    assert "Back to the start" in answer.text
    assert "request" in answer.text.lower()
    assert scene.site.app.test_client().get("/nothing-here").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "endpoint=x&_external=1&_scheme=javascript&_method=POST",
        "after=99999999999999999999999",
        "after=-1",
        "after=nonsense",
        "case=%00&actor=%27--&tag=%7B%7B7*7%7D%7D",
        "said=<script>",
    ],
)
def test_hostile_addresses_show_the_page(scene: Scene, query: str) -> None:
    auditor = scene.client("aude")
    for path in ("/audit", "/cases", f"/cases/{scene.case_id}", "/benchmarks"):
        answer = auditor.get(f"{path}?{query}&before=99999999999999999999999")
        assert answer.status_code == 200, path
        assert "javascript:" not in answer.text
        assert "<script>" not in answer.text.replace("<script type", "")


def test_pages_of_a_list_keep_what_narrows_it_down(scene: Scene) -> None:
    with scene.site.session() as session:
        actor = scene.actor("aude", Role.AUDITOR)
        for _ in range(60):
            record(session, actor, Tag.AUDIT_VIEWED)
    client = scene.client("aude")
    first = client.get("/audit?actor=aude&tag=audit:events:view").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    address = unescape(following[1])
    assert "actor=aude" in address
    assert "tag=audit:events:view" in address
    second = client.get(address).text
    assert "From the beginning" in second
    assert second.count('<th scope="row"') == 10


def test_text_of_people_never_becomes_markup(scene: Scene) -> None:
    client = scene.client("ines")
    evil = "<script>alert(1)</script>{{7*7}}'\"%;--"
    fields = {"number": evil, "offence": evil, "legal_basis": evil, "purpose": evil}
    answer = client.post("/cases/new", data=fields, follow_redirects=True)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in answer.text
