from pathlib import Path

import numpy as np

from forensic.reports.benchmark import write_pages
from forensic.reports.cases import CasePictures
from forensic.reports.record import BenchmarkReport
from forensic.values import LEAD_ONLY
from tests.support.reports import example_report


def test_page_says_first_what_was_tested_and_what_it_is_not(tmp_path: Path) -> None:
    write_pages(example_report(), [], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.index(LEAD_ONLY) < page.index("<main>")
    order = ["What was tested", "How often the right person", "What may be concluded",
             "What may not", "Match score by rank", "Methods compared", "Provenance"]  # fmt: skip
    places = [page.index(heading) for heading in order]
    assert places == sorted(places)
    assert "40 sketches searched in a gallery of 60 photos" in page
    assert "data:image/png;base64," in page


def test_page_shows_rates_with_intervals_and_failures(tmp_path: Path) -> None:
    write_pages(example_report(), [], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "75.0 %" in page
    assert "58.8–87.3 %" in page
    assert "p07.png" in page
    assert "No face was found." in page


def test_names_from_files_cannot_become_markup(tmp_path: Path) -> None:
    report = example_report(failed="<img src=x onerror=alert(1)>.png")
    write_pages(report, [], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_machine_made_faces_are_labelled_beside_their_sketch(tmp_path: Path) -> None:
    gray = np.full((60, 50, 3), 128, np.uint8)
    cases = [
        CasePictures("p01", "csi-line", 3, sketch=gray, machine_made=gray, mate=gray, first=gray),
        CasePictures("p02", "csi-line", 1, sketch=gray, machine_made=None, mate=gray, first=None),
    ]
    write_pages(example_report(), cases, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("Machine-made from the sketch; shows no one") == 1
    assert page.count("First candidate: another person") == 1
    assert page.count("data:image/jpeg") == 6


def test_published_rates_stand_beside_ours_where_there_are_any(tmp_path: Path) -> None:
    write_pages(example_report(), [], tmp_path)
    assert "beside the paper" not in (tmp_path / "report.html").read_text()
    record = example_report().model_dump(mode="json")
    record["methods"]["none"]["published"] = {
        "source": "A paper, Fig. 5", "cms1": 0.8114, "trials": 11_990, "ci95": [0.8043, 0.8184],
        "p_differs": 0.0012,
    }  # fmt: skip
    write_pages(BenchmarkReport(**record), [], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "80.4–81.8 %" in page
    assert "−56.1 pp" in page
    assert "0.0012" in page
    assert "Paper: A paper, Fig. 5." in page


def test_page_tells_on_whom_how_galleries_grew_and_where_figures_come_from(tmp_path: Path) -> None:
    record = example_report().model_dump(mode="json") | {"subject": "Sketches in <here>"}
    point = {"gallery": 40, "found": {"1": 10, "10": 30}, "rank1": 0.25, "rank1_ci95": [0.1, 0.4]}
    record["growth"] = {"seed": 5, "trials": 40, "methods": {"none": [point]}}
    record["provenance"]["seeds"] = {"bootstrap": 7}
    record["provenance"]["times"]["work_seconds_by_stage"] = {"reading": 1.0, "none": 2.5}
    record["duplicates_left_out"] = ["x.png"]
    write_pages(BenchmarkReport(**record), [], tmp_path)
    page = (tmp_path / "report.html").read_text()
    for text in ("Sketches in &lt;here&gt;", "25.0 / 75.0", "(seed 5)", "bootstrap 7",
                 "none 2.5 s, reading 1.0 s", "1 of the other photos"):  # fmt: skip
        assert text in page
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
