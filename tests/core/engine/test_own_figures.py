"""What a protocol measures beside mAP and CMC stands in every table."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl
from reidcore.errors import PluginDefectError
from reidcore.evaluation import Market1501, RankingResult
from reidcore.testing import fake_dataset, tiny_run


class Measuring:
    """A plugin with a protocol that measures what it is told to."""

    def __init__(self, *figures: Mapping[Any, Any]) -> None:
        self.figures = iter(figures)

    @hookimpl
    def reid_register_protocols(self, registry: Any) -> None:
        figures = self.figures

        class Protocol(Market1501):
            def evaluate(self, *arguments: Any, **options: Any) -> RankingResult:
                return replace(super().evaluate(*arguments, **options), figures=next(figures))

        registry.add("measuring", Protocol)


SETTINGS = ("test.protocol=measuring", "test.eval_freq=-1", "train.max_epoch=1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, list[str]]:
    """The record, the folder and the log of a run that is tested on two targets."""
    folder = tmp_path_factory.mktemp("run")
    for name in ("tiny", "other"):
        fake_dataset(folder / "data" / name)
    log, seen = logging.getLogger("reidcore"), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        record = tiny_run(
            Measuring({"TPIR": 0.25, "mean rank": 3}, {"TPIR": 0.75, "mean rank": math.nan}),
            Other(),
            save_dir=folder,
            overrides=[*SETTINGS, "data.targets=[tiny, other]"],
        ).result
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
    return record, folder, seen


class Other:
    """A plugin with a second dataset."""

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        from reidcore import data

        registry.add("other", lambda root: data.from_folders(root / "other"))


def test_the_record_has_them_for_each_target_and_on_average(run: Any) -> None:
    record, folder, _ = run
    written = json.loads((folder / "results.json").read_text())
    for found in (record, written):
        assert found["targets"]["tiny"]["figures"] == {"TPIR": 0.25, "mean rank": 3.0}
        assert found["targets"]["other"]["figures"] == {"TPIR": 0.75}
        mAPs = [target["mAP"] for target in found["targets"].values()]
        assert found["average"]["mAP"] == pytest.approx(sum(mAPs) / 2)
        assert (found["average"]["TPIR"], found["average"]["mean rank"]) == (0.5, 3.0)


def test_the_console_shows_them_below_the_results(run: Any) -> None:
    shown = next(text for text in run[2] if text.startswith("Results (%)"))
    results, further = shown.split("Further figures")
    lines = [line.split() for line in further.splitlines() if line.split()]
    assert lines[0] == ["Figure", "tiny", "other", "average"]
    assert lines[2:4] == [["TPIR", "0.25", "0.75", "0.5"], ["mean", "rank", "3", "-", "3"]]
    assert results.splitlines()[-1].split()[0] == "average"


def test_tensorboard_and_json_lines_have_them(run: Any) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, folder, _ = run
    events = EventAccumulator(str(folder))
    events.Reload()
    assert events.Scalars("Test/tiny/TPIR")[0].value == 0.25
    assert events.Scalars("Test/average/TPIR")[0].value == 0.5
    lines = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    tests = {line["target"]: line for line in lines if line["kind"] == "test"}
    assert (tests["other"]["TPIR"], tests["tiny"]["mean rank"]) == (0.75, 3.0)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"mAP": 0.5}, r"'mAP'; it must give names beside mAP"),
        ({"rank1": 0.5}, r"'rank1'; it must give names beside"),
        ({7: 0.5}, r"7; it must give names beside"),
        ({"TPIR": "0.5"}, r"a str in figures; it must give a number for 'TPIR'"),
        ({"TPIR": math.inf}, r"a float in figures; it must give a number for 'TPIR'"),
    ],
)
def test_what_no_table_can_show_is_refused_by_its_plugin(
    figures: Mapping[Any, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(
        PluginDefectError, match=rf"^protocol 'measuring' of plugin .* gave .*{message}"
    ):
        tiny_run(Measuring(figures), save_dir=tmp_path, overrides=SETTINGS)
