"""Which cameras side information is known of: those that the training images are from.

A camera is a number, and number 3 of another dataset is another camera. Which dataset an image is
of is known where a run begins, not where a batch is computed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from reid_plugins_transformers.side_information import SideInformation
from reidcore import hookimpl
from reidcore.data import SampleTable
from reidcore.models import trained_with

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetTest

_log = logging.getLogger(f"reidcore.{__name__}")


def number_rows(engine: Engine) -> None:
    """Give the rows of side information to the numbers that the training images have.

    Args:
        engine: whose run begins.
    """
    table = engine.data_facts.train_table
    if engine.plan.test_only or table is None:
        return
    columns = {"camid": table.camids, **table.columns}
    for state in engine.states.values():
        for each in side_information_in(state.model):
            for name in each.numbers:
                if name in columns:
                    each.renumber(name, np.unique(columns[name]).tolist())


class Familiarity:
    """Lets nothing be known of the images of targets whose cameras are others than the sources'.

    A plugin, which a run with side information brings. By hand:
    ``plugins=make_plugins(extra=[Familiarity()])``.
    """

    def __init__(self) -> None:
        self._elsewhere: Collection[str] = ()
        self._strangers: Collection[str] = ()

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Find the targets with other cameras, and say which they are."""
        elsewhere = _targets_elsewhere(engine)
        self._elsewhere = elsewhere
        self._strangers = frozenset(
            str(path) for sides in elsewhere.values() for side in sides for path in side.paths
        )
        if elsewhere:
            _log.warning(
                "Of the cameras of %s the model learns nothing, so that their images are compared "
                "without side information",
                " and ".join(elsewhere),
            )

    @hookimpl(wrapper=True, tryfirst=True)
    def reid_extract_features(
        self, model: nn.Module, images: Tensor, labels: Mapping[str, Any]
    ) -> Generator[None, Tensor, Tensor]:
        """Compute features, of strangers without side information."""
        with ExitStack() as stack:
            if any(str(path) in self._strangers for path in labels.get("impath") or ()):
                for each in side_information_in(model):
                    stack.enter_context(each.ignored())
            return (yield)

    @hookimpl(wrapper=True, tryfirst=True)
    def reid_target_tested(self, engine: Engine, tested: TargetTest) -> Generator[None, Any, Any]:
        """Let what draws a target's images with the network draw strangers without, too."""
        with ExitStack() as stack:
            if tested.name in self._elsewhere:
                for each in side_information_in(engine.model):
                    stack.enter_context(each.ignored())
            return (yield)


def side_information_in(model: nn.Module) -> list[SideInformation]:
    """Return the parts of a network, wrapped or not, that tell cameras or viewpoints apart."""
    return [each for each in model.modules() if isinstance(each, SideInformation)]


def _targets_elsewhere(engine: Engine) -> dict[str, list[SampleTable]]:
    """Return the targets whose cameras' numbers are not the training images', with their tables.

    Of several sources the first keeps its numbers. Where nobody names sources, none are elsewhere.
    """
    sources = _sources(engine)
    if sources is None:
        return {}
    return {
        name: [SampleTable.of(side) for side in sides.values()]
        for name, sides in engine.data_facts.test_dataset.items()
        if name in engine.test_loader and name not in list(sources)[:1]
    }


def _sources(engine: Engine) -> Sequence[str] | None:
    """Return what the model learns from or, in a test, what its weights say they learnt from."""
    trained = trained_with(engine.model) if engine.plan.test_only else None
    recorded = trained.config.get("data", {}).get("sources") if trained else None
    return recorded or getattr(engine.datamanager, "sources", None)
