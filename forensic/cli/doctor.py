"""`forensic doctor`: what this installation has, what it lacks, and the remedy."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import click

import forensic
from forensic.errors import ForensicError
from forensic.runtime import LIBRARIES
from forensic.weights.catalogue import load_catalogue
from forensic.weights.store import choose_weights_folder, find_weights


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    subject: str
    text: str
    state: str
    """`ok`, `note` (something optional is absent) or `bad` (the system cannot work)."""


@click.command()
def doctor() -> None:
    """Print Python, device, libraries and weights, and what is missing with its remedy.

    Exits with 0 if the system can be used, with 1 if something essential is missing.
    """
    findings = examine()
    width = max(len(finding.subject) for finding in findings) + 2
    for finding in findings:
        mark = {"ok": " ", "note": "-", "bad": "!"}[finding.state]
        click.echo(f"{mark} {finding.subject:{width}}{finding.text}")
    if any(f.state == "bad" for f in findings):
        click.echo("Not usable: see the lines marked with !")
        sys.exit(1)
    click.echo("Usable. Lines marked with - are optional.")


def examine() -> list[Finding]:
    """Return what is found on this machine."""
    checks: list[Callable[[], list[Finding]]] = [_python, _libraries, _devices, _weights]
    return [finding for check in checks for finding in check()]


def _python() -> list[Finding]:
    version = platform.python_version()
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    remedy = "" if fits else ": use Python 3.11 or 3.12"
    return [
        Finding("forensic", forensic.__version__, "ok"),
        Finding("python", f"{version} on {platform.system()}{remedy}", "ok" if fits else "bad"),
    ]


def _libraries() -> list[Finding]:
    versions: dict[str, str | None] = {}
    for library in LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = None
    faiss = versions.pop("faiss-gpu") or versions.pop("faiss-cpu", None)
    versions.pop("faiss-cpu", None)
    return [
        Finding(name, version or "missing: install the package again", "ok" if version else "bad")
        for name, version in {**versions, "faiss": faiss}.items()
    ]


def _devices() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        return [Finding("torch", f"cannot be imported: {error}", "bad")]
    found = [Finding("cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads", "ok")]
    if not torch.cuda.is_available():
        return [*found, Finding("cuda", "none seen by torch; everything runs on the CPU", "note")]
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return [*found, Finding("cuda", ", ".join(names), "ok")]


def _weights() -> list[Finding]:
    """Bundled weights are essential, fetched ones optional unless damaged."""
    folder = choose_weights_folder(os.environ)
    findings = []
    for name, entry in load_catalogue().items():
        try:
            path = find_weights(name, folder=folder)
            findings.append(Finding(f"weights {name}", f"intact, {path.parent}", "ok"))
        except ForensicError as error:
            state = "bad" if entry.is_bundled else "note"
            findings.append(Finding(f"weights {name}", str(error), state))
    return findings
