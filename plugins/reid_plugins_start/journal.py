"""What a road remembers: which steps are done, from what, and how they ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reidcore.errors import DataError
from reidcore.utils import read_json, write_json

FORMAT = 1

DONE, RUNNING, FAILED, LEFT_OUT = "done", "running", "failed", "left out"


@dataclass
class Entry:
    """How one step went.

    Attributes:
        state: ``done``, ``running`` (or stopped), ``failed`` or ``left out``.
        key: what it was made from, as a hash; another one makes it anew.
        command: what was run, as a shell takes it; empty if it was left out.
        told: why it failed or was left out.
        began: when it was first begun with this key, in seconds since 1970.
        seconds: how long it took.
    """

    state: str
    key: str
    command: str = ""
    told: str = ""
    began: float = 0.0
    seconds: float = 0.0


@dataclass
class Journal:
    """The steps of a road, by name.

    Attributes:
        file: where it is kept, written whole after each change.
        entries: step -> how it went.
    """

    file: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Journal:
        """Read it, or begin a new one.

        Raises:
            UserError: the file is there and is none.
        """
        if not file.is_file():
            return cls(file)
        record = read_json(file)
        try:
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']}")
            entries = {name: Entry(**entry) for name, entry in record["steps"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{str(file)!r} does not say how far a road has come ({error})",
                "Remove it to begin anew, or name another folder with -o",
            ) from error
        return cls(file, entries)

    def note(self, name: str, entry: Entry) -> None:
        """Keep how a step went."""
        self.entries[name] = entry
        self._write()

    def forget(self, names: list[str]) -> None:
        """Forget steps, which are then done anew."""
        for name in names:
            self.entries.pop(name, None)
        self._write()

    def holds(self, name: str, key: str, state: str = DONE) -> bool:
        """Say whether a step with this key is in a state."""
        entry = self.entries.get(name)
        return entry is not None and (entry.key, entry.state) == (key, state)

    def began(self, name: str, key: str) -> float | None:
        """Return when a step with this key was begun that did not end well; None if none was."""
        entry = self.entries.get(name)
        if entry is None or entry.key != key or entry.state not in (RUNNING, FAILED):
            return None
        return entry.began

    def _write(self) -> None:
        steps: dict[str, Any] = {name: asdict(entry) for name, entry in self.entries.items()}
        write_json({"format": FORMAT, "steps": steps}, self.file)
