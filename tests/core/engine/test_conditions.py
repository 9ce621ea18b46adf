"""What a test says of its figures, in the record and below the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, TargetTest
from reidcore.engine.results import results_table
from reidcore.errors import PluginDefectError, UnknownNameError, UserError
from reidcore.evaluation import Labels, Market1501, Pooled
from reidcore.testing import fake_dataset, tiny_run

MakeEngine = Callable[..., Engine]


class Brings:
    """A plugin with a protocol of its own."""

    def __init__(self, protocol: type[Market1501]) -> None:
        self.protocol = protocol

    @hookimpl
    def reid_register_protocols(self, registry: Any) -> None:
        registry.add("mine", self.protocol)


class Watching:
    """Keeps what a test knows."""

    tested: TargetTest

    @hookimpl
    def reid_target_tested(self, tested: TargetTest) -> None:
        self.tested = tested
        tested.result.conditions["test_time"] = [{"flip": "sum"}]


def result_of(engine: Engine, folder: Path, **plan: Any) -> Any:
    """Test on the one target, as a plan says."""
    engine.run(save_dir=str(folder), test_only=True, **plan)
    return engine.record.targets["tiny"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The written record, and the final table, of a run that chose its model on validation."""
    folder = tmp_path_factory.mktemp("run")
    fake_dataset(folder / "data" / "tiny")
    for picture in (folder / "data" / "tiny" / "gallery").glob("0007_*"):
        picture.unlink()
    settings = ["test.select_on=validation", "test.validation_share=0.5", "test.ap=trapezoid"]
    settings += ["test.dist_metric=cosine", "test.rerank=true", "test.select_metric=mAP"]
    done = tiny_run(Watching(), save_dir=folder, root=folder / "data", overrides=settings)
    shown = results_table(done.engine.record.targets, done.engine.plan.ranks)[1]
    return json.loads((folder / "results.json").read_text()), shown


def test_the_record_says_what_the_figures_are(run: Any) -> None:
    target = run[0]["targets"]["tiny"]
    data = target["conditions"].pop("data")
    assert len(data) == 12
    assert target["conditions"] == {
        "protocol": "market1501",
        "metric": "cosine",
        "features": "of the model",
        "normalized": False,
        "ap": "trapezoid",
        "unmatched": "skipped",
        "junk": "own camera",
        "ties": "pessimistic",
        "rerank": {"k1": 20, "k2": 6, "lambda": 0.3},
        "selected_on": "mAP on validation",
        "test_time": [{"flip": "sum"}],
    }
    assert (target["num_skipped_queries"], target["num_unmatched_queries"]) == (4, 4)
    for name, (low, high) in target["intervals"].items():
        assert low <= target[name] <= high
    assert set(target["intervals"]) == {"mAP", "mINP", "rank1", "rank5", "rank10", "rank20"}


def test_a_line_below_the_table_says_it_in_words(run: Any) -> None:
    line = run[1].splitlines()[-1]
    said = line.rstrip().split(", ")
    assert said[:4] == [
        "tiny: protocol market1501",
        "cosine",
        "features of the model",
        "trapezoid AP",
    ]
    assert "re-ranked (k1=20, k2=6, lambda=0.3)" in line
    assert "selected by mAP on validation" in said
    assert said[-2:] == ["test time flip=sum", "4 of 24 queries without a match: skipped"]


def test_the_data_are_told_apart_by_their_labels(make_engine: MakeEngine) -> None:
    found = []
    for shift in (0, 0, 1):
        engine = make_engine()
        splits = engine.datamanager.test_dataset["tiny"]
        table = splits["query"]
        splits["query"] = replace(table, camids=table.camids + shift)
        loader = engine.datamanager.test_loader["tiny"]["query"]
        engine.test_loader = {
            "tiny": {**engine.test_loader["tiny"], "query": Shifted(loader, shift)}
        }
        found.append(engine.test()["tiny"].conditions["data"])
    assert found[0] == found[1] != found[2]


class Shifted:
    """A loader of cameras with other numbers."""

    def __init__(self, loader: Any, shift: int) -> None:
        self.loader, self.shift = loader, shift

    def __iter__(self) -> Any:
        for batch in self.loader:
            yield {**batch, "camid": batch["camid"] + self.shift}

    def __len__(self) -> int:
        return len(self.loader)


def test_features_are_told_to_be_behind_the_neck(make_engine: MakeEngine) -> None:
    from reidcore.models.head.slot import Head, batch_norm_neck

    engine = make_engine()
    engine.model.head = Head()
    assert engine.test()["tiny"].conditions["features"] == "without a neck"
    engine.model.head.neck = batch_norm_neck(engine.model.feature_dim)
    assert engine.test()["tiny"].conditions["features"] == "after the neck"


def test_conditions_that_no_file_holds_are_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    class Odd:
        @hookimpl
        def reid_target_tested(self, tested: TargetTest) -> None:
            tested.result.conditions["model"] = object()

    class OddRule(Market1501):
        def conditions(self) -> dict[str, Any]:
            return {"threshold": float("nan")}

    with pytest.raises(PluginDefectError, match=r"'tiny' has the condition 'model', .* no JSON"):
        make_engine(Odd()).test()
    with pytest.raises(PluginDefectError, match="the condition 'threshold', which is no JSON"):
        result_of(make_engine(Brings(OddRule)), tmp_path, protocol="mine")


def test_a_target_without_a_column_that_the_protocol_needs_is_told_before_any_image_is_read(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class InClothes(Market1501):
        needs = ("clothes",)

    engine = make_engine(Brings(InClothes))
    engine.progress = lambda *_: pytest.fail("images were read")
    with pytest.raises(UnknownNameError, match=r"target 'tiny': InClothes needs .*'clothes'"):
        result_of(engine, tmp_path, protocol="mine")


def test_a_test_says_that_it_normalised_and_gives_intervals_of_the_ranks_it_shows(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    found = result_of(make_engine(), tmp_path, normalize_feature=True, ranks=[1, 3])
    assert found.conditions["normalized"] is True
    assert list(found.ranking.intervals) == ["mAP", "mINP", "rank1", "rank3"]


def test_a_kind_of_ap_is_refused_by_name(make_engine: MakeEngine, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ap.*'trapeze'"):
        result_of(make_engine(), tmp_path, ap="trapeze")


def test_tables_and_features_are_those_of_the_groups_that_a_protocol_pools(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Halves(Market1501):
        def pool(self, query: torch.Tensor, gallery: torch.Tensor, labels: Labels) -> Pooled:
            rows = np.flatnonzero(labels.g_pids % 2 == 0)
            return Pooled(query, gallery[rows] + 1, np.arange(len(query)), rows)

    seen: list[Any] = []

    class Looking(Watching):
        @hookimpl(wrapper=True)
        def reid_transform_features(
            self, query: torch.Tensor, gallery: torch.Tensor, labels: Labels, engine: Engine
        ) -> Generator[None, Any, Any]:
            seen.append((gallery, labels, engine))
            return (yield)

    looking, plain = Looking(), Watching()
    make_engine(plain).test()
    engine = make_engine(Brings(Halves), looking)
    found = result_of(engine, tmp_path, protocol="mine")
    rows = np.flatnonzero(plain.tested.gallery.table.pids % 2 == 0)
    gallery, labels, told = seen[0]
    assert 0 < len(rows) == found.ranking.num_gallery == len(found.gallery)
    assert torch.equal(gallery, plain.tested.gallery.features[rows] + 1)
    assert torch.equal(looking.tested.gallery.features, gallery)
    assert looking.tested.gallery.table.paths[0] == plain.tested.gallery.table.paths[int(rows[0])]
    assert labels.g_pids.tolist() == found.gallery.pids.tolist()
    assert told is engine
    assert looking.tested.matches.rows(0, 24).items.max() < len(rows)


def test_a_model_is_chosen_by_a_pooling_protocols_own_figure(tmp_path: Path) -> None:
    class Telling(Market1501):
        def pool(self, query: torch.Tensor, gallery: torch.Tensor, labels: Labels) -> Pooled:
            return Pooled(query, gallery, np.arange(len(query)), np.arange(len(gallery)))

        def evaluate(self, *arguments: Any, **options: Any) -> Any:
            return replace(super().evaluate(*arguments, **options), figures={"own": 0.5})

    settings = ["test.protocol=mine", "test.select_metric=own", "test.eval_freq=1"]
    record = tiny_run(Brings(Telling), save_dir=tmp_path, overrides=settings).result
    assert record["selection"]["value"] == 0.5
    assert record["targets"]["tiny"]["conditions"]["selected_on"] == "no test"  # the last epoch
