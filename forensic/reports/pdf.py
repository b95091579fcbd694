"""Blocks of a PDF on A4 paper: text, tables, pictures, and the notice on every page.

reportlab is used because pip alone installs it everywhere; the fonts are the DejaVu files that
come with matplotlib.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from PIL import Image as PillowImage
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    Image,
    PageTemplate,
    Paragraph,
    Table,
    TableStyle,
)

from forensic.files import atomic_write
from forensic.values import RGB

MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
LINE, SOFT = colors.HexColor("#999999"), "#444444"


def write_document(story: list[Flowable], path: Path, *, title: str, notice: str) -> None:
    """Lay blocks out on pages and write them atomically; equal blocks give equal bytes.

    Args:
        story: The blocks, in order.
        path: The file to write.
        title: The document's title.
        notice: Stands in a frame at the head of every page.

    Raises:
        OSError: The file cannot be written.
    """
    buffer = io.BytesIO()
    document = BaseDocTemplate(
        buffer, pagesize=A4, invariant=1, title=title, author="forensic", lang="en"
    )
    frame = Frame(MARGIN, 20 * mm, WIDTH, A4[1] - 46 * mm, 0, 0, 0, 0)

    def decorate(canvas: Any, _: Any) -> None:
        _notice_and_number(canvas, notice)

    document.addPageTemplates(PageTemplate(frames=[frame], onPage=decorate))
    document.build(story)
    with atomic_write(path) as file:
        file.write(buffer.getvalue())


def facts_table(facts: Sequence[tuple[str, str]]) -> Table:
    """Return names and values in two columns."""
    rows = [[text_block(name, "soft"), text_block(value, "cell")] for name, value in facts]
    table = Table(rows, colWidths=[34 * mm, WIDTH - 34 * mm], hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
            ]
        )
    )
    return table


def figures_table(rows: Sequence[list[Any]], *, widths: Sequence[float], left: int = 1) -> Table:
    """Return a table whose first row repeats on each page and whose numbers stand right."""
    table = Table(rows, colWidths=widths, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), _fonts()[0], 8.5),
                ("FONT", (0, 0), (-1, 0), _fonts()[1], 8.5),
                ("ALIGN", (left, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def small_picture(image: RGB) -> Image:
    """Return a picture as a flowable of at most 34 × 40 mm."""
    buffer = io.BytesIO()
    picture = PillowImage.fromarray(image)
    picture.thumbnail((400, 400))
    picture.save(buffer, "JPEG", quality=88)
    buffer.seek(0)
    scale = min(34 * mm / picture.width, 40 * mm / picture.height)
    return Image(buffer, width=picture.width * scale, height=picture.height * scale)


def text_block(text: str, style: str) -> Paragraph:
    """Return text in one of the styles; it is never read as markup."""
    bullet = "•" if style == "bullet" else None
    unbroken = text.replace("\u202f", "\u00a0")  # reportlab breaks lines at the narrow space
    return Paragraph(escape(unbroken), _styles()[style], bulletText=bullet)


@cache
def _fonts() -> tuple[str, str]:
    """Register the regular and bold faces once and return their names."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    return "DejaVuSans", "DejaVuSans-Bold"


@cache
def _styles() -> dict[str, ParagraphStyle]:
    regular, bold = _fonts()
    body = ParagraphStyle("body", fontName=regular, fontSize=9, leading=13, splitLongWords=1)

    def style(name: str, **changes: Any) -> ParagraphStyle:
        return ParagraphStyle(name, parent=body, **changes)

    return {
        "body": body,
        "cell": style("cell", fontSize=8.5, leading=11),
        "soft": style("soft", fontSize=8.5, leading=11, textColor=SOFT),
        "caption": style("caption", fontSize=7, leading=9, textColor=SOFT),
        "strong": style("strong", fontName=bold, fontSize=8.5),
        "title": style("title", fontName=bold, fontSize=15, leading=19, spaceAfter=3),
        "heading": style(
            "heading", fontName=bold, fontSize=11, leading=14, spaceBefore=9, spaceAfter=3,
            keepWithNext=1,
        ),
        "bullet": style("bullet", fontSize=8.5, leading=11.5, leftIndent=10, spaceAfter=1.5),
        "notice": style("notice", fontName=bold, fontSize=8, leading=10.5),
    }  # fmt: skip


def _notice_and_number(canvas: Any, notice: str) -> None:
    """Draw the notice in a frame at the head of a page, and the page's number at its foot."""
    paragraph = text_block(notice, "notice")
    _, height = paragraph.wrap(WIDTH - 4 * mm, 30 * mm)
    top = A4[1] - 8 * mm
    canvas.setLineWidth(1)
    canvas.rect(MARGIN, top - height - 3 * mm, WIDTH, height + 3 * mm)
    paragraph.drawOn(canvas, MARGIN + 2 * mm, top - height - 1.5 * mm)
    canvas.setFont(_fonts()[0], 8)
    canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {canvas.getPageNumber()}")
