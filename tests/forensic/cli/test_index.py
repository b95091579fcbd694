"""`forensic index`: the list of rejected photos is safe to open."""

import numpy as np

from forensic.cli.index import _rejections
from forensic.identification.enrol import Enrolment, Rejection


def test_file_name_cannot_become_a_formula() -> None:
    rejected = (Rejection("=HYPERLINK(1).png", "no_face"),)
    enrolment = Enrolment(vectors=np.zeros((0, 4), np.float32), photos=(), rejected=rejected)
    assert _rejections(enrolment) == "photo_id,reason\n'=HYPERLINK(1).png,no_face\n"
