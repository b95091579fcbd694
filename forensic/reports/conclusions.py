"""What follows from a benchmark's figures and what does not, in plain sentences."""

from __future__ import annotations

from forensic.reports.record import BenchmarkReport, ComparisonRecord
from forensic.reports.tables import count, interval, p_value, percent, points

ALPHA = 0.05
NONE = "‘none’ embeds the sketch itself."
MOST_SHOWN = 3  # comparisons in words, where none is primary
KINDS = {
    "viewed": "drawn by an artist who looked at a photo",
    "forensic": "drawn from a witness's account",
    "composite": "put together from a kit of parts",
    "freehand": "drawn freehand by a layperson",
    "unknown": "of a kind that was not stated",
    "simulated": "computed from photos by a program",
}


def best_method(report: BenchmarkReport) -> str:
    """Return the method with most successes at rank 1, the first named among equals."""
    return max(report.methods, key=lambda name: report.methods[name].rank1.successes)


def probes_text(report: BenchmarkReport) -> str:
    """Return what the probes are."""
    return f"{count(report.probes)} sketches, one for each {wanted(report)}"


def gallery_text(report: BenchmarkReport) -> str:
    """Return what the gallery holds."""
    others = report.gallery - report.probes
    mates = {
        "pairs": "of the people sketched, one each",
        "lfw-same-photo": "are the very photos from which the sketches were computed",
        "lfw-cross-photo": "of the people sketched, each another photo than the one sketched",
    }[report.benchmark]
    rest = f"{count(others)} others" if others else "nothing else"
    searched = "Every search is for somebody who is enrolled."
    if report.open_set:
        searched = (
            f"{count(report.open_set.nonmated)} more sketches are of people who are not in it."
        )
    return f"{count(report.gallery)} photos: {count(report.probes)} {mates}, and {rest}. {searched}"


def wanted(report: BenchmarkReport) -> str:
    """Return what every search is for: a person, or the very photo that was sketched."""
    return "photo" if report.benchmark == "lfw-same-photo" else "person"


def methods_text(report: BenchmarkReport) -> str:
    """Return the names of the methods, with what `none` means."""
    note = f". {NONE}" if "none" in report.methods else ""
    return ", ".join(report.methods) + note


def summary_text(report: BenchmarkReport) -> str:
    """Return the headline rates as plain text for a terminal."""
    wide = max(16, *(len(name) + 1 for name in report.methods))
    lines = [
        f"{count(report.probes)} sketches ({report.sketch_kind}), gallery of "
        f"{count(report.gallery)} photos, embedder {report.embedder.name}",
        f"{'method':{wide}}{'CMS(1)':>9}  {'95 % interval':16}{'CMS(10)':>9}{'p vs chance':>13}"
        f"{'failed':>8}",
    ]
    for name, method in report.methods.items():
        lines.append(
            f"{name:{wide}}{percent(method.cms['1']):>9}  {interval(method.rank1.ci95):16}"
            f"{percent(method.cms['10']):>9}{p_value(method.rank1.p_vs_chance):>13}"
            f"{method.failures_to_enrol:>8}"
        )
    return "\n".join([*lines, report.notice])


def may_be_concluded(report: BenchmarkReport) -> list[str]:
    """Return what these figures support, one sentence each, few enough for the first page."""
    best = best_method(report)
    shown = [c for c in report.comparisons if c.is_primary] or report.comparisons[:MOST_SHOWN]
    sentences = [_rate_sentence(report, best), *_chance_sentences(report, best)]
    sentences += [_comparison_sentence(c) for c in shown]
    if len(shown) < (total := len(report.comparisons)):
        sentences.append(
            f"All {total} comparisons, over which Holm's correction runs, are under ‘Methods "
            "compared’."
        )
    sentences += [*_published_sentences(report), *_open_set_sentences(report)]
    gap = report.comparisons[0].smallest_gap if report.comparisons else None
    if gap:
        sentences.append(
            f"Two methods that differ on fewer than {gap} of these {count(report.probes)} probes "
            f"({_share(gap / report.probes)}) could not have been told apart here."
        )
    return sentences


def _chance_sentences(report: BenchmarkReport, best: str) -> list[str]:
    """Return how the other methods stand against chance."""
    others = {name: m.rank1.p_vs_chance for name, m in report.methods.items() if name != best}
    better = [name for name, p in others.items() if p < ALPHA]
    worse = [name for name in others if name not in better]
    sentences = []
    if better:
        who = "all other methods" if len(better) == len(others) > 2 else _listed(better)
        sentences.append(
            f"Better than chance too: {who} (each p "
            f"{_at_most(max(others[name] for name in better))})."
        )
    if worse:
        sentences.append(f"Not shown to be better than chance: {_listed(worse)}.")
    return sentences


def _published_sentences(report: BenchmarkReport) -> list[str]:
    """Return on which side of a paper's rates ours lie."""
    sides: dict[str, list[str]] = {"higher": [], "lower": [], "not to be told from it": []}
    for name, method in report.methods.items():
        if paper := method.published:
            side = "higher" if method.cms["1"] > paper.cms1 else "lower"
            sides[side if paper.p_differs < ALPHA else "not to be told from it"].append(name)
    published = sum(map(len, sides.values()))
    found = "; ".join(
        f"{side}: {'all' if len(names) == published > 1 else _listed(names)}"
        for side, names in sides.items()
        if names
    )
    return [f"Rank 1 against the paper's, taken as fixed: {found}."] if found else []


def _open_set_sentences(report: BenchmarkReport) -> list[str]:
    if not report.open_set:
        return []
    name = best_method(report)
    return [
        f"‘{name}’, with at most {percent(point.fpir_wanted)} of searches for people who are not "
        f"in the gallery giving a candidate, missed {percent(point.fnir)} of those who are (95 % "
        f"interval {interval(point.fnir_ci95)})."
        for point in report.open_set.methods[name].points
        if point.resolved
    ]


def may_not_be_concluded(report: BenchmarkReport) -> list[str]:
    """Return what a reader might take from these figures and must not."""
    groups = (
        "" if report.cohorts else " Nothing here says how rates differ between groups of people."
    )
    sentences = [
        "That a candidate is the person sought. The rates describe this set of pairs, not a case; "
        "match scores are for people who were in the gallery, which an investigation cannot know.",
        f"Rates for a larger gallery than these {count(report.gallery)} photos: they fall as "
        "photos are added.",
        f"Rates for people, cameras or artists unlike those of this set.{groups}",
    ]
    if report.likelihood:
        sentences.append(
            "A likelihood ratio for the first of a list. "
            f"{report.likelihood.warning} It is for a pair that was chosen without a search."
        )
    if report.open_set:
        sentences.append(
            "A false alarm rate for a larger gallery at the same threshold: it rises as photos "
            "are added."
        )
    if report.sketch_kind == "viewed":
        sentences.append(
            "Rates for sketches from a witness's memory. These were drawn by artists who looked at "
            "a photo, perhaps the very one in the gallery; that is far easier."
        )
    if report.sketch_kind == "simulated":
        sentences.append(
            "Rates for drawn sketches. These were computed from photos, pixel for pixel in place."
        )
    if report.benchmark == "lfw-same-photo":
        sentences.append(
            "That people were recognised. The mate is the very photo that was sketched, so this is "
            "the retrieval of an image; another photo of the person counts as wrong."
        )
    if report.sketch_kind == "unknown":
        sentences.append(
            "Rates for any kind of sketch: it was not stated (--kind) how these came about."
        )
    if report.distractors and _sources_differ(report):
        sentences.append(
            "Rates for an evenly made gallery: the faces of mates and of distractors were found in "
            "different ways, which may help or hurt the mates."
        )
    return sentences


def _rate_sentence(report: BenchmarkReport, name: str) -> str:
    method = report.methods[name]
    first = method.rank1
    verdict = (
        f"better than chance (p {_equals(first.p_vs_chance)})"
        if first.p_vs_chance < ALPHA
        else f"not shown to be better than chance (p {_equals(first.p_vs_chance)})"
    )
    return (
        f"‘{name}’: the right {wanted(report)} came first for {count(first.successes)} of "
        f"{count(first.trials)} sketches, {percent(method.cms['1'])} (95 % interval "
        f"{interval(first.ci95)}); {verdict}."
    )


def _comparison_sentence(comparison: ComparisonRecord) -> str:
    a, b = f"‘{comparison.a}’", f"‘{comparison.b}’"
    only_a, only_b = count(comparison.only_a), count(comparison.only_b)
    counts = f"{only_a} probes only by {a}, {only_b} only by {b}"
    if comparison.holm_p >= ALPHA:
        return (
            f"{a} and {b} cannot be told apart at rank 1 ({counts}; "
            f"p {_equals(comparison.holm_p)} after Holm's correction)."
        )
    better, worse = (a, b) if comparison.only_a > comparison.only_b else (b, a)
    return (
        f"{better} finds more than {worse} at rank 1 ({counts}; "
        f"p {_equals(comparison.holm_p)} after Holm's correction)."
    )


def _equals(p: float) -> str:
    text = p_value(p)
    return f"< {text[1:]}" if text.startswith("<") else f"= {text}"


def _at_most(p: float) -> str:
    text = p_value(p)
    return f"< {text[1:]}" if text.startswith("<") else f"≤ {text}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"‘{name}’" for name in names)


def _share(rate: float) -> str:
    return "under 0.1 pp" if rate < 0.0005 else points(rate).lstrip("+")


def _sources_differ(report: BenchmarkReport) -> bool:
    mates, others = (
        {source for source in report.landmarks[role] if source != "none"}
        for role in ("photo", "distractor")
    )
    return mates != others
