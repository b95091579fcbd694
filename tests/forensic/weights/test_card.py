from dataclasses import replace

from forensic.weights.card import render_card
from forensic.weights.catalogue import load_catalogue


def test_a_card_names_hash_terms_and_limits() -> None:
    entry = load_catalogue()["facenet-vggface2"]
    card = render_card(entry, {})
    assert entry.sha256 in card
    assert entry.licence in card
    assert "never an identification" in card
    assert "None recorded" in card


def test_results_keep_their_sample_size_and_interval() -> None:
    entry = load_catalogue()["vgg16"]
    measured = {"CUFS test": {"rank 1": {"rate": 0.87, "ci95": [0.79, 0.93], "probes": 100}}}
    assert "| rank 1 | rate 0.87, ci95 0.79 to 0.93, probes 100 |" in render_card(entry, measured)


def test_a_value_cannot_break_the_table() -> None:
    entry = replace(load_catalogue()["vgg16"], origin="a|b\nc")
    assert "| Origin | a\\|b c |" in render_card(entry, {})
