from __future__ import annotations

import pytest

from reidcore.config import Config
from reidcore.config.options import RunPlan
from reidcore.errors import ConfigError


def test_a_plan_takes_the_keys_that_it_shares_with_the_sections() -> None:
    config = Config.model_validate(
        {
            "data": {"save_dir": "x"},
            "train": {"max_epoch": 7, "lr": 3.0},
            "test": {"rerank": True, "batch_size": 3},
        }
    )
    plan = RunPlan.of(config.data, config.train, config.test, protocol="cuhk03", start_epoch=2)
    assert (plan.save_dir, plan.max_epoch, plan.rerank) == ("x", 7, True)
    assert (plan.protocol, plan.start_epoch, plan.print_freq) == ("cuhk03", 2, 20)


def test_every_key_of_a_test_reaches_the_plan() -> None:
    scoring = set(type(Config().test).model_fields) - {"batch_size", "evaluate", "validation_share"}
    assert scoring <= set(RunPlan.model_fields)


def test_a_plan_does_not_change() -> None:
    with pytest.raises(ConfigError, match=r"^max_epoch is 3\. .* it is fixed\.$"):
        RunPlan().max_epoch = 3  # type: ignore[misc]


@pytest.mark.parametrize("values", [{"ranks": []}, {"ranks": [0]}, {"eval_freq": -2}])
def test_a_plan_that_cannot_be_is_refused_by_its_key(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(values))):
        RunPlan.checked(**values)


def test_the_curve_is_as_long_as_the_reported_ranks_and_tests_come_every_so_often() -> None:
    plan = RunPlan(ranks=[1, 99], max_epoch=10, eval_freq=3, start_eval=4)
    assert plan.reported_max_rank == 99
    assert [done for done in range(1, 11) if plan.tests_after(done)] == [6, 9]


def test_a_plan_of_torchreids_arguments() -> None:
    arguments = {"self": None, "open_layers": "classifier", "use_metric_cuhk03": True}
    plan = RunPlan.of_torchreid({**arguments, "others": {"keep_checkpoints": 2}})
    assert (plan.open_layers, plan.protocol, plan.keep_checkpoints) == (["classifier"], "cuhk03", 2)
    with pytest.raises(ConfigError, match="there is no key keep_checkpoint"):
        RunPlan.of_torchreid({**arguments, "others": {"keep_checkpoint": 2}})
