"""`/metrics` for Prometheus: requests, refusals, jobs and the length of the audit."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from db.models import Job
from db.queries.audit import find_head
from db.session import session_scope
from forensic.errors import NotSignedIn
from forensic.web import records

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class RecordsCollector(Collector):
    """Counts in the database, read at each scrape."""

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not touch the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield jobs by state and the audit's last sequence number."""
        jobs = GaugeMetricFamily(
            "forensic_jobs", "Jobs by kind and state.", labels=["kind", "state"]
        )
        events = GaugeMetricFamily("forensic_audit_events", "Events in the audit.")
        with session_scope(records.service().engine, read_only=True) as session:
            counted = select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
            for kind, state, count in session.execute(counted):
                jobs.add_metric([kind, state.value], count)
            head = find_head(session)
            events.add_metric([], head.sequence if head else 0)
        yield jobs
        yield events


def register(app: Flask) -> None:
    """Count and time every request, and serve the figures."""
    registry = CollectorRegistry()
    registry.register(RecordsCollector())
    seconds = Histogram(
        "forensic_request_seconds",
        "Time to answer a request.",
        ["method", "endpoint", "status"],
        registry=registry,
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    )
    refused = Counter(
        "forensic_refusals", "Requests refused, by code.", ["code"], registry=registry
    )
    blueprint = Blueprint("metrics", __name__)

    @app.after_request
    def count(response: Response) -> Response:
        took_s = time.perf_counter() - g.get("began_s", time.perf_counter())
        endpoint, status = request.endpoint or "none", str(response.status_code)
        seconds.labels(request.method, endpoint, status).observe(took_s)
        if "problem_code" in g:
            refused.labels(g.problem_code).inc()
        return response

    @blueprint.get("/metrics")
    def metrics() -> Response:
        """Return the figures; 401 without the key, where one is set, or from elsewhere."""
        _check_reader()
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(blueprint)


def _check_reader() -> None:
    key = records.settings().metrics_key
    if key is None:
        if request.remote_addr not in _LOOPBACK:
            raise NotSignedIn("Figures are for this machine only; set FORENSIC_METRICS_KEY.")
        return
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(given.encode(), key.get_secret_value().encode()):
        raise NotSignedIn("The bearer key of /metrics is wrong.")
