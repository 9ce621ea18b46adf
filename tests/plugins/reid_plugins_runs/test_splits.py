"""A test on another split than the checkpoint's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reidcore import hookimpl
from reidcore.data import Splits
from reidcore.errors import UserError
from reidcore.testing import fake_dataset, tiny_run


def halves(root: Path, *, split_id: int = 0, view: str = "all", swapped: bool = False) -> Splits:
    """Split people in two halves; ``view`` chooses among the test images alone."""
    everyone = fake_dataset(Path(root) / "halves", ids=8)
    first = (split_id % 2 == 0) != swapped
    pids = sorted({sample.pid for sample in everyone.train})
    learnt = pids[: len(pids) // 2] if first else pids[len(pids) // 2 :]
    train = [sample for sample in everyone.train if sample.pid in learnt]
    rest = [sample for sample in everyone.train if sample.pid not in learnt]
    query = [sample for sample in rest if sample.camid == rest[0].camid]
    gallery = [sample for sample in rest if sample.camid != rest[0].camid]
    return Splits(train, query[:2] if view == "few" else query, gallery)


class Shop:
    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        registry.add("halves", halves)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of split 1."""
    folder = tmp_path_factory.mktemp("halves")
    tiny_run(Shop(), save_dir=folder, root=folder, dataset="halves", overrides=["data.split_id=1"])
    return folder


def run_test(trained: Path, *overrides: str, dataset: str = "halves") -> Any:
    words = ["test.evaluate=true", f"model.load_weights={trained / 'model.pth.tar-1'}", *overrides]
    return tiny_run(
        Shop(), save_dir=trained / "test", root=trained, dataset=dataset, overrides=words
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data.split_id=0"], r"data\.split_id is 0, in training 1"),
        (["data.split_id=1", "halves.swapped=true"], r"halves\.swapped is True, in training False"),
    ],
)
def test_images_that_were_learnt_are_not_tested_on(trained, words, told) -> None:
    with pytest.raises(UserError, match=told) as refused:
        run_test(trained, *words)
    assert "has learnt" in str(refused.value)
    assert "reidcore test" in refused.value.hint
    assert "--sweep data.split_id=" in refused.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ["data.split_id=1"],
        ["data.split_id=3"],  # the same half by another number
        ["data.split_id=1", "halves.view=few"],
    ],
)
def test_other_images_are(trained, words) -> None:
    assert run_test(trained, *words).result["targets"]["halves"]["mAP"] > 0


def test_another_dataset_may_have_any_split(trained) -> None:
    assert run_test(trained, dataset="tiny").result["targets"]["tiny"]["mAP"] > 0


def test_a_name_of_ones_own_is_the_dataset_behind_it(trained) -> None:
    words = ["data.datasets={mine: {halves: {view: all}}}", "data.split_id=0"]
    with pytest.raises(UserError, match="has learnt"):
        run_test(trained, *words, dataset="mine")
