"""Scripts and notebooks: found, read, rewritten, and written as they were otherwise."""

from __future__ import annotations

import codecs
import difflib
import io
import os
import stat
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reid_plugins_migrate.imports.notebooks import Notebook
from reid_plugins_migrate.imports.rewriting import Remark, rewrite
from reid_plugins_migrate.imports.source import Source
from reidcore.errors import UserError, quoted
from reidcore.utils import atomic_write

_ENDINGS = (".py", ".ipynb")
_SKIPPED = ("node_modules", "site-packages", "__pycache__")
_UNENDED = "\\ No newline at end of file\n"


@dataclass(frozen=True)
class Rewritten:
    """A file and what becomes of it.

    Attributes:
        path: the file.
        old: its text.
        new: its text with reidcore's imports.
        encoding: of the file, with its byte-order mark if it has one.
        remarks: what it still needs from its author.
    """

    path: Path
    old: str
    new: str
    encoding: str
    remarks: list[Remark]

    @property
    def is_changed(self) -> bool:
        """Whether anything of it is rewritten."""
        return self.old != self.new

    def diff(self) -> str:
        """Return the difference as a patch."""
        # Lines end where Python ends them, and not at a form feed; CR LF is shown as LF.
        old, new = (io.StringIO(text, newline=None).readlines() for text in (self.old, self.new))
        name = str(self.path).lstrip("/")
        made = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n{_UNENDED}" for line in made)

    def write(self) -> None:
        """Write the file, whole or not at all; it keeps its mode, and a link stays one.

        Raises:
            UserError: if it is read-only or cannot be written.
        """
        target = self.path.resolve()
        if not os.access(target, os.W_OK):
            raise UserError(
                f"{str(self.path)!r} is read-only",
                "Make it writable, and run the command again; what was rewritten stays so.",
            )
        mode = stat.S_IMODE(target.stat().st_mode)
        with atomic_write(target) as file:
            file.write(self.new.encode(self.encoding))
        target.chmod(mode)


@dataclass(frozen=True)
class Unreadable:
    """A file that is no Python, and why."""

    path: Path
    why: str


def find_scripts(paths: Iterable[str]) -> list[Path]:
    """Return files, and the scripts and notebooks below folders, in their order.

    Folders that are hidden, and of installed packages, are left out, and so are links out of a
    folder. A file that several names lead to is returned once.

    Raises:
        UserError: if a path is not there, or nothing is below it.
    """
    found: dict[Path, Path] = {}  # what a name leads to -> the first such name
    for given in map(Path, paths):
        if not given.exists():
            raise UserError(f"there is no {str(given)!r}", "Give scripts, notebooks or folders.")
        below = list(_below(given)) if given.is_dir() else [given]
        if not below:
            raise UserError(
                f"no script or notebook is below {str(given)!r}", "Give another folder."
            )
        for path in below:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def read_rewritten(path: Path) -> Rewritten | Unreadable:
    """Read a script or notebook, and rewrite its imports.

    Raises:
        UserError: if the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from error
    try:
        if path.suffix == ".ipynb":
            return _notebook(path, data)
        encoding = _encoding(data)
        old = data.decode(encoding)
        result = rewrite(old)
        return Rewritten(path, old, Source(old).edited(result.edits), encoding, result.remarks)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        return Unreadable(path, f"{line}{error.msg}")
    except (ValueError, LookupError, RecursionError, MemoryError) as error:
        return Unreadable(path, str(error) or type(error).__name__)


def _notebook(path: Path, data: bytes) -> Rewritten:
    old = data.decode()
    notebook = Notebook.read(old)
    result = rewrite(notebook.python)
    new = notebook.with_edits(result.edits) if result.edits else old
    return Rewritten(path, old, new, "utf-8", result.remarks)


def _encoding(data: bytes) -> str:
    """Return a script's encoding, by its byte-order mark or its comment.

    Raises:
        SyntaxError: if there is no such encoding.
    """
    found, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else found


def _below(folder: Path) -> Iterator[Path]:
    top = folder.resolve()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        is_left_out = any(part in _SKIPPED or part.startswith(".") for part in inside)
        is_script = path.suffix in _ENDINGS and not is_left_out and path.is_file()
        if is_script and path.resolve().is_relative_to(top):
            yield path


def why_unreadable(faults: Iterable[Unreadable]) -> str:
    """Return a sentence on files that are no Python."""
    return "; ".join(f"{quoted(str(each.path))}: {each.why}" for each in faults)
