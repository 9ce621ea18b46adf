"""Which dataset a model is calibrated on: by the command line, and else by its checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_plugins_calibration.sources import DatasetChoice
from reidcore.config import read_config
from reidcore.errors import UserError, quoted
from reidcore.registry import NamedDataset, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_SECTION = re.compile(r"[^=.]*\.")
_USUAL_ROOT = "reid-data"


def choose_dataset(
    config: Mapping[str, Any],
    name: str | None,
    root: str | None,
    split: str,
    words: Sequence[str],
    plugins: Plugins,
) -> DatasetChoice:
    """Return the dataset that is asked for; what is not asked is as the checkpoint has it.

    Args:
        config: the configuration that the checkpoint records; empty if it records none.
        name: of a dataset; None for the first target of the run.
        root: the folder below which datasets lie; None for the run's.
        split: which part is taken.
        words: options of the dataset, ``OPTION=VALUE`` each.
        plugins: where datasets are looked up.

    Raises:
        UserError: if nobody names a dataset, or a word is no option.
    """
    data = config.get("data") or {}
    targets = data.get("targets") or data.get("sources") or ()
    chosen = name or next(iter(targets), None)
    if chosen is None:
        raise UserError(
            "no dataset is named, and the checkpoint tells none",
            "Give --data NAME; 'reidcore ls datasets' lists them.",
        )
    named = dict(data.get("datasets") or {})
    sections = {key: value for key, value in config.items() if isinstance(value, Mapping)}
    options = _options(chosen, words)
    if (own := NamedDataset.of(named, chosen)) is not None:
        entry = find("datasets", own.kind, plugins)
        place = {"root": own.root(entry)} if own.root(entry) else {}
        named[chosen] = {own.kind: {**place, **own.options(entry), **options}}
    else:
        sections[chosen] = {**sections.get(chosen, {}), **options}
    below = root or str(data.get("root") or _USUAL_ROOT)
    return DatasetChoice(chosen, Path(below), sections, named, split)


def _options(dataset: str, words: Sequence[str]) -> dict[str, Any]:
    """Return a dataset's options, written with or without its name before them."""
    for word in words:
        if "=" not in word:
            raise UserError(
                f"{quoted(word)} is no OPTION=VALUE", f"Options are those of {dataset}."
            )
    spelled = [word if _SECTION.match(word) else f"{dataset}.{word}" for word in words]
    sections = read_config(None, spelled).layer.tree
    if other := next((name for name in sections if name != dataset), None):
        raise UserError(
            f"the dataset {dataset!r} has no section {other!r}",
            f"Write OPTION=VALUE or {dataset}.OPTION=VALUE.",
        )
    return dict(sections.get(dataset, {}))
