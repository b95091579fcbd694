from pathlib import Path

import numpy as np
import torch

from forensic.images.io import load_image
from pipelines.papers.sheets import BAND_PX, write_sheet, write_spread


def test_rows_of_several_sizes_stand_under_their_names(tmp_path: Path) -> None:
    rows = {
        "photo": torch.full((10, 3, 20, 16), 0.5),
        "machine-made": torch.zeros(10, 1, 12, 10),
        "artist's": torch.ones(10, 1, 12, 10),
    }
    write_sheet(tmp_path / "sheet.png", rows)
    sheet = load_image(tmp_path / "sheet.png")
    assert sheet.shape == (3 * BAND_PX + 20 + 12 + 12, 8 * 16, 3)
    assert (sheet[BAND_PX : BAND_PX + 20] == 128).all()
    made = sheet[2 * BAND_PX + 20 : 2 * BAND_PX + 32]
    assert (made[:, :80] == 0).all()
    assert (made[:, 80:] == 255).all()
    bands = np.unique(sheet[:BAND_PX])
    assert bands.min() == 0
    assert bands.max() > 200  # the name is written


def test_pictures_shown_come_from_all_over(tmp_path: Path) -> None:
    rows = np.arange(100, dtype=np.uint8)[:, None, None, None].repeat(4, axis=1).repeat(4, axis=2)
    write_spread(tmp_path / "sheet.png", {"photo": rows})
    shown = load_image(tmp_path / "sheet.png")[BAND_PX, ::4, 0]
    assert shown.tolist() == [0, 14, 28, 42, 56, 70, 84, 99]
