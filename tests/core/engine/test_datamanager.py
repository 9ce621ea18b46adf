"""What an engine asks of a data manager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reidcore.engine import Engine, EngineData
from reidcore.errors import UserError

MakeEngine = Callable[..., Engine]


class Bare:
    """Loaders, and nothing that the core's data managers know beside them."""

    data_type = "image"
    seed = None
    preprocessing = None

    def __init__(self, whole: Any) -> None:
        self.train_loader = whole.train_loader
        self.test_loader = whole.test_loader
        self.num_train_pids = whole.num_train_pids
        self.test_dataset: dict[str, Any] = {}
        self.skipped: dict[str, str] = {}

    def fingerprints(self) -> None:
        """Nothing identifies the data."""


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
    lacking = SimpleNamespace(data_type="image", test_loader={}, test_dataset={}, num_train_pids=1)
    missing = "seed, preprocessing, skipped, fingerprints"
    with pytest.raises(UserError, match=rf"SimpleNamespace lacks {missing}.*EngineData"):
        Engine(lacking)  # type: ignore[arg-type]
