"""A foreign configuration file as one of ours, with what is to be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import yaml

from reid_plugins_migrate.configs import fastreid, torchreid
from reid_plugins_migrate.configs.reading import read_yaml
from reid_plugins_migrate.configs.values import Given, Note, Tree, without_empty
from reidcore.errors import ConfigError, did_you_mean, printable

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

Framework: TypeAlias = Literal["torchreid", "fastreid"]

_SECTIONS: dict[Framework, set[str]] = {
    "fastreid": {"MODEL", "INPUT", "DATASETS", "DATALOADER", "SOLVER", "TEST", "OUTPUT_DIR", "KD"},
    "torchreid": {"model", "data", "train", "loss", "test", "sampler", "video", "use_gpu"},
}
_FIRST, _LAST = ("model", "data"), ("sampler", "loss", "train", "test", "settings")
_TITLES: dict[Framework, str] = {"torchreid": "Torchreid", "fastreid": "FastReID"}


@dataclass(frozen=True)
class Translation:
    """A configuration of ours, and where it is from.

    Attributes:
        framework: whose it was.
        config: sections and values of ours.
        notes: what changed its meaning or has no counterpart.
    """

    framework: Framework
    config: Tree
    notes: list[Note]

    def check(self, plugins: Plugins) -> None:
        """Have the configuration checked as a run would.

        Raises:
            ConfigError: if a value is not one that a run takes.
        """
        from reidcore.config import load_config

        load_config(self.config, plugins=plugins)

    def as_yaml(self, source: Path) -> str:
        """Return the YAML file, its notes as comments at its top."""
        head = [f"# Of {_TITLES[self.framework]}'s {source.name}, by reidcore migrate config."]
        for is_lost, title in ((False, "Means something else here:"), (True, "Left out:")):
            told = [note for note in self.notes if note.is_lost == is_lost]
            if told:
                head += ["#", f"# {title}", *map(_comment, told)]
        sections = (
            yaml.dump({name: values}, Dumper=_Dumper, sort_keys=False, width=96)
            for name, values in self.config.items()
        )
        return "\n".join(["\n".join(head), "", *sections])


def translate(path: Path, model: str = "") -> Translation:
    """Read a configuration file of Torchreid's or FastReID's.

    Args:
        path: the file.
        model: our name of the network, where theirs has no counterpart.

    Raises:
        ConfigError: if it is neither's, or cannot be translated.
    """
    values = read_yaml(path)
    framework = _framework(values, path)
    if framework == "fastreid":
        given = Given.of(values, fastreid.fastreid_defaults())
        config = fastreid.translated(given, model)
    else:
        given = Given.of(values, torchreid.torchreid_defaults())
        config = torchreid.translated(given, model)
    notes = [*given.notes, *map(_with_nearest(given), given.unread())]
    return Translation(framework, _in_order(without_empty(config)), notes)


def _in_order(config: Tree) -> Tree:
    """Return sections as recipes have them, those of components behind the data."""
    own = [name for name in config if name not in (*_FIRST, *_LAST)]
    return {name: config[name] for name in (*_FIRST, *own, *_LAST) if name in config}


def _with_nearest(given: Given) -> Any:
    def told(note: Note) -> Note:
        near = "" if note.key in given.defaults else did_you_mean(note.key, given.defaults)
        return Note(note.key, note.value, f"{note.text}. {near}".removesuffix(". "), is_lost=True)

    return told


def _framework(values: Tree, path: Path) -> Framework:
    counts = {name: len(known & set(values)) for name, known in _SECTIONS.items()}
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        found = ", ".join(sorted(values)[:5]) or "nothing"
        raise ConfigError(
            f"{str(path)!r} is no configuration of Torchreid's or FastReID's: it has {found}",
            "Torchreid's has sections such as model and data, FastReID's MODEL and SOLVER.",
        )
    return best


def _comment(note: Note) -> str:
    told = printable(f"{note.key} = {note.value!r}: {note.text}", one_line=True)
    return f"#   {told}"


class _Dumper(yaml.SafeDumper):
    """Sections in blocks, what is in them on one line each."""

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> Any:
        node = super().represent_mapping(tag, mapping, flow_style)
        inner = [value for _, value in node.value]
        node.flow_style = not any(isinstance(each, yaml.MappingNode) for each in inner) and (
            len(inner) < 4 and not any(isinstance(each, yaml.SequenceNode) for each in inner)
        )
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:
        return super().represent_sequence(tag, sequence, flow_style=True)

    def ignore_aliases(self, data: Any) -> bool:
        return True
