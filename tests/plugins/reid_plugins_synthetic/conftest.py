"""What was drawn, in short."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def digest() -> Callable[[Path], str]:
    """Return a hash of all names and bytes below a folder."""

    def digest(folder: Path) -> str:
        found = hashlib.sha256()
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
        return found.hexdigest()

    return digest
