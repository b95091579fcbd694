"""The table of what the worker can do."""

from __future__ import annotations

from forensic.cases.jobs import JobKind
from forensic.jobs.handlers.benchmark import run_benchmark
from forensic.jobs.handlers.expunge import delete_case_files
from forensic.jobs.handlers.galleries import import_photos, publish_gallery
from forensic.jobs.handlers.landmarks import find_landmarks
from forensic.jobs.handlers.renditions import make_renditions
from forensic.jobs.handlers.report import write_reports
from forensic.jobs.handlers.search import run_search
from forensic.jobs.tasks import Handler
from forensic.registry import Registry

HANDLERS: Registry[Handler] = Registry(
    "kind of job",
    {
        JobKind.BENCHMARK: run_benchmark,
        JobKind.EXPUNGE: delete_case_files,
        JobKind.IMPORT: import_photos,
        JobKind.INDEX: publish_gallery,
        JobKind.LANDMARKS: find_landmarks,
        JobKind.RENDITIONS: make_renditions,
        JobKind.REPORT: write_reports,
        JobKind.SEARCH: run_search,
    },
)
"""Kind of job to the function that does it."""
