"""The scripts of the pages where they compute: geometry of pictures, and acts of drawing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.support.browser import chromium, served


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of an app that serves the scripts and nothing else."""
    app = Flask("forensic.web")
    app.add_url_rule("/", view_func=lambda: "<!doctype html><title>scripts</title>")
    with served(app) as address, chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        yield page


def test_a_similarity_is_recovered_from_five_points(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const { similarity, TEMPLATE } = await import("/static/js/geometry.js");
          const [a, b, tx, ty] = [1.2, 0.5, 30, -7];
          const to = TEMPLATE.map(([x, y]) => [a * x - b * y + tx, b * x + a * y + ty]);
          return similarity(TEMPLATE, to);
        }"""
    )
    assert found == pytest.approx({"a": 1.2, "b": 0.5, "tx": 30, "ty": -7})


def test_a_whole_picture_is_centred_in_its_pane(page: Page) -> None:
    placed = page.evaluate(
        """async () => {
          const { fitted } = await import("/static/js/geometry.js");
          return fitted(200, 100, 400, 400);
        }"""
    )
    assert placed == {"a": 2, "b": 0, "tx": 0, "ty": 100}


DRAWING = """async (act) => {
  const { Drawing, SIZE } = await import("/static/js/strokes.js");
  const drawing = new Drawing();
  const stroke = (y, erase = false) => ({ kind: "stroke", layer: drawing.active, width: 8,
    tone: 0, erase, points: [[100, y, 1], [200, y, 1], [300, y, 1]] });
  const inked = () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIZE;
    const context = canvas.getContext("2d");
    drawing.compose(context);
    const at = (y) => context.getImageData(200, y, 1, 1).data[3] > 0;
    return [at(100), at(200)];
  };
  const seen = [];
  for (const step of act) {
    if (step === "stroke") drawing.act(stroke(100));
    if (step === "second") drawing.act(stroke(200));
    if (step === "erase") drawing.act(stroke(100, true));
    if (step === "clear") drawing.act({ kind: "clear", layer: drawing.active });
    if (step === "layer") drawing.addLayer("2");
    if (step === "hide") drawing.show(drawing.active, false);
    if (step === "undo") drawing.undo();
    if (step === "redo") drawing.redo();
    seen.push(inked());
  }
  return seen.at(-1);
}"""


@pytest.mark.parametrize(
    ("acts", "inked"),
    [
        (["stroke"], [True, False]),
        (["stroke", "second", "erase"], [False, True]),
        (["stroke", "second", "erase", "undo"], [True, True]),
        (["stroke", "undo"], [False, False]),
        (["stroke", "undo", "redo"], [True, False]),
        (["stroke", "undo", "second", "redo"], [False, True]),
        (["stroke", "clear"], [False, False]),
        (["stroke", "clear", "undo"], [True, False]),
        (["stroke", "layer", "second", "clear"], [True, False]),
        (["stroke", "layer", "second", "hide"], [True, False]),
        (["stroke", "layer", "erase"], [True, False]),
        (["undo", "redo"], [False, False]),
    ],
)
def test_acts_are_done_undone_and_done_again(
    page: Page, acts: list[str], inked: list[bool]
) -> None:
    assert page.evaluate(DRAWING, acts) == inked


def test_a_drawing_is_exported_on_white_paper(page: Page) -> None:
    found = page.evaluate(
        """async () => {
          const { Drawing } = await import("/static/js/strokes.js");
          const drawing = new Drawing();
          drawing.act({ kind: "stroke", layer: drawing.active, width: 9, tone: 0, erase: false,
            points: [[256, 256, 1]] });
          const image = await createImageBitmap(await drawing.png());
          const canvas = new OffscreenCanvas(image.width, image.height);
          const context = canvas.getContext("2d");
          context.drawImage(image, 0, 0);
          const at = (x, y) => [...context.getImageData(x, y, 1, 1).data];
          return [image.width, image.height, at(0, 0), at(256, 256)];
        }"""
    )
    assert found == [512, 512, [255, 255, 255, 255], [0, 0, 0, 255]]
