"""Configurations as flat keys: where runs differ, and which keys they are averaged over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reidcore.config import Config
from reidcore.registry import NamedDataset, settings_schemas

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

__all__ = ["hyperparameters"]

Leaves = dict[str, Any]
"""Dotted keys with their values; lists, and the weights of loss terms, are one value."""

Changed = tuple[str, Any, Any]
"""A key, its value and its default."""

AVERAGED = ("train.seed", "data.split_id")
"""Runs that differ in these alone are repetitions of one another."""

# What changes no result, or only how it is written: a run is the same elsewhere.
_WITHOUT_EFFECT = (
    "use_gpu",
    "settings.writers",
    "settings.report",
    *(f"data.{key}" for key in ("root", "save_dir", "workers", "cache", "cache_gb")),
    "model.resume",
    *(f"train.{key}" for key in ("print_freq", "start_epoch", "keep_checkpoints")),
    *("train.checkpoint_minutes", "train.keep_memory"),
    *(f"test.visrank{end}" for end in ("", "_topk", "_queries", "_order")),
)
# What a reader of a table asks for first, at its default or not.
_BASIC = (
    *("model.name", "data.height", "data.width", "loss.name"),
    *(f"train.{key}" for key in ("optim", "lr", "weight_decay", "lr_scheduler")),
    *(f"train.{key}" for key in ("batch_size", "max_epoch", "seed")),
)
_WHOLE = ("loss.terms", "data.datasets")


def leaves_of(config: Mapping[str, Any]) -> Leaves:
    """Return what may decide the results of a run, under dotted keys."""
    return {key: value for key, value in _leaves(config) if not _is_below(key, _WITHOUT_EFFECT)}


def chosen(config: Mapping[str, Any]) -> Leaves:
    """Return the leaves of the core's keys, and of the sections of components that are in use."""
    own, loss = Config.model_fields, config.get("loss", {})
    in_use = {*_names(config)}
    terms = {"name", "terms", loss.get("name"), *(loss.get("terms") or ())}
    return {
        key: value
        for key, value in leaves_of(config).items()
        for section, _, below in [key.partition(".")]
        if (section in own or section in in_use)
        and (section != "loss" or below.partition(".")[0] in terms)
    }


def changed(config: Mapping[str, Any], plugins: Plugins | None = None) -> list[Changed]:
    """Return what is not as a configuration has it by default: key, value, default.

    The options of components have no default here, since that would import them: those of the
    components in use are all told, with None.

    Args:
        config: nested, as ``results.json`` has it.
        plugins: whose settings' defaults count; the current plugins by default.
    """
    defaults = dict(_leaves({**Config().model_dump(mode="json"), "settings": _settings(plugins)}))
    rows = [(key, value, defaults.get(key)) for key, value in chosen(config).items()]
    return [(key, value, default) for key, value, default in rows if value != default]


def hyperparameters(
    config: Mapping[str, Any], plugins: Plugins | None = None
) -> dict[str, bool | int | float | str]:
    """Return the keys that tell one training from others, with values for a table.

    Those are the usual ones, and whatever is not at its default; of the components in use all
    options. Values that are no numbers are text.

    Args:
        config: nested, as ``results.json`` has it.
        plugins: whose settings' defaults count; the current plugins by default.
    """
    leaves = chosen(config)
    keys = dict.fromkeys((*_BASIC, *(key for key, _, _ in changed(config, plugins))))
    found = {key: leaves[key] for key in keys if key in leaves}
    return {
        key: value if isinstance(value, bool | int | float) else as_text(value)
        for key, value in found.items()
    }


def comparable(configs: Sequence[Mapping[str, Any]]) -> list[Leaves]:
    """Return the leaves by which runs are told apart.

    A key that an older version of the core did not have is at its default, and a plugin's setting
    that it did not have is off; a key of a component, of which that is not known, counts where the
    component is in use. Of features from elsewhere the section ``test`` alone is known.
    """
    settings = leaves_of({"settings": _settings(None)})
    off = {key: value for key, value in settings.items() if value in (None, False, [], {})}
    defaults = leaves_of(Config().model_dump(mode="json")) | off
    tests = {key: value for key, value in defaults.items() if key.startswith("test.")}
    found = [
        (tests if "features" in config else defaults if config else {}) | leaves_of(config)
        for config in configs
    ]
    common = set.intersection(*map(set, found)) if found else set()
    return [
        {k: v for k, v in leaves.items() if k in common or k in used or k in defaults}
        for leaves, used in zip(found, map(chosen, configs), strict=True)
    ]


def differing(leaves: Sequence[Leaves]) -> list[str]:
    """Return the keys that have not the same value everywhere, in the order of the configuration.

    A value that stands nowhere is another one than None. A section that some lack as a whole is
    told by the keys that others have in it.
    """
    keys = dict.fromkeys(key for each in leaves for key in each)
    parts = [key.split(".") for key in keys]
    sections = {".".join(each[:depth]) for each in parts for depth in range(1, len(each))}
    nothing = object()
    return [
        key
        for key in keys
        if key not in sections
        and any(each.get(key, nothing) != leaves[0].get(key, nothing) for each in leaves)
    ]


def as_text(value: Any) -> str:
    """Return a value as it is written in an override."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {as_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(as_text, value)) + "]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _settings(plugins: Plugins | None) -> dict[str, Any]:
    """Return the settings that plugins have by default, of those that need none."""
    found = {}
    for name, schema in settings_schemas(plugins).items():
        with suppress(ValidationError):
            found[name] = schema().model_dump(mode="json")
    return found


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the components that have sections at the top of a configuration."""
    data, train, test = (config.get(section, {}) for section in ("data", "train", "test"))
    for name in (*data.get("sources", ()), *data.get("targets", ())):
        named = NamedDataset.of(data.get("datasets", {}), name)
        yield named.kind if named else name
    yield from data.get("transforms", ())
    yield from map(str, (train.get("optim"), train.get("lr_scheduler"), test.get("protocol")))


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key not in _WHOLE:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _is_below(key: str, places: Sequence[str]) -> bool:
    return any(key == place or key.startswith(f"{place}.") for place in places)
