"""Features stay beside the labels they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reidcore import hookimpl
from reidcore.data.table import SampleTable
from reidcore.engine import Engine, TargetTest

MakeEngine = Callable[..., Engine]


class Watching:
    """Keeps what a test knows."""

    tested: TargetTest

    @hookimpl
    def reid_target_tested(self, tested: TargetTest) -> None:
        self.tested = tested


def test_a_datasets_further_columns_reach_the_test(make_engine: MakeEngine) -> None:
    watching = Watching()
    engine = make_engine(watching)
    splits = engine.datamanager.test_dataset["tiny"]
    numbers = np.arange(len(splits["query"]))
    splits["query"] = replace(splits["query"], columns={"clothes": numbers})
    engine.test()
    assert watching.tested.query.table.columns["clothes"].tolist() == numbers.tolist()


def test_images_that_were_left_out_are_in_neither_table_nor_features(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    watching = Watching()
    engine = make_engine(watching)
    whole = engine.test()["tiny"]
    features = watching.tested.query.features
    gone = whole.query.paths[1]

    class Skipping:
        """A loader that could not read the second image."""

        def __init__(self, loader: Any) -> None:
            self.loader = loader
            self.skipped = {gone: "truncated"}

        def __iter__(self) -> Any:
            for batch in self.loader:
                kept = [place for place, path in enumerate(batch["impath"]) if path != gone]
                yield {
                    key: value[kept]
                    if isinstance(value, torch.Tensor)
                    else [value[i] for i in kept]
                    for key, value in batch.items()
                }

    engine.test_loader["tiny"]["query"] = Skipping(engine.test_loader["tiny"]["query"])
    result = engine.test()["tiny"]
    kept = np.arange(len(whole.query)) != 1
    assert result.num_skipped == 1
    assert list(result.query.paths) == list(whole.query.take(kept).paths)
    assert torch.allclose(watching.tested.query.features, features[torch.from_numpy(kept)])


def test_labels_are_those_that_the_engine_parses(make_engine: MakeEngine) -> None:
    """A subclass may test under other labels, as Torchreid's users do."""
    engine = make_engine()
    engine.parse_data_for_eval = lambda data: (data["img"], data["pid"] + 100, data["camid"])  # type: ignore[method-assign]
    result = engine.test()["tiny"]
    listed = SampleTable.of(engine.datamanager.test_dataset["tiny"]["query"])
    assert result.query.pids.tolist() == (listed.pids + 100).tolist()
