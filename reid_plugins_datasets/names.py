"""File names that carry labels: read many, and tell of all the wrong ones at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reidcore.errors import DataError

_SHOWN = 3


@dataclass(frozen=True)
class NameForm:
    r"""How the files of a dataset are named.

    Attributes:
        pattern: what a whole name looks like; its groups carry the labels.
        example: a name of this form, and in words what it says.
        ranges: named group -> the whole numbers it may hold.

    Example:
        >>> form = NameForm(
        ...     re.compile(r"(?P<pid>\d{4})_c(?P<camera>\d)_f\d{7}\.jpg"),
        ...     "0005_c2_f0046985.jpg: identity 5, camera 2",
        ...     {"camera": range(1, 9)},
        ... )
        >>> [int(match["pid"]) for match in form.read(["0005_c2_f0046985.jpg"], "query")]
        [5]
    """

    pattern: re.Pattern[str]
    example: str
    ranges: dict[str, range] = field(default_factory=dict)

    def read(self, names: Sequence[str], where: object) -> list[re.Match[str]]:
        """Match every name, in the order given.

        Args:
            names: file names, without the folders above.
            where: the folder or list they come from, for messages.

        Raises:
            DataError: names have another form, or labels out of range; it counts them and shows
                the first three.
        """
        matches = [self.pattern.fullmatch(name) for name in names]
        strangers = [name for name, match in zip(names, matches, strict=True) if match is None]
        if strangers:
            raise DataError(
                f"{counted(strangers, names)} in {str(where)!r} not named as expected: "
                f"{shown(strangers)}",
                f"Expected names such as {self.example}. Move other files away, or read the "
                "folders with the dataset 'folder' and a pattern of your own",
            )
        read = [match for match in matches if match is not None]
        for group, allowed in self.ranges.items():
            _check_range(read, group, allowed, where)
        return read


def _check_range(
    matches: Sequence[re.Match[str]], group: str, allowed: range, where: object
) -> None:
    outside = [match.string for match in matches if int(match[group]) not in allowed]
    if outside:
        names = [match.string for match in matches]
        raise DataError(
            f"{counted(outside, names)} in {str(where)!r} with a {group} outside "
            f"{allowed[0]}..{allowed[-1]}: {shown(outside)}",
            "This is not the dataset, or another version of it",
        )


def counted(some: Sequence[object], everything: Sequence[object]) -> str:
    """Say how many of how many files: ``1 file of 30 is``, ``2 files of 30 are``."""
    files, verb = ("file", "is") if len(some) == 1 else ("files", "are")
    return f"{len(some)} {files} of {len(everything)} {verb}"


def shown(names: Iterable[object]) -> str:
    """Show the first three names, and that there are more."""
    known = [repr(str(name)) for name in names]
    more = ", ..." if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more
