"""What ``seqinfo.ini`` says of a sequence, in MOTChallenge's layout."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

from reid_plugins_tracks.frames import below
from reidcore.errors import DataError

__all__ = ["image_folder", "sequence_rate"]

_NAME, _SECTION, _IMAGES = "seqinfo.ini", "Sequence", "img1"


def image_folder(sequence: Path) -> Path:
    """Return where the images of a sequence's folder are: as its file says, or in ``img1``.

    Raises:
        DataError: the file cannot be read, or names a folder elsewhere.
    """
    return below(sequence, _told(sequence).get("imDir", _IMAGES), sequence / _NAME)


def sequence_rate(sequence: Path) -> float | None:
    """Return how many frames a second a sequence has; None where no file says it.

    Raises:
        DataError: the file cannot be read, or says what is no number.
    """
    told = _told(sequence).get("frameRate")
    if told is None:
        return None
    try:
        rate = float(told)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise DataError(
            f"{str(sequence / _NAME)!r} has the frameRate {told!r}", "Write frames a second."
        )
    return rate


def _told(sequence: Path) -> Mapping[str, str]:
    file = sequence / _NAME
    info = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        info.read(file, encoding="utf-8-sig")
    except (configparser.Error, UnicodeError) as error:
        raise DataError(f"{str(file)!r} cannot be read ({error})", "Correct it.") from error
    return info[_SECTION] if info.has_section(_SECTION) else {}
