"""A benchmark report whose every figure can be worked out by hand."""

from __future__ import annotations

import numpy as np

from forensic.reports.record import BenchmarkReport, EmbedderRecord, FailureRecord
from forensic.values import LEAD_ONLY
from pipelines.benchmark.scoring import compare_methods, score_method

N, GALLERY = 40, 60


def example_report(
    *, first: int = 10, second: int = 30, kind: str = "viewed", failed: str = "p07.png"
) -> BenchmarkReport:
    """Return a report of methods `none` and `csi-line` with so many successes at rank 1."""
    ranks = {
        "none": np.where(np.arange(N) < first, 1.0, 9.0),
        "csi-line": np.where(np.arange(N) < second, 1.0, 3.0),
    }
    for values in ranks.values():
        values[-1] = np.inf
    ids = [f"p{number:02d}" for number in range(N)]
    return BenchmarkReport(
        notice=LEAD_ONLY,
        benchmark="pairs",
        format=1,
        sketch_kind=kind,  # type: ignore[arg-type]
        probes=N,
        gallery=GALLERY,
        gallery_enrolled=GALLERY,
        distractors=GALLERY - N,
        duplicates_left_out=[],
        landmarks={
            "sketch": {"fake": N - 1, "none": 1},
            "photo": {"fake": N},
            "distractor": {"fake": GALLERY - N},
        },
        embedder=EmbedderRecord(
            name="fake", dimension=64, template="arcface-112", weights_sha256="f" * 64
        ),
        methods={
            name: score_method(values, ids, gallery_size=GALLERY, weights_sha256={})
            for name, values in ranks.items()
        },
        comparisons=compare_methods(ranks),
        failures=[FailureRecord(role="sketch", name=failed, reason="No face was found.")],
        provenance={
            "forensic": "0",
            "commit": None,
            "python": "3.11",
            "machine": "test",
            "device": "cpu",
            "libraries": {"numpy": "2"},
            "command": ["forensic", "benchmark", "pairs"],
            "data_sha256": {"sketches": "0" * 64, "photos": "1" * 64},
            "batch_size": 16,
            "ties": "pessimistic",
            "times": {"started_at": "2026-01-01T00:00:00+00:00", "seconds": 1.0},
        },
    )
