"""Which epoch's model is the best, by which figure of which set, and what the figures are of."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidcore import hookimpl
from reidcore.data import ImageDataManager
from reidcore.engine import Engine, TargetResult
from reidcore.engine.selection import Selection
from reidcore.errors import CheckpointError, UserError
from reidcore.evaluation import Market1501
from reidcore.testing import fake_dataset, tiny_run
from reidcore.utils import load_checkpoint

EVERY_EPOCH = ["train.max_epoch=3", "test.eval_freq=1"]
VALIDATION = ["test.select_on=validation", "test.validation_share=0.3"]


class Given:
    """Gives each test of an epoch a rank-1 and an mAP, whatever the model does.

    Attributes:
        tested: name of the set, the epochs done, and the first weight of the model, of each test.
    """

    def __init__(self, rank1: Sequence[float], mAP: Sequence[float] = (0.5,)) -> None:
        self.figures = {"rank1": rank1, "mAP": mAP}
        self.tested: list[tuple[str, int, float]] = []

    @hookimpl(wrapper=True)
    def reid_evaluate(self, engine: Engine) -> Iterator[None]:
        results: Mapping[str, TargetResult] = yield
        first = float(next(engine.model.parameters()).detach().flatten()[0])
        given = {name: row[min(engine.epoch, len(row) - 1)] for name, row in self.figures.items()}
        self.tested += [(name, engine.epoch + 1, first) for name in results]
        return {name: _with(result, **given) for name, result in results.items()}


def _with(result: TargetResult, rank1: float, mAP: float) -> TargetResult:
    cmc = np.full_like(result.ranking.cmc, rank1)
    return replace(result, ranking=replace(result.ranking, cmc=cmc, mAP=mAP))


def run(folder: Path, *plugins: Any, overrides: Sequence[str] = ()) -> dict[str, Any]:
    return tiny_run(*plugins, save_dir=folder, overrides=[*EVERY_EPOCH, *overrides]).result


def best_of(folder: Path) -> dict[str, Any]:
    return load_checkpoint(folder / "model-best.pth.tar")


def test_by_default_the_first_target_chooses_by_rank_1_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = run(tmp_path, Given([0.25, 0.75, 0.5]))
    chosen = {"select_on": "targets", "metric": "rank1", "of": "tiny", "epoch": 2, "value": 0.75}
    assert best_of(tmp_path)["reidcore"]["chosen_on"] == chosen
    assert best_of(tmp_path)["epoch"] == 2
    assert "chosen_on" not in load_checkpoint(tmp_path / "model.pth.tar-2")["reidcore"]
    values = {"1": 0.25, "2": 0.75, "3": 0.5}
    # The table is of the last epoch, as it always was.
    assert result["selection"] == {**chosen, "values": values, "tested_epoch": 3}
    caplog.set_level(logging.INFO)
    test = [
        f"model.load_weights={tmp_path / 'model-best.pth.tar'}",
        "test.evaluate=true",
        f"data.root={tmp_path / 'data'}",
    ]
    tested = tiny_run(save_dir=tmp_path / "test", overrides=test, root=tmp_path / "data").result
    assert tested["selection"] == {**chosen, "tested_epoch": 2}
    assert "Results (%) of epoch 2, the best by rank1 on tiny, a target" in caplog.text


def test_another_figure_chooses_where_it_is_asked_for(tmp_path: Path) -> None:
    run(tmp_path, Given([0.9, 0.1, 0.1], [0.1, 0.2, 0.3]), overrides=["test.select_metric=mAP"])
    assert best_of(tmp_path)["reidcore"]["chosen_on"]["value"] == 0.3
    assert best_of(tmp_path)["epoch"] == 3


def test_of_equal_figures_the_first_is_the_best(tmp_path: Path) -> None:
    run(tmp_path, Given([0.5]))
    assert best_of(tmp_path)["epoch"] == 1


def test_none_keeps_no_best(tmp_path: Path) -> None:
    result = run(tmp_path, Given([0.1, 0.9]), overrides=["test.select_on=none"])
    assert not (tmp_path / "model-best.pth.tar").exists()
    assert result["selection"]["value"] is None
    assert [epoch["rank1"] for epoch in result["training"]] == [0.1, 0.9, 0.9]


# -- on validation ---------------------------------------------------------------------------------


def test_validation_chooses_and_the_targets_are_tested_once_with_the_chosen_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    figures = Given([0.2, 0.6, 0.4])
    result = run(tmp_path, figures, overrides=VALIDATION)
    assert [(name, epoch) for name, epoch, _ in figures.tested] == [
        ("validation", 1),
        ("validation", 2),
        ("validation", 3),
        ("tiny", 3),
    ]
    weights = [weight for *_, weight in figures.tested]
    assert weights[3] == weights[1] != weights[2]
    assert set(result["targets"]) == {"tiny"}
    assert result["selection"]["select_on"] == "validation"
    assert result["selection"]["epoch"] == result["selection"]["tested_epoch"] == 2
    assert result["dataset"].keys() == {"tiny", "validation"}
    assert "Results (%) of epoch 2, the best by rank1 on validation" in caplog.text
    best = best_of(tmp_path)
    assert best["reidcore"]["chosen_on"]["of"] == "validation"
    assert best["rank1"] is None  # which is that of a target
    last = load_checkpoint(tmp_path / "model.pth.tar-3")["state_dict"]
    assert not torch.equal(last["conv.weight"], best["state_dict"]["conv.weight"])
    assert len(best["state_dict"]["classifier.bias"]) == 4  # of 6 identities
    kinds = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    tests = [(each["target"], each["epoch"]) for each in kinds if each["kind"] == "test"]
    assert tests == [("validation", 1), ("validation", 2), ("validation", 3), ("tiny", 3)]


def test_without_a_target_the_model_that_validation_chose_is_told_and_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    figures = Given([0.2, 0.6, 0.4])
    done = tiny_run(
        figures,
        save_dir=tmp_path,
        overrides=[*EVERY_EPOCH, *VALIDATION, "data.targets=[]"],
    )
    assert [(name, epoch) for name, epoch, _ in figures.tested] == [
        ("validation", 1),
        ("validation", 2),
        ("validation", 3),
    ]
    assert "model-best.pth.tar: epoch 2, the best by rank1 on validation" in caplog.text
    chosen = done.result["selection"]
    assert (chosen["epoch"], chosen["tested_epoch"]) == (2, None)  # no target was tested
    assert done.result["targets"] == {}
    taken = done.engine.model.state_dict()["conv.weight"]
    assert torch.equal(taken, best_of(tmp_path)["state_dict"]["conv.weight"])


def test_the_choice_goes_on_after_a_resume(tmp_path: Path) -> None:
    """Also at the end alone, where the best is of before."""
    figures = [0.2, 0.6, 0.4]
    run(tmp_path, Given(figures), overrides=[*VALIDATION, "train.max_epoch=2"])
    again = [*VALIDATION, f"model.resume={tmp_path / 'model.pth.tar-2'}"]
    tested = Given(figures)
    result = run(tmp_path, tested, overrides=again)
    assert [name for name, *_ in tested.tested] == ["validation", "tiny"]
    assert result["selection"]["values"] == {"1": 0.2, "2": 0.6, "3": 0.4}
    assert result["selection"]["tested_epoch"] == 2
    lines = [json.loads(each) for each in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    tests = [(each["target"], each["epoch"]) for each in lines if each["kind"] == "test"]
    assert sorted(tests) == [
        ("tiny", 2),
        ("tiny", 3),
        ("validation", 1),
        ("validation", 2),
        ("validation", 3),
    ]
    # Nothing is left to train: the targets are tested with the chosen model.
    again = [*VALIDATION, f"model.resume={tmp_path / 'model.pth.tar-3'}"]
    tested = Given(figures)
    assert run(tmp_path, tested, overrides=again)["selection"]["tested_epoch"] == 2
    assert [name for name, *_ in tested.tested] == ["tiny"]


def test_a_best_checkpoint_that_is_gone_is_told_and_the_last_weights_are_tested(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, Given([0.9, 0.1]), overrides=VALIDATION)
    (tmp_path / "model-best.pth.tar").unlink()
    again = [*VALIDATION, f"model.resume={tmp_path / 'model.pth.tar-3'}"]
    result = run(tmp_path, Given([0.9, 0.1]), overrides=again)
    assert "not those of the best checkpoint: that of epoch 1 is gone" in caplog.text
    assert (result["selection"]["epoch"], result["selection"]["tested_epoch"]) == (1, 3)


def test_a_stop_in_the_last_test_leaves_the_trained_weights_alone(tmp_path: Path) -> None:
    """In the engine are then those of the chosen epoch, which are none to go on from."""

    class Fail:
        @hookimpl
        def reid_evaluate(self, engine: Engine) -> None:
            if "tiny" in engine.test_loader:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Given([0.9, 0.1]), Fail(), overrides=VALIDATION)
    assert not list(tmp_path.glob("*interrupted*"))
    result = run(
        tmp_path,
        Given([0.9, 0.1]),
        overrides=[*VALIDATION, f"model.resume={tmp_path / 'model.pth.tar-3'}"],
    )
    assert result["selection"]["tested_epoch"] == 1


def test_a_stop_in_the_last_test_of_a_training_cut_short_leaves_no_line_twice(
    tmp_path: Path,
) -> None:
    """The figures of the targets are written, and the results are not."""

    class Fail:
        @hookimpl(trylast=True)
        def reid_report(self, results: Mapping[str, TargetResult]) -> None:
            if "tiny" in results:
                raise KeyboardInterrupt

    early = [*VALIDATION, "settings.training.early_stop.patience=1"]
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Given([0.9, 0.1]), Fail(), overrides=early)
    resume = f"model.resume={tmp_path / 'model.pth.tar-2'}"
    run(tmp_path, Given([0.9, 0.1]), overrides=[*early, resume])
    lines = [json.loads(each) for each in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    tests = [(each["target"], each["epoch"]) for each in lines if each["kind"] == "test"]
    assert tests == [("validation", 1), ("validation", 2), ("tiny", 2)]


class Counting:
    """A plugin with a state of its own, as an average of weights is."""

    epochs = 0

    @hookimpl
    def reid_epoch_end(self) -> None:
        self.epochs += 1

    @hookimpl
    def reid_checkpoint_save(self) -> dict[str, Any]:
        return {"epochs": self.epochs}

    @hookimpl
    def reid_checkpoint_load(self, state: dict[str, Any]) -> None:
        self.epochs = state["epochs"]


def test_plugins_take_back_what_they_had_when_the_model_was_chosen(tmp_path: Path) -> None:
    counting = Counting()
    run(tmp_path, Given([0.2, 0.6, 0.4]), counting, overrides=VALIDATION)
    assert counting.epochs == 2


def test_other_identities_held_out_are_no_run_to_go_on_with(tmp_path: Path) -> None:
    run(tmp_path, overrides=[*VALIDATION, "train.max_epoch=1"])
    again = [*VALIDATION, f"model.resume={tmp_path / 'model.pth.tar-1'}"]
    with pytest.raises(CheckpointError, match="holds other identities out for validation"):
        run(tmp_path, overrides=[*again, "train.seed=5"])


def test_another_rule_begins_the_choice_anew_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, Given([0.9], [0.1]), overrides=["train.max_epoch=1"])
    again = ["test.select_metric=mAP", f"model.resume={tmp_path / 'model.pth.tar-1'}"]
    result = run(tmp_path, Given([0.9], [0.2]), overrides=again)
    assert result["selection"]["values"] == {"2": 0.2, "3": 0.2}
    assert "was chosen by rank1 on tiny, a target; it is mAP on tiny, a target now" in caplog.text


def test_a_checkpoint_of_before_has_the_best_in_its_history() -> None:
    selection = Selection(of="tiny")
    selection.take_up({}, [{"epoch": 1, "rank1": 0.5}, {"epoch": 2}, {"epoch": 3, "rank1": 0.25}])
    assert selection.values == {1: 0.5, 3: 0.25}
    assert (selection.best, selection.epochs_since_best) == ((1, 0.5), 2)


# -- what cannot be chosen by ----------------------------------------------------------------------


class Measuring:
    """A plugin whose protocol gives a figure of its own."""

    @hookimpl
    def reid_register_protocols(self, registry: Any) -> None:
        class Measured(Market1501):
            def evaluate(self, *arguments: Any, **options: Any) -> Any:
                found = super().evaluate(*arguments, **options)
                return replace(found, figures={"TPIR": found.mAP / 2})

        registry.add("measured", Measured)


def test_a_figure_of_the_protocols_own_chooses(tmp_path: Path) -> None:
    asked = ["test.protocol=measured", "test.select_metric=TPIR"]
    result = run(tmp_path, Measuring(), Given([0.5], [0.5]), overrides=asked)
    assert result["selection"]["metric"] == "TPIR"
    assert result["selection"]["value"] > 0


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("TPIRR", "'TPIRR', which tests by measured do not give", "Did you mean 'TPIR'"),
        ("map", "'map', which tests", "Did you mean 'mAP'"),
        ("rank99", "'rank99', which tests", "Ranks go up to test.max_rank and test.ranks."),
    ],
)
def test_a_figure_that_no_test_gives_is_refused_before_training(
    tmp_path: Path, asked: str, message: str, hint: str
) -> None:
    overrides = ["test.protocol=measured", f"test.select_metric={asked}"]
    with pytest.raises(UserError, match=message) as refused:
        run(tmp_path, Measuring(), overrides=overrides)
    assert hint in refused.value.hint
    assert not list(tmp_path.glob("*.pth.tar-*"))


def test_by_hand_the_data_manager_has_to_hold_somebody_out(
    make_engine: Callable[..., Engine], tmp_path: Path, root: Path
) -> None:
    engine = make_engine()
    with pytest.raises(UserError, match="the data manager holds nobody out") as refused:
        engine.run(save_dir=str(tmp_path), max_epoch=1, select_on="validation")
    assert "validation_share=0.1" in refused.value.hint
    engine.datamanager = ImageDataManager(
        str(root), "tiny", height=32, width=16, workers=0, batch_size=8, validation_share=0.3,
        plugins=engine.plugins,
    )  # fmt: skip
    engine.__dict__["train_loader"] = engine.datamanager.train_loader
    from reidcore.engine.datamanager import DataFacts

    engine.data_facts = DataFacts(engine.datamanager)
    result = engine.run(save_dir=str(tmp_path), max_epoch=1, select_on="validation")
    assert result["selection"]["tested_epoch"] == 1


def test_held_out_people_whom_the_protocol_matches_with_nobody_are_refused(tmp_path: Path) -> None:
    """All images are of one camera: nobody is found in another."""
    fake_dataset(tmp_path / "data" / "tiny", cameras=1)
    overrides = [*VALIDATION, "data.targets=[]"]
    with pytest.raises(UserError, match="target 'validation': none of its 2 queries has a match"):
        run(tmp_path, overrides=overrides)


def test_validation_after_the_last_epoch_alone_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(tmp_path, overrides=[*VALIDATION, "test.eval_freq=-1", "train.max_epoch=1"])
    assert "validation comes after the last epoch alone" in caplog.text
