"""Rank of the mate in each search, cumulative match scores, and similarity rows by blocks.

A rank list is a (n,) float64 array with one entry per mated probe: 1 is best, and `inf` is a
search that could not succeed because probe or mate was never enrolled. Such failures stay in
the denominator, so that a system cannot look better by refusing hard faces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import RangeError

Ties = Literal["pessimistic", "expected"]
REPORTED_RANKS = (1, 5, 10, 50)
COLUMNS = 16_384  # gallery rows widened to float64 at a time


def similarity_blocks(
    probes: NDArray[np.float32], gallery: NDArray[np.float32], *, rows: int = 256
) -> Iterator[NDArray[np.float32]]:
    """Yield the (n, N) matrix of inner products as blocks of at most `rows` rows, in order.

    Products are summed in float64 and rounded once, so that ranks depend neither on the size of
    a block nor on the number of threads.

    Args:
        probes: (n, D) unit vectors.
        gallery: (N, D) unit vectors.
        rows: Height of a block; memory is rows times N times 4 bytes.

    Raises:
        ShapeError: The vectors are not two-dimensional or differ in length.
        RangeError: `rows` is below 1.
    """
    check_shape(probes, (None, None), name="probes")
    check_shape(gallery, (None, probes.shape[1]), name="gallery")
    if rows < 1:
        raise RangeError(f"rows is {rows}, expected at least 1.")
    for start in range(0, len(probes), rows):
        wide = probes[start : start + rows].astype(np.float64)
        block = np.empty((len(wide), len(gallery)), dtype=np.float32)
        for left in range(0, len(gallery), COLUMNS):
            part = gallery[left : left + COLUMNS].astype(np.float64)
            block[:, left : left + COLUMNS] = wide @ part.T
        yield block


def mate_ranks(
    similarities: NDArray[Any],
    mates: NDArray[np.intp],
    *,
    ties: Ties = "pessimistic",
    tolerance: float = 0.0,
) -> NDArray[np.float64]:
    """Return the rank of each probe's mate among all gallery entries.

    Rank is 1 plus the number of other entries that are more similar than the mate, plus all
    (pessimistic) or half (expected) of those as similar. An entry of minus infinity was not
    enrolled: as a mate it is a miss, as an impostor it never wins.

    Args:
        similarities: (n, N), higher is nearer.
        mates: (n,) column of each probe's mate, or -1 where it has none enrolled.
        ties: What an equal similarity costs.
        tolerance: Similarities this close count as equal. The same photo twice in a gallery
            may differ in the last bit of a float32 product; 1e-6 makes that a tie.

    Returns:
        (n,) float64 of ranks from 1 to N, `inf` for a miss.

    Raises:
        ShapeError: The shapes do not fit together.
        RangeError: A similarity is NaN, a column does not exist, or `ties` is unknown.

    Source:
        Grother and Ngan, Face Recognition Vendor Test, NISTIR 8009 (2014), section on
        cumulative match characteristics; ties are counted against the system here.
    """
    check_shape(similarities, (len(mates), None), name="similarities")
    if np.isnan(similarities).any():
        raise RangeError("Similarities hold NaN, which has no rank: an embedding is broken.")
    if len(mates) and not (mates.min() >= -1 and mates.max() < similarities.shape[1]):
        raise RangeError(f"A mate's column lies outside -1..{similarities.shape[1] - 1}.")
    if ties not in ("pessimistic", "expected"):
        raise RangeError(f"ties is {ties!r}, expected 'pessimistic' or 'expected'.")
    if 0 in similarities.shape:
        return np.full(len(mates), np.inf)
    own = similarities[np.arange(len(mates)), mates][:, None]
    above = (similarities > own + tolerance).sum(axis=1)
    equal = (similarities >= own - tolerance).sum(axis=1) - above - 1  # the mate equals itself
    ranks = 1.0 + above + (equal if ties == "pessimistic" else equal / 2)
    ranks[(mates < 0) | np.isneginf(own[:, 0])] = np.inf
    return np.asarray(ranks, dtype=np.float64)


def ranks_by_blocks(
    blocks: Iterable[NDArray[Any]],
    mates: NDArray[np.intp],
    *,
    ties: Ties = "pessimistic",
    tolerance: float = 0.0,
) -> NDArray[np.float64]:
    """Return `mate_ranks` of a matrix that comes as consecutive blocks of rows.

    Raises:
        ShapeError: The blocks have more or fewer rows than there are mates.
        RangeError: As for `mate_ranks`.
    """
    ranks: list[NDArray[np.float64]] = []
    start = 0
    for block in blocks:
        own = mates[start : start + len(block)]
        ranks.append(mate_ranks(block, own, ties=ties, tolerance=tolerance))
        start += len(block)
    joined = np.concatenate(ranks) if ranks else np.empty(0)
    check_shape(joined, (len(mates),), name="ranks of all blocks")
    return joined


def best_per_subject(
    similarities: NDArray[np.float32], subjects: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Collapse the photos of each person to the most similar one.

    Args:
        similarities: (n, photos).
        subjects: (photos,) index of the person, 0 to S-1, each used at least once.

    Returns:
        (n, S) float32; ranking its columns ranks people instead of photos.

    Raises:
        ShapeError: The two do not fit together.
    """
    check_shape(subjects, (similarities.shape[1],), name="subjects")
    order = np.argsort(subjects, kind="stable")
    starts = np.flatnonzero(np.diff(subjects[order], prepend=-1))
    return np.maximum.reduceat(similarities[:, order], starts, axis=1)


def cumulative_match_score(ranks: NDArray[np.float64], rank: int) -> float:
    """Return CMS(rank): the share of probes whose mate is at that rank or better, 0 to 1.

    Raises:
        RangeError: There is no probe, or the rank is below 1.
    """
    if not len(ranks):
        raise RangeError("There are no probes, so there is no match score.")
    if rank < 1:
        raise RangeError(f"rank is {rank}, expected at least 1.")
    return float((ranks <= rank).mean())


def cumulative_match_curve(ranks: NDArray[np.float64], max_rank: int) -> NDArray[np.float64]:
    """Return CMS at 1, 2, ... `max_rank` as a (max_rank,) array that never falls.

    Raises:
        RangeError: There is no probe, or `max_rank` is below 1.
    """
    if not len(ranks) or max_rank < 1:
        raise RangeError("A curve needs at least one probe and one rank.")
    found = np.sort(ranks[np.isfinite(ranks)])
    return np.searchsorted(found, np.arange(1, max_rank + 1), side="right") / len(ranks)
