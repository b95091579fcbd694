"""Galleries that are hard to search, and the answer found by looking at every row in full."""

from __future__ import annotations

import math

import numpy as np

KINDS = ("random", "clustered", "signs", "repeated", "spiky", "one_axis")


def unit_rows(kind, rows, dimension, seed):
    """Return (rows, dimension) float32 unit rows of one kind.

    clustered: so near to one another that rounding to bytes scrambles their order;
    signs: coordinates of one size, hence many rows equally similar to a probe;
    repeated: few different rows; spiky: some rows that a common scale cannot hold.
    """
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((rows, dimension))
    if kind == "clustered":
        values = generator.standard_normal((1, dimension)) + values * 1e-3
    elif kind == "signs":
        values = np.sign(values)
    elif kind == "repeated":
        values = values[generator.integers(0, max(1, rows // 20), rows)]
    elif kind == "spiky":
        values[generator.random(rows) < 0.02, 0] = 50
    elif kind == "one_axis":
        values = np.eye(dimension)[generator.integers(0, dimension, rows)]
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values.astype(np.float32)


def oracle(query, vectors, names, k, allowed=None):
    """Return the best rows and their similarities, ties by name; sums are correctly rounded."""
    wide, probe = vectors.astype(np.float64), query.astype(np.float64)
    similarity = np.array([math.fsum(row) for row in wide * probe]).astype(np.float32)
    rows = [i for i in range(len(vectors)) if allowed is None or allowed[i]]
    rows.sort(key=lambda i: (-similarity[i], names[i]))
    return rows[:k], similarity[rows[:k]]
