"""A new plugin package, written from templates whole or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from string import Template

from reid_plugins_scaffold.drafts import DRAFTS
from reid_plugins_scaffold.naming import Names, checked_names
from reidcore.errors import UserError
from reidcore.plugins import Plugins
from reidcore.utils import atomic_folder

TEMPLATES = Path(__file__).parent / "templates"


def write_package(
    kind: str, name: str, folder: Path, plugins: Plugins, commands: Collection[str] = ()
) -> list[Path]:
    """Write a plugin package that installs, is listed and passes its own tests.

    Args:
        kind: what it brings, one of ``DRAFTS``.
        name: of the plugin and of what it brings.
        folder: where the package's own folder goes.
        plugins: the installed ones, whose names are taken.
        commands: those that there are, whose names a new command does not take.

    Returns:
        The files, the package's ``README.md`` first.

    Raises:
        UserError: if the name is unusable or taken, or the folder is there or cannot be written.
    """
    names = checked_names(kind, name, plugins, commands)
    target = folder / names.distribution
    if target.exists():
        raise UserError(
            f"{str(target)!r} is there already", "Give another name, or another folder by --dir."
        )
    texts = dict(_texts(names))
    with atomic_folder(target) as partial:
        for file, text in texts.items():
            path = partial / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return [target / file for file in texts]


def _texts(names: Names) -> Iterator[tuple[Path, str]]:
    """Yield the place of each file within the package, and its text."""
    draft = DRAFTS[names.kind]
    words = {
        "kind": names.kind,
        "name": names.name,
        "distribution": names.distribution,
        "module": names.module,
        "prefix": names.prefix,
        **draft.words(names),
    }
    for template in ("project", *(["component"] if draft.factory else []), names.kind):
        for path in sorted((TEMPLATES / template).rglob("*.in")):
            place = path.relative_to(TEMPLATES / template).with_suffix("").as_posix()
            text = Template(path.read_text(encoding="utf-8")).substitute(words)
            yield Path(place.replace("reid_NAME", names.module)), text
