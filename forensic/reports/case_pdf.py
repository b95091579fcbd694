"""The case report as a PDF, with the notice at the head of every page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer, Table, TableStyle

from forensic.errors import ImageError
from forensic.images.io import decode_image
from forensic.reports.case_record import (
    CandidateFacts,
    CaseReport,
    Pictures,
    ProbeFacts,
    SearchFacts,
)
from forensic.reports.pdf import (
    facts_table,
    figures_table,
    small_picture,
    text_block,
    write_document,
)
from forensic.reports.tables import moment

GAP = 3 * mm


def render_case_pdf(report: CaseReport, pictures: Pictures) -> bytes:
    """Return the PDF.

    Args:
        report: What it says.
        pictures: Sketches, labelled renditions and photos by SHA-256.

    Raises:
        OSError: There is no room for temporary files.
    """
    story: list[Flowable] = [*_head(report)]
    for probe in report.probes:
        story += _probe(report, probe, pictures)
    for search in report.searches:
        story += _search(search, pictures)
    if not report.searches:
        story.append(text_block("No search was made.", "body"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.pdf"
        write_document(story, path, title=f"Case {report.case.number}", notice=report.notice)
        return path.read_bytes()


def _head(report: CaseReport) -> Iterator[Flowable]:
    case = report.case
    yield text_block(f"Report on case {case.number}", "title")
    facts = [
        ("Offence", case.offence),
        ("Legal basis", case.legal_basis),
        ("Purpose", case.purpose),
        ("Opened", f"{moment(case.opened_at)} by {case.opened_by}; {case.status}"),
        ("People", ", ".join(case.people)),
        ("Written", f"{moment(report.written_at)} by {report.written_by}"),
        ("Software", f"forensic {report.software_version}"),
        ("Audit up to", report.audit_anchor),
    ]
    if case.legal_hold:
        facts.append(("Legal hold", case.legal_hold))
    yield facts_table(facts)


def _probe(report: CaseReport, probe: ProbeFacts, pictures: Pictures) -> Iterator[Flowable]:
    made = [r for r in report.renditions if r.probe == probe.label]
    withdrawn = f" (withdrawn {moment(probe.withdrawn_at)})" if probe.withdrawn_at else ""
    yield CondPageBreak(90 * mm)
    yield text_block(probe.label + withdrawn, "heading")
    shown = [(probe.sha256, "Sketch, as sealed")]
    shown += [
        (r.output_sha256, f"{r.label}: machine-made by {r.generator}; shows no one") for r in made
    ]
    for start in range(0, len(shown), 4):
        yield _strip(shown[start : start + 4], pictures)
    yield facts_table(
        [
            ("Kind", probe.kind),
            ("Person", probe.person),
            ("SHA-256 of the file", probe.sha256),
            ("Source", probe.source),
            ("Artist", probe.artist or "not told"),
            ("Interview", str(probe.interviewed_on or "not told")),
            ("Note", probe.note or "none"),
            ("Sealed", f"{moment(probe.sealed_at)} by {probe.sealed_by}"),
            ("Landmarks", "; ".join(probe.landmarks) or "none"),
            *[
                (
                    r.label,
                    f"Machine-made, an enhancement and no evidence. {r.generator}, weights "
                    f"{r.weights_sha256}, seed {r.seed}, landmarks {r.landmarks}, output "
                    f"{r.output_sha256}, {r.device}, forensic {r.software_version}",
                )
                for r in made
            ],
        ]
    )


def _strip(shown: list[tuple[str, str]], pictures: Pictures) -> Table:
    row = [
        [*_picture(sha256, pictures), Spacer(0, 1 * mm), text_block(text, "caption")]
        for sha256, text in shown
    ]
    table = Table([row], colWidths=[43 * mm] * len(row), hAlign="LEFT")
    table.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    )
    return table


def _picture(sha256: str, pictures: Pictures) -> list[Flowable]:
    try:
        return [small_picture(decode_image(pictures[sha256]))]
    except (KeyError, ImageError):
        return [text_block("no longer kept", "soft")]


def _search(search: SearchFacts, pictures: Pictures) -> Iterator[Flowable]:
    yield CondPageBreak(90 * mm)
    yield text_block(f"{search.label}: {search.gallery}", "heading")
    yield text_block(search.result, "strong")
    yield Spacer(0, GAP)
    yield facts_table(_search_facts(search))
    yield Spacer(0, GAP)
    if search.candidates:
        yield text_block(
            f"All {len(search.candidates)} candidates. Similarity is the cosine of two vectors; it "
            "is no probability. Behind it stands what each part of the fusion best adds, where it "
            "was used, in log10 odds of a pair that was not searched for.",
            "soft",
        )
        head = ["Rank", "Photo", "Person", "Similarity", "Decisions"]
        yield figures_table(
            [head, *(_candidate(c, pictures) for c in search.candidates)],
            widths=[w * mm for w in (12, 36, 34, 18, 74)],
            left=5,
        )


def _search_facts(search: SearchFacts) -> list[tuple[str, str]]:
    extent = search.extent
    searched = (
        f"{extent.get('photos')} photos of {extent.get('subjects')} persons, of "
        f"{search.gallery_size} photos in the gallery; index generation "
        f"{extent.get('generation')} ({search.generation_id})"
        if search.gallery_size is not None
        else f"nothing: {search.state}"
    )
    exact = "exact" if search.is_exact else f"approximate, recall {search.measured_recall}"
    measured = [
        f"{a.data}: rank 1 {a.rate}, {a.probes} {a.kind} sketches in a gallery of "
        f"{a.gallery_size}. {a.remark} ({a.command})"
        for a in search.accuracy
    ]
    asked = f"{moment(search.requested_at)} by {search.requested_by}: {search.purpose}"
    at_least = "" if search.threshold is None else f", similarity at least {search.threshold}"
    hashes = "; ".join(f"{role} {sha256}" for role, sha256 in search.model_hashes.items())
    return [
        ("Asked for", asked),
        ("Compared", ", ".join(search.inputs)),
        ("Fusion", search.fusion),
        ("List", f"{search.list_length} persons at most{at_least}"),
        ("Filter", str(search.parameters.get("filters") or "none")),
        ("Searched", searched),
        ("Search", exact if search.is_exact is not None else search.state),
        ("Device", f"{search.device or 'none'}; forensic {search.software_version or ''}"),
        ("Weights", hashes or "none"),
        ("Measured accuracy", " ".join([search.accuracy_note, *measured])),
    ]


def _similarity(c: CandidateFacts) -> object:
    """Return the similarity, and behind it what each part of a fusion adds, in log10 odds."""
    added = [f"{part} {odds:+.2f}" for part, odds in c.contributions.items()]
    return text_block("\n".join([f"{c.similarity:.3f}", *added]), "cell")


def _candidate(c: CandidateFacts, pictures: Pictures) -> list[object]:
    verdict = (c.verdict or "no conclusion").replace("_", " ")
    told = [text_block(f"{verdict} ({c.standing})", "strong")]
    for review in c.reviews:
        old = " (superseded)" if review.is_superseded else ""
        features = ", ".join(f"{f}: {a}".replace("_", " ") for f, a in review.features.items())
        words = f"{review.examiner}, {moment(review.decided_at)}: {review.verdict}{old}"
        extra = "; ".join(part for part in (review.note, features) if part)
        told.append(text_block(f"{words.replace('_', ' ')}. {extra}", "caption"))
    if c.adjudication:
        told.append(text_block(f"Adjudicated: {c.adjudication}", "caption"))
    return [
        c.rank,
        _picture(c.photo_sha256, pictures),
        text_block(f"{c.subject}\n{c.photo_sha256[:12]}…", "cell"),
        _similarity(c),
        told,
    ]
