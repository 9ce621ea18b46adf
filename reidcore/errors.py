"""Errors that are told in one line, and whose they are: the user's to mend, or a plugin's.

``UserError`` is what was asked wrongly, and the command line exits 2. ``PluginDefectError`` is what
a plugin's code did or gave wrongly, and it exits 1, as any other exception does. A plugin that was
asked for and cannot be had, or conflicts with another, was asked wrongly: ``PluginError``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from reidcore._wording import bounded, counted, quoted

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "PluginDefectError",
    "PluginError",
    "UnknownNameError",
    "UserError",
    "counted",
    "did_you_mean",
    "printable",
    "quoted",
]

_STEERING = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f"  # control characters, but tab and newline
    "\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb"
    "\\ud800-\\udfff\\U000e0000-\\U000e007f"  # what no encoding has; tags
)
_IN_LINES, _IN_ONE_LINE = re.compile(f"[{_STEERING}]"), re.compile(f"[\\t\\n{_STEERING}]")
_SUGGESTED, _BEGINNING = 3, 3  # names at most; characters at least


class ExplainedError(Exception):
    """An error that is told in one line.

    Args:
        what: what is wrong, naming the thing and where it came from.
        hint: the next step to take.

    Of a line of thousands of characters the beginning and the end are kept.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = bounded(what)
        self.hint = bounded(hint)
        super().__init__(self.what, self.hint)

    def __str__(self) -> str:
        if not self.hint:
            return self.what
        end = "" if self.what.endswith("?") else "."
        return f"{self.what.rstrip('.')}{end} {self.hint}"


class UserError(ExplainedError):
    """Something the user can mend; the command line shows it in one line and exits 2."""


class UnknownNameError(UserError):
    """No component, key or layer bears that name."""


class ConfigError(UserError):
    """The run configuration holds one or more mistakes."""


class UnknownOptionError(UnknownNameError, ConfigError):
    """A component has no option of that name."""


class DataError(UserError):
    """A dataset, a split or an image is missing, empty or unreadable."""


class CheckpointError(UserError):
    """A checkpoint is missing, corrupt, foreign or refuses safe loading."""


class PluginError(UserError):
    """A plugin that was asked for is broken, missing or in conflict with another."""


class PluginDefectError(ExplainedError):
    """A plugin's code failed or gave something wrong: a defect of its own, by its name; exits 1."""

    def __init__(
        self, what: str, hint: str = "That is a mistake in the plugin; tell its author."
    ) -> None:
        super().__init__(what, hint)


class ToldElsewhereError(Exception):
    """Another process of the run has told why it ends.

    Args:
        is_mistake: whether it was the user's to mend, which decides the exit code.
    """

    def __init__(self, is_mistake: bool) -> None:
        super().__init__("another process of the run failed, and says why")
        self.is_mistake = is_mistake


def printable(text: object, *, one_line: bool = False) -> str:
    r"""Return text that may be shown: names come from files, and may steer a terminal or lie.

    Escape sequences and other control characters, marks that turn or hide text, and lone surrogates
    (bytes of a file's name that are no text) become escapes such as ``\x1b``.

    Args:
        text: what is shown, such as a file's name.
        one_line: escape newlines and tabs too, as in a name inside of a sentence.
    """
    unsafe = _IN_ONE_LINE if one_line else _IN_LINES
    return unsafe.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))


def did_you_mean(name: object, candidates: Iterable[str]) -> str:
    """Return ``"Did you mean 'x' or 'y'?"``, or an empty string where nothing is near.

    Near is what is spelled alike, or begins so (three characters or more). Nothing is near to what
    is no text, such as a number in the place of a name.
    """
    if not isinstance(name, str):
        return ""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    folded = name.casefold()
    near = difflib.get_close_matches(folded, by_folded, n=_SUGGESTED, cutoff=0.6)
    longer = [key for key in by_folded if key.startswith(folded) and len(folded) >= _BEGINNING]
    near = list(dict.fromkeys([*near, *longer]))[:_SUGGESTED]
    if not near:
        return ""
    return f"Did you mean {' or '.join(repr(by_folded[key]) for key in near)}?"
