"""Where each camera's tracks and frames are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_plugins_tracks.places import first_with_frames, usual_places
from reid_plugins_tracks.seqinfo import sequence_rate

from reidcore.errors import DataError, UserError, did_you_mean, quoted

TRACKS = ("tracks.txt",)
"""What a camera's tracks are called within its folder."""

TRUTH = ("gt/gt.txt", "gt.txt")
"""What its ground truth is called."""

_SAY_NOTHING = ("tracks", "track", "gt", "results", "mot")  # names of files that name no camera


@dataclass(frozen=True)
class Camera:
    """One camera.

    Attributes:
        name: what it is called.
        tracks: the file of its tracks.
        frames: a folder of images or a video; None where nothing was found.
        fps: frames a second, as far as ``seqinfo.ini`` tells it.
    """

    name: str
    tracks: Path
    frames: Path | None
    fps: float | None


def find_cameras(words: Sequence[str], frames: Sequence[str] = ()) -> list[Camera]:
    """Return the cameras that are named, in the order of their names.

    Args:
        words: each a file of tracks, a camera's folder in MOTChallenge's layout (``tracks.txt``,
            ``img1/``, ``seqinfo.ini``), a folder of such folders, or one of them as ``NAME=PATH``.
        frames: ``NAME=PATH`` each, a folder of images or a video, where they are elsewhere.

    Raises:
        UserError: if something is not there, or two files are of one camera.
    """
    found = find_files(words, TRACKS)
    own = _named(frames, found)
    folders = Counter(map(_folder, found.values()))
    cameras = [
        Camera(
            name,
            path,
            own.get(name) or _frames_beside(path, name, folders[_folder(path)] == 1),
            _fps(path),
        )
        for name, path in sorted(found.items())
    ]
    if len(cameras) < 2:
        only = cameras[0].name
        raise UserError(
            f"there is one camera alone, {only!r}", "Give the tracks of two cameras or more."
        )
    return cameras


def find_files(words: Sequence[str], names: Sequence[str]) -> dict[str, Path]:
    """Return a file for each camera: camera -> file.

    Args:
        words: files, folders, or ``NAME=PATH``.
        names: what the file is called in a camera's folder.

    Raises:
        UserError: if something is not there, or two files are of one camera.
    """
    found: dict[str, Path] = {}
    for word in words:
        for name, path in _files(word, names):
            if name in found:
                raise UserError(
                    f"{str(found[name])!r} and {str(path)!r} are both of the camera {name!r}",
                    "Join them into one file, or name the camera of each: NAME=PATH.",
                )
            found[name] = path
    return found


def _files(word: str, names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    given, path = _parted(word)
    if path.is_file():
        yield given or _name_of(path), path
        return
    if not path.is_dir():
        raise DataError(f"there is no file or folder {str(path)!r}", "Check the path.")
    if own := _within(path, names):
        yield given or path.resolve().name, own
        return
    below = [(folder, _within(folder, names)) for folder in sorted(path.iterdir())]
    several = [(folder.name, file) for folder, file in below if file is not None]
    if not several:
        raise DataError(
            f"{str(path)!r} holds no {' or '.join(names)}, nor does a folder in it",
            "Name the files themselves: NAME=FILE.",
        )
    if given:
        raise UserError(
            f"{str(path)!r} holds {len(several)} cameras, which cannot all be {given!r}",
            "Leave the name out, or name a camera's own folder.",
        )
    yield from several


def _parted(word: str) -> tuple[str, Path]:
    """Split ``NAME=PATH``; a path that is there is one, whatever is in its name."""
    name, sign, rest = word.partition("=")
    if not sign or Path(word).exists():
        return "", Path(word)
    if not name:
        raise UserError(f"{quoted(word)} names no camera", "Write NAME=PATH.")
    if name == ".." or Path(name).name != name or "\\" in name:
        raise UserError(
            f"a camera is named {quoted(name)}, and files are named after cameras",
            "Give it a name without / and \\.",
        )
    return name, Path(rest).expanduser()


def _within(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _name_of(path: Path) -> str:
    """Return the camera of a file: its own name, or that of its folder where it says nothing."""
    place = path.resolve()
    while place.stem.lower() in _SAY_NOTHING and place.parent.name:
        place = place.parent
    return place.stem if place == path.resolve() else place.name


def _named(words: Sequence[str], cameras: Mapping[str, Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for word in words:
        name, path = _parted(word)
        if not name:
            raise UserError(f"{quoted(word)} is of no camera", "Write --frames NAME=PATH.")
        if name not in cameras:
            raise unknown_camera(name, cameras, "--frames")
        if not path.exists():
            raise DataError(f"there are no frames {str(path)!r}", "Check the path.")
        found[name] = path
    return found


def unknown_camera(name: object, cameras: Mapping[str, object], where: str) -> UserError:
    """Return the error that tells of a camera that is not there, with the nearest name."""
    near = did_you_mean(name, cameras)
    return UserError(
        f"{where} names the camera {quoted(name)}, of which there are no tracks",
        near or f"The cameras are: {', '.join(cameras)}.",
    )


def _folder(tracks: Path) -> Path:
    """Return the folder that tracks belong to."""
    folder = tracks.absolute().parent
    return folder.parent if folder.name == "gt" else folder


def _frames_beside(tracks: Path, name: str, is_alone: bool) -> Path | None:
    """Return the frames of a camera where they usually are; None where there are none."""
    names = (tracks.stem, name)
    return first_with_frames(
        place for each in names for place in usual_places(_folder(tracks), each, is_alone)
    )


def _fps(tracks: Path) -> float | None:
    """Return what ``seqinfo.ini`` says, beside the tracks, above them or in a folder so named."""
    folders = (tracks.parent, tracks.parent.parent, tracks.with_suffix(""))
    return next(filter(None, map(sequence_rate, folders)), None)
