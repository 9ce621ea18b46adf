"""One step of a road: a command of the command line, or something that this package does itself."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

STEPS = (
    "import",
    "split",
    "check",
    "choose",
    "train",
    "calibrate",
    "export",
    "report",
    "hand-over",
)
"""The names of all steps, in their order."""

Word = str | Path
"""A word of a command; a path is relative to the working directory, and stands for its file."""


def _nothing() -> None:
    pass


def _no_words(began: float | None) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Step:
    """What is done, and what comes of it.

    Attributes:
        name: by which ``--from`` knows it.
        title: what it does, in a few words.
        command: words of a ``reidcore`` command; none for one that is left out.
        is_own: whether `act` does what the command says, which is then not run: one of ``reidcore
            start`` itself.
        further: words that say how it begins where something is there already, which change no
            result. It is given when the same step was begun (seconds since 1970) and did not end,
            None if it was not.
        made_from: texts that change where what it works on does, beside the command.
        products: files that it leaves.
        stdout: file that takes its standard output.
        makes: folder of that file, where no command before has made it: a shell does not.
        codes: exit codes of its command that are no failure.
        act: what is done after the command, or in its place; it may raise a UserError.
        needed: whether the road ends where it fails.
        otherwise: what is done where it fails and is not needed, or is left out.
        left_out: why it is not done; empty if it is.
    """

    name: str
    title: str
    command: Sequence[Word] = ()
    is_own: bool = False
    further: Callable[[float | None], Sequence[str]] = _no_words
    made_from: Sequence[str] = ()
    products: Sequence[Path] = ()
    stdout: Path | None = None
    makes: Path | None = None
    codes: Sequence[int] = (0,)
    act: Callable[[], None] = _nothing
    needed: bool = True
    otherwise: Callable[[], None] = _nothing
    left_out: str = ""

    def shown(self, leading: Sequence[str] = (), further: Sequence[str] = ()) -> str:
        """Return the command as a shell takes it.

        Args:
            leading: options that stand before it, such as ``-p FILE``.
            further: words behind it.
        """
        words = ["reidcore", *leading, *map(str, self.command), *further]
        into = f" > {shlex.quote(str(self.stdout))}" if self.stdout else ""
        before = f"mkdir -p {shlex.quote(str(self.makes))} && " if self.makes else ""
        return before + shlex.join(words) + into

    def key(self, before: str) -> str:
        """Return a hash of what decides its result.

        Args:
            before: the same of the step before it, and how that ended.
        """
        words = [str(word.absolute()) if isinstance(word, Path) else word for word in self.command]
        text = json.dumps([before, self.name, words, list(self.made_from), self.left_out])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
