"""A phantom is a frozen draw from its seed, and the population is diverse."""

from __future__ import annotations

import dataclasses

import pytest

from forensic.phantoms import create_person


def test_a_seed_names_one_person() -> None:
    assert create_person(8) == create_person(8)
    assert create_person(8) != create_person(9)


def test_a_person_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        create_person(0).seed = 1  # type: ignore[misc]


def test_population_spans_sexes_ages_skins_and_hair() -> None:
    people = [create_person(seed) for seed in range(300)]
    assert 0.35 < sum(p.maleness > 0 for p in people) / 300 < 0.65
    ages = [p.skin.age_years for p in people]
    assert min(ages) < 22 and max(ages) > 68  # noqa: PT018
    melanin = [p.skin.melanin for p in people]
    assert min(melanin) < 0.1 and max(melanin) > 0.85  # noqa: PT018
    assert len({p.hair.style for p in people}) >= 8
    assert 0.02 < sum(p.glasses is not None for p in people) / 300 < 0.15


def test_women_have_no_beard() -> None:
    people = [create_person(seed) for seed in range(200)]
    assert all(p.hair.beard == "none" for p in people if p.maleness <= 0)
