"""What an engine asks of a data manager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reidcore.engine import Engine, EngineData
from reidcore.engine.datamanager import DataFacts
from reidcore.errors import UserError

MakeEngine = Callable[..., Engine]


class Bare:
    """What a run cannot do without, and nothing that the core's data managers know beside it."""

    def __init__(self, whole: Any) -> None:
        self.train_loader = list(whole.train_loader)
        self.test_loader = {
            name: {split: list(loader) for split, loader in splits.items()}
            for name, splits in whole.test_loader.items()
        }
        self.num_train_pids = whole.num_train_pids


def test_a_data_manager_of_ones_own_trains_and_tests(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole = make_engine()
    bare: EngineData = Bare(whole.datamanager)
    engine = type(whole)(bare, whole.model, whole.optimizer, plugins=whole.plugins)  # type: ignore[call-arg, arg-type]
    result = engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert result["targets"]["tiny"]["mAP"] > 0
    assert result["dataset"] is None
    query = engine.record.targets["tiny"].query
    assert sorted(query.paths) == sorted(whole.datamanager.test_dataset["tiny"]["query"].paths)


def test_what_a_data_manager_lacks_is_told() -> None:
    with pytest.raises(UserError, match=r"lacks test_loader, num_train_pids.*EngineData"):
        Engine(SimpleNamespace(data_type="image"))  # type: ignore[arg-type]


def test_messages_call_samples_what_they_are() -> None:
    assert DataFacts(SimpleNamespace(data_type="video")).unit == "tracklets"
    assert DataFacts(SimpleNamespace()).unit == "images"
