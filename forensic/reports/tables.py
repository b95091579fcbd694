"""How numbers are written, the same way in every table."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percent(rate: float | None) -> str:
    """Return a rate as a percentage with one decimal; never 100.0 or 0.0 for less or more.

    Example:
        >>> percent(0.5), percent(1), percent(0.99999), percent(0.00001), percent(None)
        ('50.0 %', '100.0 %', '>99.9 %', '<0.1 %', '–')
    """
    if rate is None:
        return "–"
    if 0 < rate < 0.0005:
        return "<0.1 %"
    if 0.9995 <= rate < 1:
        return ">99.9 %"
    return f"{100 * rate:.1f} %"


def interval(ends: Sequence[float] | None) -> str:
    """Return an interval of rates in percent.

    Example:
        >>> interval((0.9638, 1.0))
        '96.4–100.0 %'
    """
    if ends is None:
        return "–"
    return f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f} %"


def p_value(p: float | None) -> str:
    """Return a p-value with two digits, or a bound where more would be false precision.

    Example:
        >>> p_value(0.034), p_value(0.5), p_value(0.0004), p_value(3e-18), p_value(1.0)
        ('0.034', '0.50', '0.0004', '<0.0001', '1')
    """
    if p is None:
        return "–"
    if p < 1e-4:
        return "<0.0001"
    if p >= 0.9995:
        return "1"
    digits = max(2, 1 - math.floor(math.log10(p))) if p < 0.1 else 2
    return f"{p:.{min(digits, 4)}f}"


def count(number: int | None) -> str:
    """Return a count with thin spaces between thousands, as print does.

    Example:
        >>> count(13233).replace(chr(0x202F), "_"), count(None)
        ('13_233', '–')
    """
    return "–" if number is None else f"{number:,}".replace(",", "\u202f")


def points(difference: float) -> str:
    """Return a difference of two rates in percentage points, with its sign.

    Example:
        >>> points(-0.061), points(0.0)
        ('−6.1 pp', '0.0 pp')
    """
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    return f"{sign}{100 * abs(difference):.1f} pp"
