"""Features stay beside the labels they belong to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidcore import hookimpl
from reidcore.data.table import SampleTable
from reidcore.engine import Engine, TargetTest
from reidcore.errors import DataError, PluginDefectError

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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_an_error(make_engine: MakeEngine, value: float) -> None:
    engine = make_engine()
    engine.model.get_parameter("conv.weight").data[0, 0, 0, 0] = value
    engine.model.get_parameter("norm.weight").data[0] = value
    with pytest.raises(DataError, match=r"the model gave .* not finite for \d+ of .*\.png"):
        engine.test()


def test_the_plugin_that_took_part_is_named(make_engine: MakeEngine) -> None:
    class Divides:
        @hookimpl(wrapper=True)
        def reid_extract_features(self) -> Generator[None, Any, Any]:
            return (yield) / 0

    with pytest.raises(DataError, match="the model and plugin 'Divides' gave features"):
        make_engine(Divides()).test()


def test_transformed_features_that_are_not_finite_are_a_plugins_defect(
    make_engine: MakeEngine,
) -> None:
    class Whitens:
        @hookimpl(wrapper=True)
        def reid_transform_features(self) -> Generator[None, Any, Any]:
            query, gallery = yield
            return query, gallery * float("inf")

    with pytest.raises(PluginDefectError, match="'Whitens' gave NaN or infinite features"):
        make_engine(Whitens()).test()
