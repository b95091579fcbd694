"""Who a phantom is: a frozen set of measures and colours drawn from a seed.

Lengths are millimetres of an adult head. Means and spreads follow ordinary head anthropometry,
somewhat widened so that persons differ clearly; nothing is measured on a particular person.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

import numpy as np


@dataclass(frozen=True)
class _Trait:
    mean: float
    spread: float
    male: float
    aged: float


def _trait(mean: float, spread: float, *, male: float = 0.0, aged: float = 0.0) -> Any:
    """Declare a measure: mean, standard deviation, shift from female to male, from 20 to 80."""
    return field(metadata={"trait": _Trait(mean, spread, male, aged)})


@dataclass(frozen=True)
class Head:
    """Outline and relief of the head, mm."""

    temple: float = _trait(70, 3.4, male=2)
    cheek: float = _trait(68, 4.2, male=3)
    jaw: float = _trait(51, 5.5, male=6, aged=2)
    jaw_y: float = _trait(72, 5)
    chin_width: float = _trait(28, 4.0, male=5)
    chin_y: float = _trait(109, 6.5, male=7)
    chin_out: float = _trait(6, 2.6, male=1.5)
    chin_cleft: float = _trait(-0.6, 1.0, male=0.6)
    crown_y: float = _trait(-112, 5)
    forehead_slope: float = _trait(0, 5, male=2)
    brow_ridge: float = _trait(2.5, 1.6, male=3)
    cheekbone_out: float = _trait(6.5, 3, aged=-1.5)
    cheekbone_y: float = _trait(24, 4)
    cheek_hollow: float = _trait(1.5, 2.6, male=1, aged=2)
    muzzle_out: float = _trait(5, 2.4)
    ear_size: float = _trait(58, 5, male=3, aged=5)
    ear_out: float = _trait(14, 4.5, male=2)
    ear_y: float = _trait(12, 4)
    neck: float = _trait(45, 3.5, male=8)
    skew: float = _trait(0, 1.6)


@dataclass(frozen=True)
class Eyes:
    """Eyes and lids, mm; tilt in mm of rise from the inner to the outer corner."""

    spacing: float = _trait(63.5, 4.0, male=1)
    length: float = _trait(33, 2.1)
    upper: float = _trait(6.8, 1.0, aged=-1.0)
    lower: float = _trait(4.6, 0.8)
    tilt: float = _trait(1.6, 1.9, aged=-1)
    peak: float = _trait(0.92, 0.13)
    crease_gap: float = _trait(4.2, 1.7, aged=-1)
    crease_depth: float = _trait(1.0, 0.5)
    socket: float = _trait(6.5, 2.2, male=1.5, aged=2)
    bag: float = _trait(0.35, 0.5, aged=1.2)
    iris: float = _trait(6.1, 0.25)
    skew_y: float = _trait(0, 0.8)


@dataclass(frozen=True)
class Brows:
    """Eyebrows, mm."""

    y: float = _trait(-20.5, 2.8, male=3.5)
    length: float = _trait(43, 4)
    inner: float = _trait(12, 3.2, male=-1)
    thickness: float = _trait(3.9, 1.1, male=1.7)
    arch: float = _trait(4.0, 2.4, male=-1.5)
    slope: float = _trait(-1.2, 2.4)
    density: float = _trait(0.9, 0.14, male=0.1, aged=-0.12)
    peak: float = _trait(0.62, 0.07)


@dataclass(frozen=True)
class Nose:
    """Nose, mm."""

    length: float = _trait(41, 3.8, male=2, aged=2.5)
    width: float = _trait(16.2, 2.6, male=1.6)
    height: float = _trait(19, 3.2, male=2)
    bridge: float = _trait(6.0, 2.4, male=1.5)
    bridge_width: float = _trait(6.4, 1.2, male=0.6)
    tip_width: float = _trait(7.6, 1.2, male=0.8)
    hump: float = _trait(0.4, 1.8, male=0.8)
    tip_lift: float = _trait(1.5, 2.2, aged=-2)
    bend: float = _trait(0, 1.5)
    nostril: float = _trait(1.0, 0.22)


@dataclass(frozen=True)
class Mouth:
    """Mouth and lips, mm."""

    y: float = _trait(22, 2.5, male=1.5)
    width: float = _trait(25.5, 2.9, male=1.5)
    upper: float = _trait(6.6, 1.8, male=-0.6, aged=-2.4)
    lower: float = _trait(9.0, 2.0, male=-0.4, aged=-2.4)
    bow: float = _trait(0.28, 0.14)
    corner: float = _trait(0.0, 1.4, aged=1.4)
    philtrum: float = _trait(1.0, 0.5)
    red: float = _trait(0.55, 0.2, male=-0.15, aged=-0.15)
    fold: float = _trait(0.9, 0.6, aged=1.9)


@dataclass(frozen=True)
class Skin:
    """Skin: pigment and blood in [0, 1], marks, wrinkles."""

    melanin: float
    blood: float
    age_years: float
    freckles: float
    wrinkles: float
    blotches: float
    gloss: float
    moles_mm: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Hair:
    """Hair of the head, brows and beard; lengths in mm, colours in linear RGB."""

    style: str
    color: tuple[float, float, float]
    hairline_y: float
    recession: float
    volume_top: float
    volume_side: float
    length_y: float
    parting_x: float
    sweep: float
    curl: float
    beard: str
    beard_density: float


@dataclass(frozen=True)
class Person:
    """Everything that stays the same from one picture of a phantom to the next."""

    seed: int
    maleness: float
    head: Head
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    skin: Skin
    hair: Hair
    iris_color: tuple[float, float, float]
    glasses: tuple[float, float, float] | None

    @property
    def mouth_y(self) -> float:
        """Height of the line between the lips below the eyes, mm."""
        return self.nose.length + self.mouth.y


PartT = TypeVar("PartT")

HAIR_COLORS = {
    "black": (0.012, 0.010, 0.010),
    "dark_brown": (0.040, 0.022, 0.014),
    "brown": (0.095, 0.050, 0.027),
    "light_brown": (0.19, 0.11, 0.06),
    "blond": (0.42, 0.29, 0.15),
    "red": (0.26, 0.075, 0.025),
    "gray": (0.30, 0.29, 0.28),
    "white": (0.60, 0.59, 0.57),
}
IRIS_COLORS = {
    "dark": (0.035, 0.018, 0.010),
    "brown": (0.11, 0.050, 0.020),
    "hazel": (0.16, 0.115, 0.045),
    "green": (0.13, 0.17, 0.10),
    "blue": (0.14, 0.22, 0.34),
    "gray": (0.21, 0.25, 0.28),
}


def create_person(seed: int) -> Person:
    """Return the phantom of a seed: the same seed always gives the same person.

    Args:
        seed: Any non-negative integer.
    """
    rng = np.random.default_rng([seed, 20])
    male = float(rng.random() < 0.5)
    maleness = float(np.clip(male * 2 - 1 + rng.normal(0, 0.25), -1.2, 1.2))
    age = float(18 + 62 * rng.beta(1.2, 1.9))
    melanin = float(np.clip(rng.beta(1.1, 1.5), 0.02, 0.97))
    aged = (age - 20) / 60
    return Person(
        seed=seed, maleness=maleness,
        head=_draw(Head, rng, maleness, aged), eyes=_draw(Eyes, rng, maleness, aged),
        brows=_draw(Brows, rng, maleness, aged), nose=_draw(Nose, rng, maleness, aged),
        mouth=_draw(Mouth, rng, maleness, aged),
        skin=_draw_skin(rng, age, melanin),
        hair=_draw_hair(rng, male > 0, age, melanin),
        iris_color=_draw_iris(rng, melanin),
        glasses=_draw_glasses(rng),
    )  # fmt: skip


def _draw(part: type[PartT], rng: np.random.Generator, maleness: float, aged: float) -> PartT:
    values = {}
    for item in fields(part):  # type: ignore[arg-type]
        trait: _Trait = item.metadata["trait"]
        centre = trait.mean + trait.male * maleness / 2 + trait.aged * aged
        values[item.name] = float(centre + trait.spread * np.clip(rng.normal(), -2.1, 2.1))
    return part(**values)


def _draw_skin(rng: np.random.Generator, age: float, melanin: float) -> Skin:
    n_moles = int(rng.poisson(1.3))
    spots = [
        (rng.uniform(-52, 52), rng.uniform(-52, 95), rng.uniform(0.7, 1.9)) for _ in range(n_moles)
    ]
    return Skin(
        melanin=melanin,
        blood=float(rng.beta(2, 2.5)),
        age_years=age,
        freckles=float(rng.random() < 0.2) * float(rng.uniform(0.3, 1)) * (melanin < 0.45),
        wrinkles=float(np.clip((age - 28) / 32 + rng.normal(0, 0.2), 0, 1.7)),
        blotches=float(rng.uniform(0.3, 1.0)),
        gloss=float(rng.uniform(0.4, 1.2)),
        moles_mm=tuple((float(x), float(y), float(r)) for x, y, r in spots),
    )


def _draw_hair(rng: np.random.Generator, male: bool, age: float, melanin: float) -> Hair:
    if male:
        styles = {"crop": 5, "side": 5, "shaved": 2, "back": 2, "curly": 1.5, "fringe": 1.5,
                  "horseshoe": 3 * max(0.0, (age - 35) / 40), "long": 0.5}  # fmt: skip
    else:
        styles = {"long": 5, "bob": 4, "tied": 3, "fringe": 3, "curly": 2, "side": 1.2}
    names = list(styles)
    weights = np.array([styles[name] for name in names])
    style = str(rng.choice(names, p=weights / weights.sum()))
    beards = {"none": 6, "stubble": 3, "moustache": 1, "goatee": 1.2, "full": 1.8}
    shares = np.array(list(beards.values()))
    beard = str(rng.choice(list(beards), p=shares / shares.sum())) if male else "none"
    recession = max(0.0, rng.normal(0.25 + (age - 30) / 90, 0.3)) if male else rng.uniform(0, 0.2)
    length = {"bob": rng.uniform(60, 115), "long": 220.0}.get(style, rng.uniform(-8, 14))
    return Hair(
        style=style, color=_draw_hair_color(rng, age, melanin),
        hairline_y=float(np.clip(rng.normal(-67, 5.5), -80, -54)), recession=float(recession),
        volume_top=float(rng.uniform(5, 20)), volume_side=float(rng.uniform(2, 12)),
        length_y=float(length), parting_x=float(rng.choice([-1, 1]) * rng.uniform(5, 34)),
        sweep=float(rng.normal(0, 0.34 if style == "side" else 0.14)),
        curl=float(rng.beta(1.2, 2.2)), beard=beard,
        beard_density=float(rng.uniform(0.45, 1.0)),
    )  # fmt: skip


def _draw_hair_color(
    rng: np.random.Generator, age: float, melanin: float
) -> tuple[float, float, float]:
    weights = [6, 3, 0.5, 0, 0, 0] if melanin > 0.55 else [2, 3, 3, 2, 2, 1]
    names = ["black", "dark_brown", "brown", "light_brown", "blond", "red"]
    base = np.array(HAIR_COLORS[str(rng.choice(names, p=np.array(weights) / sum(weights)))])
    grayness = float(np.clip((age - 52) / 25 + rng.normal(0, 0.25), 0, 1)) ** 1.2
    old = np.array(HAIR_COLORS["white" if age > 66 else "gray"])
    mixed = (base * rng.uniform(0.75, 1.3)) * (1 - grayness) + old * grayness
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def _draw_iris(rng: np.random.Generator, melanin: float) -> tuple[float, float, float]:
    weights = [5, 2, 0.2, 0, 0, 0] if melanin > 0.5 else [1, 2, 1.5, 1.2, 2, 1.3]
    name = str(rng.choice(list(IRIS_COLORS), p=np.array(weights) / sum(weights)))
    red, green, blue = (channel * rng.uniform(0.8, 1.25) for channel in IRIS_COLORS[name])
    return float(red), float(green), float(blue)


def _draw_glasses(rng: np.random.Generator) -> tuple[float, float, float] | None:
    """Return half width, half height and roundness of the frames, or None for most persons."""
    shape = (rng.uniform(23, 28), rng.uniform(15, 21), rng.uniform(2.2, 5))
    return None if rng.random() > 0.08 else (float(shape[0]), float(shape[1]), float(shape[2]))
