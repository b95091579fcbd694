"""Records in plain words: filters of the templates, and the messages after something was done."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from db.models import Job, JobState
from forensic.web.pages import intake_words

MESSAGES = {
    "opened": "The case is open.",
    "sealed": "The sketch is sealed. Its face is being looked for.",
    "known": "This very file was sealed before; here it is.",
    "asked": "Asked for; the worker makes it.",
    "placed": "The landmarks are saved as a new version.",
    "withdrawn": "The sketch is withdrawn.",
    "assigned": "Assigned.",
    "removed": "Taken off the case.",
    "closed": "The case is closed.",
    "reopened": "The case is open again.",
    "held": "The legal hold is set.",
    "released": "The legal hold is released.",
    "expunging": "The case is expunged; its files are being deleted.",
    "importing": "Received; the worker imports it.",
    "searching": "Asked for; the worker searches.",
    "decided": "Decided.",
    "adjudicated": "Adjudicated.",
    "all-decided": "You have decided on every candidate. Ranks and similarities are shown now.",
    "password": "The password is changed.",
    "signed-out": "You are signed out.",
    "revoked": "The key is revoked.",
    "made": "The gallery is made. Import photos next.",
    "expunged": "The subject is expunged.",
    "cancelled": "The job is cancelled.",
    "saved": "Saved.",
}
"""What a page may say after a redirect, by the code in its address; nothing else is shown."""

_WORK = {
    "landmarks": "Finding the face",
    "renditions": "Making renditions",
    "search": "Searching the gallery",
    "report": "Writing the report",
    "expunge": "Deleting files",
    "import": "Importing photos",
    "index": "Building the index",
    "benchmark": "Running the benchmark",
}
DONE = {
    "adjudicate": "adjudicated",
    "add": "added",
    "assess": "assessed",
    "assign": "assigned",
    "activate": "activated",
    "build": "built",
    "cancel": "cancelled",
    "change": "changed",
    "close": "closed",
    "complete": "done",
    "create": "made",
    "decide": "decided",
    "delete": "deleted",
    "end": "ended",
    "export": "exported",
    "expunge": "expunged",
    "fail": "failed",
    "find": "found",
    "hold": "put under legal hold",
    "list": "listed",
    "lock": "locked",
    "make": "made",
    "mend": "mended",
    "open": "opened",
    "place": "placed",
    "refuse": "refused",
    "release": "released from legal hold",
    "reopen": "opened again",
    "request": "asked for",
    "reset": "reset",
    "revoke": "revoked",
    "seal": "sealed",
    "search": "searched",
    "set": "set",
    "supersede": "superseded",
    "unassign": "taken off",
    "verify": "verified",
    "view": "viewed",
    "withdraw": "withdrawn",
    "write": "written",
}
"""Action of a tag to what was done; every action of the audit is here."""
_THINGS = {"probe": "sketch", "member": "person", "session": "session", "events": "audit"}


def happening(event: Any) -> str:
    """Return an event's tag, `source:subject:action`, as a phrase: "Sketch sealed"."""
    _, subject, action = str(event.tag).split(":")
    thing = _THINGS.get(subject, subject.replace("_", " "))
    return f"{thing} {DONE.get(action, action)}".capitalize()


def work(job: Job) -> str:
    """Return what a job does."""
    return _WORK.get(job.kind, job.kind.replace("_", " ").capitalize())


def state_words(job: Job) -> str:
    """Return where a job is: how far, how it ended, and why it failed."""
    if job.state is JobState.QUEUED:
        return "Waiting for the worker."
    if job.state is JobState.RUNNING:
        return f"{job.done:,} of {job.total:,} done." if job.total else "Under way."
    if job.state is JobState.FAILED:
        return f"Failed: {(job.detail or job.reason_code or '').rstrip('.')}."
    ended = {JobState.SUCCEEDED: "Done", JobState.CANCELLED: "Cancelled"}[job.state]
    counts = ", ".join(f"{count:,} {plain(name)}" for name, count in (job.counts or {}).items())
    return f"{ended}: {counts}." if counts else f"{ended}."


def plain(value: Any) -> str:
    """Return a code such as `potential_candidate` as words."""
    text = value.value if isinstance(value, enum.Enum) else str(value)
    return text.replace("_", " ").replace("-", " ")


def clock(at: datetime) -> str:
    """Return an instant to the minute, in UTC, which is said."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def instant(at: datetime) -> str:
    """Return an instant for machines."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def size(n_bytes: int) -> str:
    """Return a size in B, kB, MB or GB."""
    amount, units = float(n_bytes), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def listed(value: Any) -> str:
    """Return nested plain values in one line."""
    if isinstance(value, Mapping):
        return "; ".join(
            f"{plain(key)}: {listed(item)}" for key, item in value.items() if item is not None
        )
    if isinstance(value, list | tuple):
        return ", ".join(listed(item) for item in value) or "none"
    if value is None or value == "":
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


FILTERS = {
    "happening": happening,
    "work": work,
    "words": state_words,
    "plain": plain,
    "clock": clock,
    "instant": instant,
    "bytes": size,
    "listed": listed,
    "rules": intake_words.rules,
    "quality": intake_words.quality,
    "why": intake_words.why,
}
