"""What an import says at its end: a table of counts, and what is worth knowing about them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reid_plugins_own_data.importing.choice import PATTERN
from reid_plugins_own_data.importing.table import Row
from reidcore.cli import number, table
from reidcore.data import first_names
from reidcore.errors import counted

if TYPE_CHECKING:
    from rich.table import Table


def counts_table(rows: Sequence[Row]) -> Table:
    """Return a table of identities, images and cameras, of each class where there are several."""
    made = table("class", *map(number, ("identities", "images", "cameras")))
    classes = sorted({row.crop.category for row in rows})
    for name in classes if len(classes) > 1 else ():
        _add(made, name or "(none)", [row for row in rows if row.crop.category == name])
    _add(made, "all" if len(classes) > 1 else classes[0] or "all", rows)
    return made


def notes(rows: Sequence[Row]) -> Iterator[str]:
    """Yield sentences on what training and testing will meet."""
    images = Counter(row.pid for row in rows)
    single = [pid for pid, count in images.items() if count == 1]
    if single:
        names = first_names(single, len(single))
        yield f"{counted(len(single), 'identity', 'identities')} with one image: {names}"
    if len(images) == 1:
        told = f"There is one identity alone, {first_names([*images], 1)}: nobody to tell it from"
        of_names = not any(row.crop.track for row in rows)
        yield (
            f"{told}. If it is none, say how names are read, as by {PATTERN}" if of_names else told
        )
    if several := _tracks_of_several_classes(rows):
        yield (
            f"{counted(len(several), 'track')} of several classes, in each of which it is an "
            f"identity of its own: {first_names(several, len(several))}"
        )
    cameras = {row.camid for row in rows}
    if cameras == {""}:
        yield "Nothing says the cameras (--camera, or camid in a pattern): they count as unknown"
    elif len(cameras) == 1:
        yield (
            f"All images are of one camera, {cameras.pop()!r}: the usual protocol finds no match; "
            "test with test.protocol=any_camera"
        )
    elif len({(row.pid, row.camid) for row in rows}) == len(images):
        yield (
            "No identity is seen by two cameras (--shared-ids, where a number means the same in "
            "all of them): nothing teaches what stays the same from one to the other"
        )


def _tracks_of_several_classes(rows: Sequence[Row]) -> list[str]:
    classes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.crop.track:
            name = " ".join(filter(None, (row.crop.sequence, row.crop.track)))
            classes[name].add(row.crop.category)
    return [name for name, several in classes.items() if len(several) > 1]


def _add(made: Table, name: str, rows: Sequence[Row]) -> None:
    cameras = {row.camid for row in rows if row.camid}
    people = {row.pid for row in rows}
    made.add_row(
        name, f"{len(people):,}", f"{len(rows):,}", f"{len(cameras):,}" if cameras else "-"
    )
