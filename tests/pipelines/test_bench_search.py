"""The search benchmark prints what it measured, and really checks exactness."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from forensic.errors import DeviceError
from forensic.gallery.exact import ExactSearch
from pipelines import bench_search


@pytest.mark.parametrize("data", bench_search.DATA)
def test_json_holds_every_side_of_one_run(data):
    shape = ["--rows", "3000", "--dim", "32", "--batch", "5", "--k", "10"]
    command = [*shape, "--repeats", "1", "--json", "--data"]
    result = CliRunner().invoke(bench_search.bench_search, [*command, data])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {key: report[key] for key in ("rows", "dim", "batch", "k", "exact")} == {
        "rows": 3000,
        "dim": 32,
        "batch": 5,
        "k": 10,
        "exact": True,
    }
    assert all(report[f"{s}_ms"] > 0 for s in ("ours", "faiss_flat", "numpy", "roof"))
    assert report["roof_bytes"] == 3000 * 32


def test_the_table_names_every_side():
    result = CliRunner().invoke(
        bench_search.bench_search, ["--rows", "500", "--dim", "8", "--repeats", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "is exact" in result.output
    assert all(side in result.output for side in ("ours", "FAISS IndexFlatIP", "NumPy", "reading"))


def test_a_wrong_result_is_not_called_exact(monkeypatch):
    original = ExactSearch.search

    def swapped(self, queries, k, *, allowed=None):
        rows, found = original(self, queries, k, allowed=allowed)
        rows[-1, [0, 1]] = rows[-1, [1, 0]]
        return rows, found

    monkeypatch.setattr(ExactSearch, "search", swapped)
    result = CliRunner().invoke(
        bench_search.bench_search, ["--rows", "500", "--dim", "8", "--repeats", "1"]
    )
    assert result.exit_code == 1
    assert "NOT exact" in result.output


def test_galleries_are_unit_rows_and_clusters_are_near():
    for data in bench_search.DATA:
        vectors, probes = bench_search.synthetic_gallery(100, 64, 3, data=data, seed=1)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
        assert probes.shape == (3, 64)
        near = (vectors[:5] @ vectors[5:10].T).mean()
        assert near > 0.3 if data == "clustered" else abs(near) < 0.2


def test_the_plain_search_sorts_its_rows():
    vectors = np.eye(4, dtype=np.float32)
    query = np.array([[0.1, 0.9, 0.3, 0.2]], dtype=np.float32)
    assert bench_search.numpy_search(query, vectors, 3).tolist() == [[1, 2, 3]]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_refused_before_rows_are_drawn(monkeypatch):
    monkeypatch.setattr(bench_search, "synthetic_gallery", None)
    result = CliRunner().invoke(bench_search.bench_search, ["--device", "cuda"])
    assert isinstance(result.exception, DeviceError)


def test_the_roof_of_a_gpu_reads_every_row_in_float16():
    read, n_bytes = bench_search.gpu_reader(1000 * 8, [torch.device("cpu")] * 2)
    assert n_bytes == 1000 * 8 * 2
    assert read() == [0, 0]
