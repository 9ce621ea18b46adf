"""Torchreid's ``Logger``, which its users' scripts put in the place of standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from reidcore.utils import PathLike, mkdir_if_missing


class Logger:
    """Writes to standard output and to a file at once: ``sys.stdout = Logger("log/train.txt")``.

    Args:
        fpath: the file, made anew; without it only standard output is written to.
    """

    def __init__(self, fpath: PathLike | None = None) -> None:
        self.console = sys.stdout
        self.file: IO[str] | None = None
        if fpath is not None:
            mkdir_if_missing(Path(fpath).parent)
            self.file = Path(fpath).open("w", encoding="utf-8")  # noqa: SIM115

    def write(self, msg: str) -> int:
        """Write text to both."""
        if self.file is not None:
            self.file.write(msg)
        return self.console.write(msg)

    def flush(self) -> None:
        """Make sure that both have what was written."""
        self.console.flush()
        if self.file is not None:
            self.file.flush()

    def isatty(self) -> bool:
        """Say whether standard output is a terminal."""
        return self.console.isatty()

    def close(self) -> None:
        """Close the file; standard output stays open."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def __enter__(self) -> Logger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
