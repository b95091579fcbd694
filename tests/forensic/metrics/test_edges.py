"""Precision and recall of edge maps."""

import pytest
import torch

from forensic.errors import ShapeError
from forensic.metrics.edges import edge_accuracy


def maps(*rows: str) -> torch.Tensor:
    return torch.tensor([[float(c == "#") for c in row] for row in rows]).view(len(rows), 1, 1, -1)


def test_counts_by_hand() -> None:
    precision, recall = edge_accuracy(maps("##..", "####"), maps("#.#.", "#..."))
    assert precision.tolist() == [0.5, 0.25]
    assert recall.tolist() == [0.5, 1.0]


def test_a_line_one_pixel_off_is_wrong() -> None:
    precision, recall = edge_accuracy(maps(".#.."), maps("..#."))
    assert precision.tolist() == recall.tolist() == [0]


def test_threshold_is_a_half() -> None:
    precision, recall = edge_accuracy(torch.tensor([[[[0.5, 0.51]]]]), torch.ones(1, 1, 1, 2))
    assert (precision.item(), recall.item()) == (1, 0.5)


def test_nothing_drawn_and_nothing_to_draw() -> None:
    drawn, true = maps("....", "....", ".#.."), maps("....", "#...", "....")
    precision, recall = edge_accuracy(drawn, true)
    assert precision.tolist() == [1, 0, 0]
    assert recall.tolist() == [1, 0, 0]


def test_refused() -> None:
    with pytest.raises(ShapeError):
        edge_accuracy(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4))
    with pytest.raises(ShapeError):
        edge_accuracy(torch.rand(2, 1, 4, 4), torch.rand(1, 1, 4, 4))
