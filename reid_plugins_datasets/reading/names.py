"""File names that carry labels: read many, and tell of all the wrong ones at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from reidcore.errors import DataError, counted

_SHOWN = 3
_BEYOND_64_BITS = re.compile(r"[0-9]{19,}")


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

    def match(self, name: str, endings: Sequence[str] = ()) -> re.Match[str] | None:
        """Match a name, or that of a copy in another format: with one of the original endings."""
        stem = name[: name.rfind(".")]
        tried = (full_match(self.pattern, stem + ending) for ending in endings)
        return full_match(self.pattern, name) or next(filter(None, tried), None)

    def read(
        self, names: Sequence[str], where: object, endings: Sequence[str] = ()
    ) -> list[re.Match[str]]:
        """Match every name, in the order given.

        Args:
            names: file names, without the folders above.
            where: the folder or list they come from, for messages.
            endings: the original ones, where copies in another format are among the names.

        Raises:
            DataError: names have another form, or labels out of range; it counts them and shows
                the first three.
        """
        matches = [self.match(name, endings) for name in names]
        if None in matches:
            strangers = [name for name, match in zip(names, matches, strict=True) if match is None]
            raise DataError(
                f"unexpected names in {str(where)!r} ({len(strangers)} of "
                f"{counted(len(names), 'file')}): {shown(strangers)}",
                f"Expected names such as {self.example}. Move other files away, or read the "
                "folders with the dataset 'folder' and a pattern of your own",
            )
        read = [match for match in matches if match is not None]
        for group, allowed in self.ranges.items():
            check_range(read, group, allowed, where)
        return read


def full_match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Match a whole text, whose labels are numbers of at most 18 digits."""
    match = pattern.fullmatch(text)
    if match and len(text) > 18 and _BEYOND_64_BITS.search(text):
        return None if any(map(_BEYOND_64_BITS.fullmatch, match.groups(""))) else match
    return match


def check_range(
    matches: Sequence[re.Match[str]], group: str, allowed: range, where: object
) -> None:
    """Check the whole numbers in a group of matched names or lines.

    Raises:
        DataError: some are out of range; the message counts them and shows the first three.
    """
    # Labels repeat: only the distinct ones are converted.
    wrong = {text for text in set(map(itemgetter(group), matches)) if int(text) not in allowed}
    if wrong:
        outside = [match.string for match in matches if match[group] in wrong]
        raise DataError(
            f"{group} outside {allowed[0]}..{allowed[-1]} in {str(where)!r} "
            f"({len(outside)} of {counted(len(matches), 'file')}): {shown(outside)}",
            "It is another dataset, or another version of it",
        )


def shown(names: Iterable[object]) -> str:
    """Show the first three names, and how many more there are."""
    known = [repr(str(name)) for name in names]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(known[:_SHOWN]) + more
