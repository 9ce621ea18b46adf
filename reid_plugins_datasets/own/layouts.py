r"""Common trees of images, recognised: which options of the dataset ``folder`` read one.

Understood are images named as Market1501's, or by camera and identity at their beginning, a folder
for each identity, with or without folders of cameras in it or cameras in the files' names, and a
folder for each camera with folders of identities, or with files that begin with the identity: each
in ``train``, ``query`` and ``gallery`` (or what others call them) or without such folders.
"""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple

from reidcore.data import MARKET_PATTERN, is_image, is_side_file

__all__ = ["Layout", "recognise"]

SPLIT_NAMES = {
    "train": ("train", "bounding_box_train", "image_train", "training"),
    "query": ("query", "image_query", "probe", "queries"),
    "gallery": ("gallery", "bounding_box_test", "image_test", "test", "database"),
}
"""What folders of splits are called, in whatever case, the most likely first."""

_NAMES_OF_SPLITS = frozenset(name for names in SPLIT_NAMES.values() for name in names)

_LOOKED_AT = 2000
_FITTING = 0.9
"""Share of the images that have to be alike."""

_DEEPEST = 8
_MOST_CAMERAS = 64
_CAMERA = re.compile(r"c[_-]?\d{1,3}|cam(?:era)?(?:[_-]\w+|\w{1,3})", re.IGNORECASE)
_NUMBERED_CAMERA = re.compile(r"c(?:am(?:era)?)?\d{1,3}", re.IGNORECASE)
_MARKS = "-_."
_CAMERA_IN_NAME = re.compile(r"/(?:.*[^a-zA-Z])?(c(?:am(?:era)?)?[_-]?)\d")
_PERSON_IN_NAME = r"(?P<pid>-1|\d+)[_-]"


class Layout(NamedTuple):
    """A tree that is understood.

    Attributes:
        options: of the dataset ``folder``: those that are not its defaults.
        example: a path below a split, and whom it shows.
    """

    options: dict[str, str]
    example: str

    def words(self) -> str:
        """Return the options as a command line takes them."""
        quoted = {name: shlex.quote(value) for name, value in self.options.items()}
        return " ".join(f"folder.{name}={value}" for name, value in quoted.items())


def recognise(root: Path) -> Layout | None:
    """Return how a tree is read, by the names in it; None if it is none of those understood."""
    splits = _splits_in(root)
    folders = [root / name for name in splits.values()]
    paths = [path for folder in folders for path in _some_below(folder, _LOOKED_AT)]
    pattern = _pattern_of(paths)
    found = [match for path in paths if pattern and (match := re.search(pattern, path))]
    if not found or len(found) < _FITTING * len(paths):
        return None
    first = found[0]
    camera = f", camera {first['camid']!r}" if "camid" in first.groupdict() else ", camera unknown"
    options = {split: name for split, name in splits.items() if name != split}
    if pattern != MARKET_PATTERN:
        options["pattern"] = pattern
    return Layout(options, f"{first.string!r} is identity {first['pid']!r}{camera}")


def _splits_in(root: Path) -> dict[str, str]:
    """Return split -> its folder; the whole tree is for training where it has no such folders.

    They may lie deeper, in folders that are the only ones with images; and so may the folders of
    identities or cameras, of which there are several then.
    """
    below = Path()
    for _ in range(_DEEPEST):
        folder = root / below
        if found := _named_splits(folder):
            return {split: (below / name).as_posix() for split, name in found.items()}
        if any("/" not in path for path in islice(_images_below(folder), 1)):
            break  # of one identity: the folders above are its own
        within = _folders_of(folder)
        match list(islice((name for name in within if any(_images_below(folder / name))), 2)):
            case [only]:
                below /= only
            case [_, _]:
                is_identity = all(map(_CAMERA.fullmatch, within))
                return {"train": (below.parent if is_identity else below).as_posix()}
            case _:
                break
    return {"train": "."}


def _named_splits(folder: Path) -> dict[str, str]:
    """Return split -> the folder that is called so."""
    there: dict[str, str] = {}
    for name in _folders_of(folder):
        there.setdefault(name.casefold(), name)
    there |= {name: name for name in there.values()}  # as it is written goes first
    found = {
        split: there[name]
        for split, names in SPLIT_NAMES.items()
        for name in [name for name in names if name in there][:1]
    }
    if "query" not in found or "gallery" not in found:
        found = {split: name for split, name in found.items() if split == "train"}
    return found


def _folders_of(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if not is_side_file(name))


def _images_below(folder: Path) -> Iterator[str]:
    for above, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not is_side_file(name))
        for name in sorted(names):
            if is_image(name) and not is_side_file(name):
                yield Path(above, name).relative_to(folder).as_posix()


def _some_below(folder: Path, most: int) -> Iterator[str]:
    """Yield images of a large tree from each of its folders, not all from its first."""
    names = [name for name in _folders_of(folder) if not (folder / name).is_symlink()]
    share = max(1, most // (len(names) + 1))
    yield from islice(takewhile(lambda path: "/" not in path, _images_below(folder)), share)
    for name in names:
        yield from (f"{name}/{path}" for path in _some_below(folder / name, share))


def _pattern_of(paths: Sequence[str]) -> str:
    """Return the pattern that says whom images show, by their paths; nothing if none does."""
    parts = [path.split("/") for path in paths]
    depth, count = Counter(map(len, parts)).most_common(1)[0] if parts else (0, 0)
    if count < _FITTING * len(parts):
        return ""
    if depth < 2:
        return _pattern_of_names(paths) if depth else ""
    parts = [part for part in parts if len(part) == depth]
    outer = {part[0] for part in parts}
    if any(name.casefold() in _NAMES_OF_SPLITS for part in parts for name in part[:2]):
        return ""  # datasets side by side: a split is neither a camera nor an identity
    if all(map(_CAMERA.fullmatch, outer)):
        camera = _group("camid", outer)
        if depth == 2:
            return f"^{camera}/{_person_in_name([part[1] for part in parts])}"
        return f"^{camera}/{_group('pid', {part[1] for part in parts})}/"
    person = _group("pid", outer)
    if depth == 2:
        if token := _CAMERA_IN_NAME.search("/".join(parts[0])):
            in_name = rf"^{person}/(?:.*[^a-zA-Z])?{token[1]}(?P<camid>\d+)"
            if sum(bool(re.search(in_name, path)) for path in paths) >= _FITTING * len(paths):
                return in_name
        return f"^{person}/"
    if sum(bool(_CAMERA_IN_NAME.search("/".join(part[-2:]))) for part in parts) >= _FITTING * len(
        parts
    ):
        return ""  # the camera is in the names: folders are of classes, dates or identities
    inner = {part[1] for part in parts}
    if _are_people_seen_by_all(outer, {(part[0], part[1]) for part in parts}):
        return f"^{_group('camid', outer)}/{_group('pid', inner)}/"
    if all(map(_CAMERA.fullmatch, inner)) or len(inner) <= min(_MOST_CAMERAS, len(paths) // 2):
        return f"^{person}/{_group('camid', inner)}/"
    return f"^{person}/"  # tracklets, or dates


def _are_people_seen_by_all(outer: set[str], pairs: set[tuple[str, str]]) -> bool:
    """Say whether folders within others are identities, though nothing is called a camera.

    They have names, are twice as many as the folders above, and most of them lie in several.
    """
    seen = Counter(inner for _, inner in pairs)
    if any(name[0].isdigit() or _CAMERA.fullmatch(name) for name in seen):
        return False
    return len(seen) >= 2 * len(outer) and 2 * sum(n > 1 for n in seen.values()) > len(seen)


def _person_in_name(names: Sequence[str]) -> str:
    """Return what finds the identity at the beginning of names: a number, or a name that recurs."""
    people = [re.split(f"[{_MARKS}]", name)[0] for name in names]
    if all(who and not who[0].isdigit() for who in people) and 1 < len(set(people)) <= (
        len(people) // 2
    ):
        return f"(?P<pid>[^{_MARKS}]+)[{_MARKS}]"
    return _PERSON_IN_NAME


def _pattern_of_names(names: Sequence[str]) -> str:
    """Return the pattern of file names alone: Market1501's, or camera and identity between marks.

    The identity is next to the camera, at the beginning, and seen twice on average: a number that
    differs from file to file is a frame's.
    """
    fitting = sum(bool(re.search(MARKET_PATTERN, name)) for name in names)
    if fitting >= _FITTING * len(names):
        return MARKET_PATTERN
    tokens = [each for name in names if len(each := re.split(f"[{_MARKS}]", name)) > 2]
    for camera, person in ((0, 1), (1, 0)):
        found = [each for each in tokens if _NUMBERED_CAMERA.fullmatch(each[camera])]
        people = {each[person] for each in found} - {""}
        if len(found) >= _FITTING * len(names) and 0 < 2 * len(people) <= len(found):
            seen = _group("camid", {each[camera] for each in found}, _MARKS)
            who = f"(?P<pid>[^{_MARKS}]+)"
            first, second = (seen, who) if camera == 0 else (who, seen)
            return f"^{first}[{_MARKS}]{second}[{_MARKS}]"
    return MARKET_PATTERN


def _group(name: str, texts: set[str], marks: str = "/") -> str:
    """Return a group for numbers behind what they share, or for names, which marks end."""
    stems = {re.sub(r"\d+$", "", text) for text in texts if text != "-1"}
    if len(stems) == 1 and all(re.search(r"\d$", text) for text in texts):
        junk = "-1|" if "-1" in texts else ""
        return f"{re.escape(stems.pop())}(?P<{name}>{junk}\\d+)"
    return f"(?P<{name}>[^{marks}]+)"
