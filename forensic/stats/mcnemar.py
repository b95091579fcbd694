"""Paired comparison of two systems on the same probes: McNemar's exact test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from forensic.check import check_range, check_same_shape
from forensic.errors import RangeError
from forensic.stats.binomial import Interval, check_counts, clopper_pearson


@dataclass(frozen=True)
class PairedComparison:
    """What two systems did on the same probes.

    Attributes:
        both: Probes that both got right.
        only_first: Probes that only the first got right (b).
        only_second: Probes that only the second got right (c).
        neither: Probes that both missed.
        p_value: Two-sided exact p-value; 1 when no probe tells the two apart.
        mid_p: Mid-p variant, less conservative.
        first_share_ci95: Clopper-Pearson interval of b / (b + c); 0.5 is no difference.
        smallest_gap: Least |b - c| that the test could have shown at 5 % with this many
            probes, if every probe that differed had differed the same way; None when there
            are too few probes to show anything.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float
    mid_p: float
    first_share_ci95: Interval
    smallest_gap: int | None

    @property
    def trials(self) -> int:
        """Number of probes."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def rate_difference(self) -> float:
        """First rate minus second rate, in [-1, 1]; 0 without probes."""
        return (self.only_first - self.only_second) / self.trials if self.trials else 0.0

    @property
    def cohens_g(self) -> float:
        """Effect size b / (b + c) - 0.5 in [-0.5, 0.5]; 0 when no probe tells them apart."""
        discordant = self.only_first + self.only_second
        return self.only_first / discordant - 0.5 if discordant else 0.0


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the two-sided exact p-value: 2 P(X <= min(b, c)) with X ~ Bin(b + c, 1/2), at most 1.

    Raises:
        RangeError: A negative count.

    Source:
        McNemar, Psychometrika 12 (1947) 153-157; exact form as in Fagerland, Lydersen and
        Laake, BMC Medical Research Methodology 13:91 (2013).
    """
    discordant = only_first + only_second
    fewer = min(only_first, only_second)
    check_counts(fewer, discordant)
    return min(1.0, 2 * float(stats.binom.cdf(fewer, discordant, 0.5)))


def smallest_provable_gap(trials: int, *, alpha: float = 0.05) -> int | None:
    """Return the fewest one-sided discordant probes that make the exact test significant.

    With no probe differing the other way p = 2 / 2^b, so b >= 6 at 5 %: of 100 probes, 94
    against 100 is the smallest difference that can be shown.

    Returns:
        The count, or None when it exceeds the number of probes.

    Raises:
        RangeError: `alpha` outside 0 to 1.
    """
    check_range(alpha, 1e-300, 1, name="alpha")
    gap = max(1, math.floor(1 - math.log2(alpha)))
    while mcnemar_p(gap, 0) >= alpha:
        gap += 1
    return gap if gap <= trials else None


def compare_paired(first: NDArray[Any], second: NDArray[Any]) -> PairedComparison:
    """Compare two systems by their (n,) boolean successes on the same n probes, in one order.

    Raises:
        ShapeError: Different numbers of probes.
        RangeError: The arrays are not boolean.
    """
    check_same_shape(first, second, names="the successes of the two systems")
    if first.dtype != np.bool_ or second.dtype != np.bool_:
        raise RangeError("Successes must be boolean: True where the mate was found.")
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    both, trials = int((first & second).sum()), len(first)
    p_value = mcnemar_p(b, c)
    point = float(stats.binom.pmf(min(b, c), b + c, 0.5))
    return PairedComparison(
        both=both,
        only_first=b,
        only_second=c,
        neither=trials - both - b - c,
        p_value=p_value,
        # The plain p caps at 1, so the mid-p of b = c must be taken from the uncapped sum.
        mid_p=min(1.0, 2 * float(stats.binom.cdf(min(b, c), b + c, 0.5)) - point),
        first_share_ci95=clopper_pearson(b, b + c),
        smallest_gap=smallest_provable_gap(trials),
    )
