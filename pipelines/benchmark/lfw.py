"""`forensic benchmark lfw`: simulated sketches of LFW photos, searched among all of LFW.

Two protocols that must never be mixed. `same-photo` is that of Convolutional Sketch Inversion,
Fig. 5: the mate is the very photo that was sketched. `cross-photo` asks for the person: the
mate is another photo, and the gallery holds one photo of everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from forensic.errors import DataFolderError
from forensic.files import write_json
from forensic.images.io import list_images
from forensic.reports.benchmark import write_pages
from forensic.reports.conclusions import summary_text
from forensic.reports.tables import count
from forensic.runtime import choose_device
from forensic.weights.store import choose_weights_folder
from pipelines.benchmark.cache import default_cache_folder
from pipelines.benchmark.cases import case_pictures
from pipelines.benchmark.experiment import Extras, run_pairs
from pipelines.benchmark.folders import ImageFile, Pair, PairsData, image_file, quote
from pipelines.benchmark.output import REPORT, whole_folder
from pipelines.benchmark.scoring import Published
from pipelines.benchmark.simulated import Desk, create_simulated
from pipelines.benchmark.stored import load_stored
from pipelines.benchmark.system import System, create_system
from pipelines.published import CSI_BESIDE

SOURCE = "Güçlütürk et al. 2016, Fig. 5, of about 11,990 photos by an unnamed matcher"
PAPER_RATES = {
    "raw-line": 0.8114,
    "csi-line": 0.9979,
    "raw-pencil-gray": 0.0142,
    "raw-stylization-gray": 0.0142,
    "csi-grayscale": 0.7381,
    "csi-grayscale-identity": 0.7381,
    "raw-pencil-color": 0.0238,
    "raw-stylization-color": 0.0238,
    "csi-color": 0.8229,
    "csi-color-identity": 0.8229,
}
PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {name: Published(SOURCE, rate, 11_990) for name, rate in PAPER_RATES.items()}
)


@dataclass(frozen=True)
class LFWOptions:
    """What the user asks for; see `forensic benchmark lfw --help`."""

    lfw: Path
    protocol: str
    people: Path | None
    methods: tuple[str, ...]
    embedder: str
    device: str
    show_faces: bool
    gallery_index: Path | None = None

    def command(self) -> list[str]:
        """Return the command that gives these figures."""
        words = ["forensic", "benchmark", "lfw", "--lfw", str(self.lfw)]
        words += ["--protocol", self.protocol, "--methods", ",".join(self.methods)]
        words += ["--people", str(self.people)] if self.people else []
        words += ["--embedder", self.embedder, "--device", self.device]
        words += ["--gallery-index", str(self.gallery_index)] if self.gallery_index else []
        return words + ([] if self.show_faces else ["--no-faces"])


def photos_of_people(lfw: Path) -> dict[str, list[ImageFile]]:
    """Return the photos of everybody, one folder a person, sorted.

    Raises:
        DataFolderError: The folder is missing or empty, or photos lie outside of people's folders.
    """
    people: dict[str, list[ImageFile]] = defaultdict(list)
    for path in list_images(lfw):
        if len(path.relative_to(lfw).parts) != 2:
            raise DataFolderError(f"{path} does not lie in the folder of a person, as in LFW.")
        people[path.parent.name].append(image_file(path, lfw))
    return dict(people)


def read_people(path: Path, known: Mapping[str, Sequence[ImageFile]]) -> set[str]:
    """Return the names in one of LFW's lists: the first word of each line with two.

    Raises:
        DataFolderError: The file cannot be read, or names nobody or somebody unknown.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(f"{path} cannot be read: {error}.") from error
    names = {line.split("\t")[0] for line in lines if len(line.split("\t")) == 2}
    if not names or names - known.keys():
        raise DataFolderError(
            f"{path} names {len(names)} people, of whom {len(names - known.keys())} are not in "
            f"the folder: {quote(names - known.keys())}."
        )
    return names


def arrange(
    people: Mapping[str, Sequence[ImageFile]], *, protocol: str, probed: set[str]
) -> PairsData:
    """Return probes, mates and distractors of a protocol.

    Args:
        people: Photos of everybody.
        protocol: `same-photo` or `cross-photo`.
        probed: The people who are searched for; all others only fill the gallery.

    Raises:
        DataFolderError: Nobody can be searched for.
    """
    pairs: list[Pair] = []
    distractors: list[ImageFile] = []
    for person, photos in sorted(people.items()):
        if protocol == "same-photo" and person in probed:
            pairs += [Pair(photo.id, photo, photo, person) for photo in photos]
        elif protocol == "same-photo":
            distractors += photos
        elif person in probed and len(photos) > 1:
            pairs.append(Pair(photos[0].id, photos[0], photos[1], person))
        else:
            distractors.append(photos[0])
    if not pairs:
        raise DataFolderError("Nobody can be searched for: cross-photo needs people with two.")
    return PairsData(pairs=pairs, distractors=distractors)


def create_lfw_system(
    methods: Sequence[str], *, embedder: str, device: str, environment: Mapping[str, str]
) -> System:
    """Load everything the benchmark needs: faces are found in photos, which are then sketched.

    Raises:
        UnknownNameError: A name is in no table.
        WeightsError: Weights are missing or damaged.
        DeviceError: The device is not there.
    """
    bare = create_system(
        embedder=embedder,
        methods=(),
        device=device,
        weights=choose_weights_folder(environment),
        allow_many=True,
    )
    chosen, desk = choose_device(bare.device), Desk()
    simulated = [
        create_simulated(name, embedder=bare.embedder, device=chosen, desk=desk) for name in methods
    ]
    return replace(bare, methods=tuple(simulated), sketch_finder=bare.photo_finder)


def benchmark_lfw(
    options: LFWOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Run the benchmark, write its folder, and return what to tell the user.

    Raises:
        ForensicError: Anything that the user can mend; nothing is left in `out` then.
    """
    with whole_folder(out) as unfinished:
        people = photos_of_people(options.lfw)
        probed = read_people(options.people, people) if options.people else set(people)
        data = arrange(people, protocol=options.protocol, probed=probed)
        system = create_lfw_system(
            options.methods,
            embedder=options.embedder,
            device=options.device,
            environment=environment,
        )
        stored = (
            load_stored(options.gallery_index, system.embedder) if options.gallery_index else None
        )
        if stored:
            data = replace(data, distractors=[])  # the index holds the other people instead
        is_paper = options.protocol == "same-photo"
        outcome = run_pairs(
            data,
            system,
            cache_folder=cache or default_cache_folder(environment),
            sketch_kind="simulated",
            command=options.command(),
            benchmark=f"lfw-{options.protocol}",
            published=PUBLISHED if is_paper else {},
            extras=Extras(
                subject=_subject(options, people, probed),
                stored=stored,
                published_means=CSI_BESIDE if is_paper else {},
            ),
        )
        pictures = case_pictures(outcome, system) if options.show_faces else []
        write_pages(outcome.report, pictures, unfinished)
        write_json(unfinished / REPORT, outcome.report.model_dump(mode="json"))
    return f"{summary_text(outcome.report)}\n{out / 'report.html'}"


def _subject(
    options: LFWOptions, people: Mapping[str, Sequence[ImageFile]], probed: set[str]
) -> str:
    """Return who is in the folder and who is searched for."""
    photos = sum(map(len, people.values()))
    listed = f"the {count(len(probed))} people of {options.people.name}" if options.people else ""
    return (
        f"{count(photos)} photos of {count(len(people))} people in {options.lfw.name}; searched "
        f"for: {listed or 'everybody'}"
    )
