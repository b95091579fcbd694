from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from db.models import Verdict
from forensic.errors import CaseNotFound, ImageError, NotSignedIn, RecordConflict, RequestRefused
from forensic.web.pages.forms import Form


def sent(**fields: str) -> Form:
    return Form(MultiDict(fields))


def test_fields_are_read_as_what_they_mean() -> None:
    form = sent(day=" 2026-03-01 ", n="12", x="1.5", verdict="inconclusive", note="  a  ")
    assert form.day("day") == date(2026, 3, 1)
    assert form.whole("n") == 12
    assert form.number("x") == 1.5
    assert form.one_of("verdict", Verdict) is Verdict.INCONCLUSIVE
    assert form.text("note") == "a"
    assert form.day("absent") is None
    assert form.whole("absent") is None


@pytest.mark.parametrize(
    ("method", "value"),
    [("day", "1.3.2026"), ("whole", "1.5"), ("number", "x"), ("key", "7"), ("keys", "7")],
)
def test_a_malformed_field_is_named(method: str, value: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        getattr(sent(given=value), method)("given")
    assert caught.value.field == "given"


def test_what_was_sent_wins_over_defaults_even_where_nothing_is_checked() -> None:
    assert Form(None, formats=["pdf", "zip"]).chosen("formats") == ["pdf", "zip"]
    assert Form(MultiDict({"a": "b"}), formats=["pdf"]).chosen("formats") == []


def test_a_refusal_becomes_a_remark_on_its_field_or_on_the_whole() -> None:
    form = Form()
    assert form.status == 200
    with form.attempt():
        raise RequestRefused("too long", field="note")
    with form.attempt():
        raise RecordConflict("taken")
    with form.attempt():
        raise ImageError("no picture", reason="format")
    assert form.errors == {"note": "too long", "sketch": "no picture"}
    assert form.refusal == "taken"
    assert form.status == 422


@pytest.mark.parametrize("error", [CaseNotFound(1), NotSignedIn("sign in"), KeyError("bug")])
def test_what_nobody_can_mend_in_a_form_goes_on(error: Exception) -> None:
    form = Form()
    with pytest.raises(type(error)), form.attempt():
        raise error
    assert form.status == 200
