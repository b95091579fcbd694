"""Phantoms: rendered persons who do not exist, for the demo and the tests.

Everything here is our own arithmetic: no photo, no learned model and no real person went in.
Figures measured on phantoms say that the machinery works; they say nothing about real people.
"""

from forensic.phantoms.person import Person, create_person
from forensic.phantoms.render import PHOTO_SIZE_HW, render_photo, render_photos

__all__ = ["PHOTO_SIZE_HW", "Person", "create_person", "render_photo", "render_photos"]
