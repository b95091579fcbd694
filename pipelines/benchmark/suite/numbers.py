"""How the pages write numbers, and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forensic.reports.tables import interval, percent

SMALLEST_P = 1e-99


def markdown(heads: Sequence[str], aligned: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown.

    Args:
        heads: Headings of the columns.
        aligned: For each column `l` or `r`.
        rows: Cells.
    """
    marks = "|".join({"l": "---", "r": "--:"}[side] for side in aligned)
    lines = [f"| {' | '.join(heads)} |", f"|{marks}|"]
    return "\n".join([*lines, *(f"| {' | '.join(cells)} |" for cells in rows)])


def rate(value: float, ends: tuple[float, float]) -> str:
    """Return a rate with its interval.

    Example:
        >>> rate(0.56, (0.45718, 0.65916))
        '56.0 % (45.7–65.9)'
    """
    return f"{percent(value)} ({interval(ends).removesuffix(' %')})"


def bare(value: float) -> str:
    """Return a rate in percent without its sign.

    Example:
        >>> bare(0.56)
        '56.0'
    """
    return percent(value).removesuffix(" %")


def short_p(p: float) -> str:
    """Return a p-value with two digits, whatever its size.

    Example:
        >>> short_p(0.0033), short_p(6.1e-95), short_p(0.0), short_p(1.0), short_p(0.2)
        ('0.0033', '6.1e-95', '<1e-99', '1', '0.20')
    """
    if p < SMALLEST_P:
        return "<1e-99"
    if p >= 0.9995:
        return "1"
    return f"{p:.2f}" if p >= 0.1 else f"{p:.2g}"


def share(value: float, digits: int) -> str:
    """Return a number below 1 without the zero before its point.

    Example:
        >>> share(0.84119, 4), share(-0.05, 2), share(1.0, 3)
        ('.8412', '-.05', '1.000')
    """
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text
