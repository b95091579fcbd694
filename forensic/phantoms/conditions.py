"""How one picture of a phantom is taken: pose, expression, light, background, camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Conditions:
    """Everything that changes from one picture of the same person to the next.

    Attributes:
        yaw, pitch, roll: Head pose in radians.
        distance_mm: From the lens to the head; near lenses widen the middle of the face.
        zoom: Factor on the size of the head.
        shift_mm: Place of the head in the picture.
        smile, brow_raise, openness, gaze_mm: Expression; 0, 0, 1 and (0, 0) are neutral.
        key: Unit vector from the head to the main light, camera frame.
        key_power, fill_power, ambient: Strengths of the lights.
        warmth: Colour of the light; positive is warmer.
        exposure, contrast: Of the developed picture.
        blur_px, noise_level: Of the camera.
        background: Linear RGB of the wall.
        cloth: Linear RGB of the clothes.
        collar: Depth of the neckline, mm.
        seed: For the noise of this picture.
    """

    yaw: float
    pitch: float
    roll: float
    distance_mm: float
    zoom: float
    shift_mm: tuple[float, float]
    smile: float
    brow_raise: float
    openness: float
    gaze_mm: tuple[float, float]
    key: tuple[float, float, float]
    key_power: float
    fill_power: float
    ambient: float
    warmth: float
    exposure: float
    contrast: float
    blur_px: float
    noise_level: float
    background: tuple[float, float, float]
    cloth: tuple[float, float, float]
    collar: float
    seed: int

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) matrix from the head's frame to the camera's."""
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return np.asarray(tilt @ nod @ turn)


WALLS = (
    (0.42, 0.47, 0.52),
    (0.55, 0.55, 0.53),
    (0.30, 0.36, 0.45),
    (0.62, 0.58, 0.50),
    (0.25, 0.27, 0.28),
    (0.70, 0.70, 0.70),
)
CLOTHS = (
    (0.02, 0.02, 0.03),
    (0.05, 0.07, 0.14),
    (0.35, 0.35, 0.36),
    (0.22, 0.03, 0.03),
    (0.07, 0.12, 0.07),
    (0.55, 0.53, 0.50),
    (0.15, 0.10, 0.07),
    (0.10, 0.16, 0.26),
)


def draw_conditions(seed: int) -> Conditions:
    """Return the conditions of a seed: those of a mugshot taken with ordinary care."""
    rng = np.random.default_rng([seed, 21])
    azimuth, height = rng.normal(0, 0.42), rng.uniform(0.12, 0.75)
    key = (np.sin(azimuth) * np.cos(height), -np.sin(height), np.cos(azimuth) * np.cos(height))
    return Conditions(
        yaw=_spread(rng, 0.085, 0.25),
        pitch=_spread(rng, 0.06, 0.2),
        roll=_spread(rng, 0.035, 0.12),
        distance_mm=float(rng.uniform(750, 2200)),
        zoom=float(rng.normal(1.0, 0.025)),
        shift_mm=(_spread(rng, 2.5, 6), _spread(rng, 3, 7)),
        smile=float(np.clip(rng.normal(0.08, 0.3), -0.4, 1.0)),
        brow_raise=_spread(rng, 0.4, 1.0),
        openness=float(rng.uniform(0.82, 1.1)),
        gaze_mm=(_spread(rng, 0.5, 1.2), _spread(rng, 0.3, 0.8)),
        key=(float(key[0]), float(key[1]), float(key[2])),
        key_power=float(rng.uniform(0.65, 1.0)),
        fill_power=float(rng.uniform(0.12, 0.4)),
        ambient=float(rng.uniform(0.28, 0.45)),
        warmth=_spread(rng, 0.05, 0.12),
        exposure=float(rng.uniform(0.88, 1.15)),
        contrast=float(rng.uniform(0.95, 1.12)),
        blur_px=float(rng.uniform(0.25, 0.75)),
        noise_level=float(rng.uniform(0.004, 0.014)),
        background=_vary(rng, WALLS),
        cloth=_vary(rng, CLOTHS),
        collar=float(rng.uniform(0, 26)),
        seed=seed,
    )


def _spread(rng: np.random.Generator, sigma: float, limit: float) -> float:
    return float(np.clip(rng.normal(0, sigma), -limit, limit))


def _vary(
    rng: np.random.Generator, colors: tuple[tuple[float, float, float], ...]
) -> tuple[float, float, float]:
    red, green, blue = np.array(colors[rng.integers(len(colors))]) * rng.uniform(0.8, 1.2)
    return float(red), float(green), float(blue)
