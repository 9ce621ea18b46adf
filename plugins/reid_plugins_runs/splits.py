"""A test on another split than a model was trained on, some of whose images it has learnt."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reidcore.config import Config, options_of, read_config
from reidcore.data import SampleTable, noting_left_out, read_tables
from reidcore.errors import UserError, counted, quoted
from reidcore.models import trained_with
from reidcore.registry import NamedDataset, choose, find

if TYPE_CHECKING:
    from reidcore.engine import Engine
    from reidcore.models import TrainedWith
    from reidcore.plugins import Plugins


def refuse_learnt_images(engine: Engine) -> None:
    """Refuse a test on images that the model was trained on, as its checkpoint says.

    Looked at are targets that the training had as sources, by other options than now: another
    ``data.split_id``, or another way to split. Options that choose among the test images alone are
    no matter.

    Raises:
        UserError: with how the model is tested on its own split.
    """
    trained = trained_with(engine.model)
    if engine.config is None or trained is None or not trained.config:
        return
    acting, recorded = (_read(each, engine.plugins) for each in (engine.config, trained.config))
    for target, splits in engine.data_facts.test_dataset.items():
        tested = {file for samples in splits.values() for file in _files(samples)}
        for source in recorded.data.sources:
            told = dict(_differences(acting, target, recorded, source, engine.plugins))
            learnt = _files_learnt(acting, recorded, source, engine.plugins) if told else set()
            if common := learnt & tested:
                raise _refusal(trained, target, told, len(common), len(tested))


def _read(config: Mapping[str, Any], plugins: Plugins) -> Config:
    return read_config(config, plugins=plugins).config


def _kind(config: Config, name: str) -> str:
    named = NamedDataset.of(config.data.datasets, name)
    return named.kind if named else name


def _differences(
    acting: Config, target: str, recorded: Config, source: str, plugins: Plugins
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the options of a dataset that are not what they were: key -> now, then."""
    kind = _kind(acting, target)
    if kind != _kind(recorded, source):
        return
    now, then = acting.data.split_id, recorded.data.split_id
    if now != then:
        yield "data.split_id", (now, then)
    options = options_of(acting, "datasets", target, plugins)
    former = options_of(recorded, "datasets", source, plugins)
    for name in dict.fromkeys((*options, *former)):
        if options.get(name) != former.get(name):
            yield f"{target}.{name}", (options.get(name), former.get(name))


def _files_learnt(acting: Config, recorded: Config, source: str, plugins: Plugins) -> set[str]:
    """Return the files that a source of the training had, where this run has its datasets."""
    kind, named = _kind(recorded, source), NamedDataset.of(recorded.data.datasets, source)
    component = choose("datasets", kind, options_of(recorded, "datasets", source, plugins), plugins)
    below = named.root(find("datasets", kind, plugins)) if named else ""
    root = Path(acting.data.root).expanduser() / Path(below).expanduser()
    with noting_left_out(source):
        made = read_tables(component, root, recorded.data.split_id)
    tables = made if isinstance(made, list) else [made.train, made.query, made.gallery]
    learnt = tables if recorded.data.combineall else tables[:1]
    return {file for table in learnt for file in _files(table)}


def _files(samples: Any) -> Iterator[str]:
    yield from SampleTable.of(samples).paths.files()


def _refusal(
    trained: TrainedWith, target: str, told: Mapping[str, tuple[Any, Any]], common: int, of: int
) -> UserError:
    listed = ", ".join(
        f"{key} is {quoted(now)}, in training {quoted(then)}" for key, (now, then) in told.items()
    )
    own = [f"{key}={then}" for key, (_, then) in told.items()]
    return UserError(
        f"{trained.path!r} has learnt {common:,} of the {counted(of, 'image')} of {target!r} that "
        f"it would be tested on: {listed}",
        f"Test it on its own split: reidcore test {shlex.join([trained.path, *own])}. For a model "
        "of each split: reidcore run CONFIG --sweep data.split_id=0,1,...",
    )
