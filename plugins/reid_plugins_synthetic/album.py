"""Which pictures a data set holds: who is seen where, how often, and under which file name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Literal

from reid_plugins_synthetic.cameras import CAMERAS
from reid_plugins_synthetic.marker import check_limits
from reid_plugins_synthetic.people import Person, draw_people

TRAIN, QUERY, GALLERY = "bounding_box_train", "query", "bounding_box_test"

Kind = Literal["person", "clipped", "nobody"]

_LARGEST_PID = 1501
_FEWEST_PIXELS = 16


@dataclass(frozen=True)
class Settings:
    """What a synthetic data set is made from; equal settings give equal bytes.

    Args:
        train_ids: number of people to learn from.
        test_ids: number of other people to find.
        cameras: number of cameras, 2 to 6.
        images_per_camera: pictures of each person by each camera (a query comes on top).
        height: height of a picture in pixels.
        width: width of a picture in pixels.
        seed: seed of everything drawn.
    """

    train_ids: int = 80
    test_ids: int = 60
    cameras: int = 6
    images_per_camera: int = 3
    height: int = 128
    width: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "train_ids": (0, _LARGEST_PID),
            "test_ids": (0, _LARGEST_PID - max(0, self.train_ids)),
            "cameras": (2, len(CAMERAS)),
            "images_per_camera": (1, 99),
            "height": (_FEWEST_PIXELS, 2048),
            "width": (_FEWEST_PIXELS, 2048),
        }
        check_limits(self, limits, "synthetic dataset")

    def as_dict(self) -> dict[str, int]:
        """Return the settings by name."""
        return asdict(self)


@dataclass(frozen=True)
class Shot:
    """One picture to take.

    Args:
        folder: `TRAIN`, `QUERY` or `GALLERY`.
        name: file name in Market1501's form.
        person: who is in it.
        camera: camera, base 0.
        kind: a whole person, a part of one, or nobody.
    """

    folder: str
    name: str
    person: Person
    camera: int
    kind: Kind


def shots(settings: Settings) -> Iterator[Shot]:
    """Yield every picture of a data set, in the order of identities."""
    everyone = settings.train_ids + settings.test_ids
    crowd = draw_people(everyone + 1, Random(f"{settings.seed}/people"))
    for pid in range(1, everyone + 1):
        frames = _frames(settings, pid)
        for camera in range(settings.cameras):
            yield from _sightings(settings, pid, camera, crowd[pid], frames)
    if settings.test_ids:
        yield from _strays(settings, crowd)


def _sightings(
    settings: Settings, pid: int, camera: int, person: Person, frames: Iterator[int]
) -> Iterator[Shot]:
    """Yield the pictures of one person by one camera; of a test person, a query besides."""
    known = pid <= settings.train_ids
    if not known:
        yield Shot(QUERY, _name(pid, camera, next(frames), 0), person, camera, "person")
    folder = TRAIN if known else GALLERY
    for _ in range(settings.images_per_camera):
        yield Shot(folder, _name(pid, camera, next(frames), 1), person, camera, "person")


def _strays(settings: Settings, crowd: list[Person]) -> Iterator[Shot]:
    """Yield what a detector adds by mistake: distractors (0000) and junk boxes (-1)."""
    random = Random(f"{settings.seed}/strays")
    frames = _frames(settings, 0)
    for _ in range(max(2, settings.test_ids // 2)):
        camera = random.randrange(settings.cameras)
        kind: Kind = random.choice(("nobody", "clipped"))
        yield Shot(GALLERY, _name(0, camera, next(frames), 1), crowd[0], camera, kind)
    for _ in range(max(2, settings.test_ids // 4)):
        camera, pid = random.randrange(settings.cameras), random.randrange(settings.test_ids)
        person = crowd[1 + settings.train_ids + pid]
        yield Shot(GALLERY, _name(-1, camera, next(frames), 1), person, camera, "clipped")


def _frames(settings: Settings, pid: int) -> Iterator[int]:
    """Yield distinct, ascending frame numbers for the pictures of one identity."""
    random = Random(f"{settings.seed}/frames/{pid}")
    frame = random.randrange(1, 20_000)
    while True:
        yield frame
        frame += random.randrange(1, 100)


def _name(pid: int, camera: int, frame: int, box: int) -> str:
    shown = "-1" if pid < 0 else f"{pid:04d}"
    return f"{shown}_c{camera + 1}s1_{frame:06d}_{box:02d}.jpg"
