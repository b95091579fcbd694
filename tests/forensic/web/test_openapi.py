"""The description of the API: as committed, whole, and kept under whatever is sent.

After a change of the API that is meant, write the snapshot anew and read the difference:
`python -m tests.forensic.web.test_openapi`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case

from db.models import Role
from tests.support.web import Site, settings_of

EXAMPLES = 4
SNAPSHOT = Path(__file__).with_name("openapi.json")


def described(app: Flask) -> dict:
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document is not None
    document["info"]["version"] = "-"
    return document


def test_description_is_the_committed_one(application: Flask) -> None:
    assert described(application) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_operation_says_what_it_does_and_how_it_fails(application: Flask) -> None:
    document = described(application)
    assert document["openapi"] == "3.1.0"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                assert operation["summary"], f"{method} {path}"
                assert "default" in operation["responses"], f"{method} {path}"
    content = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(content) == ["application/problem+json"]


def test_page_of_documentation_asks_no_other_machine(application: Flask) -> None:
    client = application.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.get_data(as_text=True)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        with client.get(f"/docs/{name}") as file:
            assert file.status_code == 200
    assert client.get("/docs/index.html").status_code == 404


@pytest.fixture
def everybody(
    application: Flask, migrated_sqlite: Path, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """The header of someone with every role, who meets no refusal for lack of one."""
    shutil.copy(migrated_sqlite, tmp_path / "service.db")
    site = Site(settings_of(tmp_path), application)
    client = site.with_key(site.add_person("all", *Role), *Role)
    yield {"Authorization": str(client.environ_base["HTTP_AUTHORIZATION"])}
    site.engine.dispose()


def test_nothing_that_fits_the_description_breaks_the_service(
    application: Flask, everybody: dict[str, str]
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    asked = set()
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Case) -> None:
            answer = case.call(headers=everybody)
            shown = f"{case.method} {case.formatted_path}: {answer.text[:300]}"
            assert answer.status_code < 500, shown
            if answer.status_code >= 400:
                assert "application/problem+json" in answer.headers["content-type"], shown
            asked.add((case.method, case.path))

        ask()
    assert len(asked) > 40


if __name__ == "__main__":
    import tempfile

    from db.migrations import upgrade

    with tempfile.TemporaryDirectory() as name:
        chosen = settings_of(Path(name))
        upgrade(chosen.records_url)
        text = json.dumps(described(Site(chosen).app), indent=1, sort_keys=True)
        SNAPSHOT.write_text(text + "\n", encoding="utf-8")
