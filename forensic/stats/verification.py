"""Verification on labelled pairs: accuracy by folds, and acceptance at a false-acceptance rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_range, check_same_shape
from forensic.errors import RangeError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FoldAccuracy:
    """Accuracy of pairs decided by a threshold that was chosen on the other folds.

    Attributes:
        accuracies: (folds,) share of right decisions in each fold.
        thresholds: (folds,) the threshold used there.
        correct: Right decisions over all folds.
        pairs: Decisions over all folds.
    """

    accuracies: Floats
    thresholds: Floats
    correct: int
    pairs: int

    @property
    def mean(self) -> float:
        """Mean accuracy over folds."""
        return float(self.accuracies.mean())

    @property
    def standard_deviation(self) -> float:
        """Standard deviation over folds, as papers print it.

        It is no error of the mean: the training parts of the folds overlap.
        """
        return float(self.accuracies.std(ddof=1)) if len(self.accuracies) > 1 else 0.0


def best_threshold(similarities: Floats, is_same: NDArray[np.bool_]) -> float:
    """Return the threshold with most right decisions; `similarity >= threshold` says same.

    Of several, the lowest: half way between two similarities, or at an end beyond all.

    Raises:
        ShapeError: The two differ in length.
        RangeError: There is no pair.
    """
    check_same_shape(similarities, is_same, names="similarities and labels")
    if not len(similarities):
        raise RangeError("A threshold needs at least one pair.")
    order = np.argsort(similarities, kind="stable")
    values, labels = similarities[order], is_same[order]
    # Cutting before position i calls the i lowest different and the rest same.
    right = np.concatenate([[0], np.cumsum(~labels)]) + np.concatenate(
        [np.cumsum(labels[::-1])[::-1], [0]]
    )
    possible = np.concatenate([[True], values[1:] > values[:-1], [True]])
    cut = int(np.argmax(np.where(possible, right, -1)))
    if cut == 0:
        return -np.inf
    if cut == len(values):
        return np.inf
    return float((values[cut - 1] + values[cut]) / 2)


def fold_accuracy(
    similarities: Floats, is_same: NDArray[np.bool_], folds: NDArray[np.intp]
) -> FoldAccuracy:
    """Decide the pairs of each fold by the best threshold of all other folds.

    Args:
        similarities: (n,) one per pair. NaN is a pair that could not be compared: it takes no
            part in choosing thresholds and counts as a wrong decision.
        is_same: (n,) whether the pair shows one person.
        folds: (n,) fold of each pair.

    Raises:
        ShapeError: The arrays differ in length.
        RangeError: Fewer than two folds.

    Source:
        Huang, Ramesh, Berg and Learned-Miller, Labeled Faces in the Wild (2007), view 2.
    """
    check_same_shape(similarities, is_same, names="similarities and labels")
    check_same_shape(similarities, folds, names="similarities and folds")
    names = np.unique(folds)
    if len(names) < 2:
        raise RangeError("Accuracy by folds needs at least two folds.")
    usable = np.isfinite(similarities)
    accuracies, thresholds, correct = [], [], 0
    for name in names:
        inside = folds == name
        others = ~inside & usable
        threshold = best_threshold(similarities[others], is_same[others])
        right = ((similarities >= threshold) == is_same) & usable
        accuracies.append(right[inside].mean())
        thresholds.append(threshold)
        correct += int(right[inside].sum())
    return FoldAccuracy(np.array(accuracies), np.array(thresholds), correct, len(folds))


def acceptance_at(similarities: Floats, is_same: NDArray[np.bool_], false_rate: float) -> float:
    """Return the share of same-person pairs accepted where false acceptances stay in a rate.

    Args:
        similarities: (n,) one per pair; NaN is never accepted.
        is_same: (n,) whether the pair shows one person.
        false_rate: Largest share of different-person pairs accepted. With m such pairs, rates
            below 1/m cannot be resolved and mean none accepted.

    Raises:
        ShapeError: The two differ in length.
        RangeError: One kind of pair is missing, or the rate lies outside 0 to 1.
    """
    check_same_shape(similarities, is_same, names="similarities and labels")
    check_range(false_rate, 0, 1, name="false_rate")
    own = np.where(np.isnan(similarities), -np.inf, similarities)
    mated, nonmated = own[is_same], np.sort(own[~is_same])[::-1]
    if not len(mated) or not len(nonmated):
        raise RangeError("Both kinds of pairs are needed.")
    allowed = int(np.floor(false_rate * len(nonmated) + 1e-9))
    limit = nonmated[allowed] if allowed < len(nonmated) else -np.inf
    return float((mated > limit).mean())
