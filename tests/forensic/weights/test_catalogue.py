import re

import pytest

from forensic.errors import UnknownNameError
from forensic.files import sha256_of_file
from forensic.weights.catalogue import load_catalogue
from forensic.weights.store import BUNDLED

PINNED = {"facenet-casia-webface", "facenet-vggface2", "inception-fid", "pidinet", "vgg16", "vgg19"}
UNPINNED = {"hed"}
"""No trustworthy pin is known: the user must state one before anything is fetched or loaded."""


def test_every_fetched_entry_is_pinned_and_comes_over_https() -> None:
    fetched = {e.name: e for e in load_catalogue().values() if not e.is_bundled}
    assert fetched.keys() == PINNED | UNPINNED
    for entry in fetched.values():
        assert entry.url.startswith("https://")
        assert entry.url.endswith(entry.file)
        assert re.fullmatch("" if entry.name in UNPINNED else "[0-9a-f]{64}", entry.sha256)
        assert entry.bytes >= 0


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "inception-fid"])
def test_pin_agrees_with_the_hash_in_the_file_name(name: str) -> None:
    entry = load_catalogue()[name]
    assert entry.file.endswith(f"-{entry.sha256[:8]}.pth")


def test_every_entry_states_its_terms() -> None:
    for entry in load_catalogue().values():
        assert entry.licence
        assert entry.training_data
        assert entry.paper
        assert entry.origin


def test_every_bundled_file_is_the_one_that_the_catalogue_records() -> None:
    entries = {e.file: e for e in load_catalogue().values() if e.is_bundled}
    for path in BUNDLED.glob("*.safetensors"):
        entry = entries[path.name]
        assert sha256_of_file(path) == entry.sha256
        assert path.stat().st_size == entry.bytes


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="facenet-vggface2"):
        load_catalogue()["facenet-vggface"]


def test_weights_of_the_package_stay_small() -> None:
    assert sum(e.bytes for e in load_catalogue().values() if e.is_bundled) <= 48_000_000
