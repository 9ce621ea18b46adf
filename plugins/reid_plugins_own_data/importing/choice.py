"""Which importer reads a source: the one that is named, or the one that recognises it."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from reid_plugins_tracks.videos import is_video

from reid_plugins_own_data.crop import Importer, Recognised
from reid_plugins_own_data.importing.table import LABELS
from reidcore.data import is_image, is_side_file
from reidcore.errors import ConfigError, PluginDefectError, UserError, did_you_mean
from reidcore.plugins import Plugins
from reidcore.registry import Component, Entry, declared_options, published, read_options, select

_log = logging.getLogger(f"reidcore.{__name__}")

KIND = "import formats"
PATTERN = r"pattern='(?P<camid>cam\d+)-(?P<pid>[a-z]+)'"
"""How names of files are read: an example."""


class Chosen(NamedTuple):
    """An importer for a source.

    Attributes:
        entry: the importer as it is registered.
        importer: the importer itself.
        reason: why it was chosen; empty if it was named.
    """

    entry: Entry
    importer: Importer
    reason: str = ""


def choose_importer(
    source: Path, name: str, options: Mapping[str, Any], plugins: Plugins
) -> Chosen:
    """Return the importer of a name or, without one, the importer that recognises a source.

    Args:
        source: a file or folder.
        name: the format; empty to find it out.
        options: of the importer; without a name they are a hint, for not every format has them.
        plugins: where to look.

    Raises:
        UserError: the source is not there, or packed; no format is named so, none recognises it,
            or several do; an option is unknown or wrong.
    """
    _check_source(source)
    known = published(KIND, "reid_register_importers", plugins)
    if name:
        entry = select(KIND, name, known)
        return Chosen(entry, _made(entry, options))
    fitting = [entry for entry in known if options.keys() <= _options_of(entry)]
    if not fitting:
        raise _unknown_option(options, known)
    looks = [(_recognised(source, chosen), chosen) for chosen in _makeable(fitting, options)]
    found = [chosen._replace(reason=look.reason) for look, chosen in looks if look is not None]
    sure = [chosen._replace(reason=look.reason) for look, chosen in looks if look and look.is_sure]
    match sure or found:
        case [chosen]:
            return chosen
        case []:
            raise _unrecognised(source, known)
        case several:
            raise _ambiguous(source, several)


def _check_source(source: Path) -> None:
    if not source.exists():
        raise UserError(f"there is no file or folder {str(source)!r}", "Check the path")
    if (source / LABELS).is_file():
        raise UserError(
            f"{str(source)!r} has a table {LABELS}: it is a dataset already",
            f"reidcore data split {source} draws its splits, and csv.file={LABELS} reads it",
        )
    if is_video(source):
        raise UserError(
            f"{str(source)!r} is a video, and says not who is in it",
            f"Run a tracker over it, and import the tracks: reidcore data import tracks.txt DEST "
            f"frames={source}",
        )
    if source.is_file() and (zipfile.is_zipfile(source) or source.suffix in (".tar", ".gz", ".7z")):
        raise UserError(f"{str(source)!r} is an archive", "Unpack it, and name the folder")


def _options_of(entry: Entry) -> set[str]:
    return {*declared_options(entry), *entry.options}


def _made(entry: Entry, options: Mapping[str, Any]) -> Importer:
    importer = Component(entry, read_options(entry, options)).make()
    if not all(callable(getattr(importer, method, None)) for method in ("recognise", "crops")):
        raise entry.defect(importer, "an object with the methods recognise and crops")
    made: Importer = importer
    return made


def _makeable(entries: list[Entry], options: Mapping[str, Any]) -> list[Chosen]:
    """Return those that can be made; an option's wrong value is told unless another takes it."""
    made: list[Chosen] = []
    mistakes: list[ConfigError] = []
    for entry in entries:
        try:
            made.append(Chosen(entry, _made(entry, options)))
        except ConfigError as error:  # an option that must be given is not, or one is wrong
            mistakes.append(error)
    if mistakes and not made:
        raise mistakes[0]
    return made


def _recognised(source: Path, chosen: Chosen) -> Recognised | None:
    try:
        look = chosen.importer.recognise(source)
    except (UserError, OSError) as error:
        _log.debug("%s does not take %s: %s", chosen.entry.label, source, error)
        return None
    except Exception as error:
        raise PluginDefectError(
            f"{chosen.entry.origin} failed on {str(source)!r} ({error!r})",
            "Name the format to do without it: --format NAME",
        ) from error
    if look is not None and not isinstance(look, Recognised):
        raise chosen.entry.defect(look, "a Recognised, or None", "recognise")
    return look


def _unknown_option(options: Mapping[str, Any], known: list[Entry]) -> UserError:
    spelled = {option for entry in known for option in _options_of(entry)}
    unknown = sorted(options.keys() - spelled)
    if not unknown:
        return ConfigError(
            f"no format has all the options {', '.join(map(repr, sorted(options)))}",
            "Leave out some, or name the format: --format NAME",
        )
    near = did_you_mean(unknown[0], spelled)
    return ConfigError(
        f"no format has an option {unknown[0]!r}",
        f"{near} There are {', '.join(sorted(spelled))}.".strip(),
    )


def _unrecognised(source: Path, known: list[Entry]) -> UserError:
    formats = ", ".join(f"{entry.name} ({entry.summary})" for entry in known)
    below = (Path(place, name) for place, _, names in os.walk(source) for name in sorted(names))
    first = next((path for path in below if not is_side_file(path.name)), None)
    if first is None and source.is_dir():
        return UserError(f"there are no files in {str(source)!r}", "Check the path")
    example = f"; one of its files is {str(first)!r}" if first else ""
    steps = [
        f"Name its format and what that needs to be told, --format NAME OPTION=VALUE: {formats}"
    ]
    if source.suffix.lower() == ".csv":
        steps.append(f"A table of images needs no import: reidcore data split {source}")
    if first and is_image(first.name):
        steps.append(f"Names of images are read by a pattern, such as {PATTERN}")
    return UserError(f"nothing says what {str(source)!r} is{example}", ". ".join(steps))


def _ambiguous(source: Path, several: list[Chosen]) -> UserError:
    reasons = "; ".join(f"{chosen.entry.name}, for {chosen.reason}" for chosen in several)
    return UserError(
        f"{str(source)!r} looks like several formats: {reasons}",
        f"Say which: --format {several[0].entry.name}",
    )
