"""Table 1 of DeepFacePencil and its study of deformation on our trained networks.

Weights are called `deepfacepencil`, `deepfacepencil-baseline`, `deepfacepencil-baseline-deformed`
and `deepfacepencil-pix2pix`; those made for a CPU have `-128-narrow` behind that.
"""

from __future__ import annotations

from forensic.datasets.deformed import DeformedPairs
from forensic.errors import DataFolderError, MissingWeights
from forensic.generators.registry import LoadedGenerator
from pipelines.evaluate_images import Faces, score, synthesize
from pipelines.papers.sets import (
    SET_COLUMNS,
    SetFeatures,
    describe_features,
    open_features,
    set_distance,
)
from pipelines.papers.sheets import write_spread
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, try_row
from pipelines.published import DFP_TABLE_1

SMALL = "-128-narrow"
WEIGHTS = {
    "pix2pix": "deepfacepencil-pix2pix",
    "baseline": "deepfacepencil-baseline",
    "baseline-deformed": "deepfacepencil-baseline-deformed",
    "DeepFacePencil": "deepfacepencil",
}
"""What the rows of Table 1 are called here."""

CHANGES = {
    "baseline": "--set options.system=baseline --set 'options.stage_steps=[{steps}]'",
    "baseline-deformed": (
        "--set options.system=baseline-deformed --set 'options.stage_steps=[{steps}]'"
    ),
}
"""How the recipe of a baseline differs from DeepFacePencil's."""

STEPS = {"": 12_000, SMALL: 13_500}
"""A baseline's updates, as many as those of all three stages."""

DATA = {0: "dfp", 11: "dfp", 30: "dfp-30"}
"""By the largest offset of a stroke, in pixels of 512: the data set's name in `--data`.

Both are made by the command in `recipes/deepfacepencil.toml`, `dfp-30` with `--max-offset 30`; by
one seed the same faces are held out and drawn.
"""

COLUMNS = {"inception_score": "inception score", **SET_COLUMNS, "psnr": "PSNR (dB)", "ssim": "SSIM"}


def edge_sketches(materials: Materials) -> PaperTable:
    """Return Table 1: sketches whose lines lie on the edges."""
    features = open_features(materials.features, materials.device)
    rows = [
        _row(materials, features, system, weights, 0, paper)
        for system, paper in DFP_TABLE_1.items()
        for weights in _names(materials, system)
    ]
    title = "DeepFacePencil, Table 1: sketches on the edges"
    return PaperTable("deepfacepencil-table-1", title, COLUMNS, rows, _about(features))


def deformed_sketches(materials: Materials) -> PaperTable:
    """Return the systems of section 4.3.1 on strokes ever further off."""
    features = open_features(materials.features, materials.device)
    rows = [
        _row(materials, features, system, weights, offset, {})
        for offset in DATA
        for system in WEIGHTS
        if system != "pix2pix"
        for weights in _names(materials, system)
    ]
    title = "DeepFacePencil, section 4.3.1: strokes deformed by up to d of 512 pixels"
    note = f"{_about(features)} The paper shows pictures here and prints no figures."
    return PaperTable("deepfacepencil-deformation", title, COLUMNS, rows, note)


TABLES = {
    "deepfacepencil-table-1": edge_sketches,
    "deepfacepencil-deformation": deformed_sketches,
}


def _about(features: SetFeatures | None) -> str:
    return (
        f"{describe_features(features)} The inception score is that of all photos in one part; "
        "only Inception-v3 has one. The paper names neither the faces nor the weights of its "
        "ruler, so its figures and ours cannot be compared, only the order of the rows."
    )


def _names(materials: Materials, system: str) -> list[str]:
    """Return the network of full size, and the one made for a CPU where it was trained."""
    small = WEIGHTS[system] + SMALL
    return [WEIGHTS[system], *([small] if materials.has_generator(small) else [])]


def _command(system: str, weights: str) -> str:
    """Return what trains weights of a name."""
    small = SMALL if weights.endswith(SMALL) else ""
    recipe = ("deepfacepencil-pix2pix" if system == "pix2pix" else "deepfacepencil") + small
    changes = CHANGES.get(system, "").format(steps=STEPS[small])
    renamed = f" --set name={weights} {changes}" if changes else ""
    return f"forensic train {recipe}{renamed} --out RUN"


def _row(
    materials: Materials,
    features: SetFeatures | None,
    system: str,
    weights: str,
    offset: int,
    paper: dict[str, float],
) -> Row:
    def compute() -> Row:
        if not materials.has_generator(weights):
            raise MissingWeights(
                f"no {weights}.safetensors in --weights; "
                f"train it with `{_command(system, weights)}`"
            )
        generator = materials.generator(weights)
        return measure(materials, generator, features=features, offset=offset)

    return try_row(f"{weights}, d = {offset}", paper, compute)


def measure(
    materials: Materials,
    generator: LoadedGenerator,
    *,
    features: SetFeatures | None,
    offset: int,
) -> Row:
    """Return the figures of a generator on test faces whose strokes are deformed by so much.

    Args:
        materials: Where the faces are.
        generator: Takes sketches of three channels.
        features: What compares the sets; without it those figures are left out.
        offset: A key of `DATA`.

    Raises:
        DataFolderError: The data are missing or were deformed by another offset.
    """
    faces = load_faces(materials, generator, offset=offset)
    made = synthesize(generator, faces.sketches, device=materials.device)
    if materials.sheets:
        pictures = {
            f"sketch, d = {offset}": faces.sketches,
            "machine-made face": made,
            "true photo": faces.photos,
        }
        write_spread(materials.sheets / f"{generator.name}-d{offset}.png", pictures)
    found = score(made, faces, seed=0)
    ours = {name: Measured(found[name]["mean"], found[name]["ci95"]) for name in ("psnr", "ssim")}
    if features:
        distance = set_distance(made, faces.photos, features, materials.device)
        ours |= distance.columns
        if distance.inception_score is not None:
            ours["inception_score"] = Measured(distance.inception_score)
    height, width = made.shape[1:3]
    where = f"{DATA[offset]}, test part, {width}×{height}, d = {offset}"
    return Row("", ours=ours, n=len(made), split=where, weights_sha256=generator.weights_sha256)


def load_faces(materials: Materials, generator: LoadedGenerator, *, offset: int) -> Faces:
    """Return test faces in the generator's frame, drawn on the edges or deformed.

    Raises:
        DataFolderError: The data are missing or were deformed by another offset.
    """
    packed = materials.packed(DATA[offset])
    drawn = packed.manifest.get("max_offset_px")
    if offset and drawn != offset:
        raise DataFolderError(
            f"{packed.folder} was drawn with --max-offset {drawn}; this row wants {offset}"
        )
    frame = generator.frame
    pairs = DeformedPairs(packed.folder, split="test", crop_hw=frame.crop_hw, size_hw=frame.size_hw)
    sketches = pairs.deformed if offset else pairs.sketches
    return Faces(sketches.repeat(3, axis=3), pairs.photos, pairs.subjects)
