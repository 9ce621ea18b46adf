from __future__ import annotations

import logging
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidcore.config.options import LoadingOptions
from reidcore.data.dataset import ImageDataset
from reidcore.data.folders import from_folders
from reidcore.data.loader import batch_sampler
from reidcore.data.loader.batch_sampler import FileOrder
from reidcore.data.loader.loader import (
    BatchLoader,
    Loading,
    loader_for_testing,
    loader_for_training,
)
from reidcore.data.table import Int64Array
from reidcore.errors import ConfigError, DataError, UserError


class Shuffled:
    def __init__(self, length: int) -> None:
        self.length = length

    def order(self, epoch: int) -> Int64Array:
        return np.random.default_rng(epoch).permutation(self.length)


def augment(image: Any) -> torch.Tensor:
    """Draw from all three generators, as transforms of third parties may."""
    noise = torch.rand(3) + float(np.random.random()) + random.random()
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) + noise[:, None, None]


@pytest.fixture
def dataset(make_tree: Any) -> ImageDataset:
    folder = make_tree(train={2: 4, 5: 4, 9: 5}, test={1: 3})
    return ImageDataset(*from_folders(folder), transform=augment, verbose=False)


def _training(
    dataset: ImageDataset, workers: int = 0, size: int = 4, seed: int = 0, **more: Any
) -> BatchLoader:
    loading = Loading(LoadingOptions(workers=workers, **more), seed=seed)
    return loader_for_training(dataset, Shuffled(len(dataset)), size, loading)


def _same(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(one["img"], other["img"]) and one["impath"] == other["impath"]
        for one, other in zip(first, second, strict=True)
    )


def test_workers_change_nothing_and_epochs_differ(dataset: ImageDataset) -> None:
    here, there = _training(dataset), _training(dataset, workers=2)
    epochs = [list(here) for _ in range(3)]
    assert [len(epoch) for epoch in epochs] == [3, 3, 3]
    for epoch in epochs:
        assert _same(epoch, list(there))
    assert not _same(epochs[0], epochs[1])
    assert _same(list(_training(dataset, seed=0)), epochs[0])
    assert not _same(list(_training(dataset, seed=1)), epochs[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_is_the_same_after_a_resume(dataset: ImageDataset, workers: int) -> None:
    straight = _training(dataset, workers)
    expected = [list(straight) for _ in range(3)][2]
    resumed = _training(dataset, workers)
    resumed.set_epoch(2)
    assert _same(list(resumed), expected)
    assert resumed.epoch == 2
    resumed.set_epoch(2)
    next(iter(resumed))  # an epoch that was broken off
    resumed.set_epoch(2)
    assert _same(list(resumed), expected)


def test_two_processes_see_together_what_one_does(
    dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = list(_training(dataset))
    shares = []
    for rank in range(2):
        monkeypatch.setattr(batch_sampler, "rank_and_world", lambda rank=rank: (rank, 2))
        shares.append(list(_training(dataset)))
    for whole, first, second in zip(alone, *shares, strict=True):
        assert torch.equal(whole["img"], torch.cat([first["img"], second["img"]]))
        assert whole["impath"] == first["impath"] + second["impath"]


def test_a_loader_that_is_shared_out_gives_all_again_afterwards(dataset: ImageDataset) -> None:
    loader = loader_for_testing(dataset, 3, Loading())
    alone, shared = list(loader), []
    for number in range(2):
        with suppress(ValueError), loader.shared_out(number, 2):
            shared += list(loader)
            raise ValueError
    assert _same(shared, alone)
    assert len(list(loader)) == len(loader) == len(alone)


def test_loading_leaves_the_random_numbers_of_the_program_alone(dataset: ImageDataset) -> None:
    torch.manual_seed(3), random.seed(3), np.random.seed(3)
    expected = torch.rand(2).tolist(), random.random(), np.random.random()
    torch.manual_seed(3), random.seed(3), np.random.seed(3)
    for workers in (0, 1):
        list(_training(dataset, workers))
    assert (torch.rand(2).tolist(), random.random(), np.random.random()) == expected


def test_a_row_shown_twice_is_augmented_twice(dataset: ImageDataset) -> None:
    class Twice:
        def order(self, epoch: int) -> Int64Array:
            return np.array([3, 3])

    (batch,) = loader_for_training(dataset, Twice(), 2, Loading())
    assert batch["impath"][0] == batch["impath"][1]
    assert not torch.equal(batch["img"][0], batch["img"][1])


def test_testing_gives_every_image_in_order_and_the_same_each_time(dataset: ImageDataset) -> None:
    loader = loader_for_testing(dataset, 5, Loading())
    first, second = list(loader), list(loader)
    assert [len(batch["pid"]) for batch in first] == [5, 5, 3]
    assert len(loader) == 3
    paths = [path for batch in first for path in batch["impath"]]
    assert paths == [sample[0] for sample in dataset.data]
    assert _same(first, second)


def _spoil(dataset: ImageDataset, row: int) -> str:
    path = str(dataset.data[row][0])
    Path(path).write_bytes(Path(path).read_bytes()[:60])
    return path


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_one_line_from_any_process(
    dataset: ImageDataset, workers: int
) -> None:
    path = _spoil(dataset, 6)
    with pytest.raises(DataError) as caught:
        list(loader_for_testing(dataset, 4, Loading(LoadingOptions(workers=workers))))
    message = str(caught.value)
    assert path in message
    assert "data.on_bad_image=skip" in message
    assert "\n" not in message
    assert "Traceback" not in message


@pytest.mark.parametrize("workers", [0, 1])
def test_any_error_of_the_user_s_arrives_as_itself(dataset: ImageDataset, workers: int) -> None:
    def refuse(image: Any) -> Any:
        raise ConfigError("the lens is dirty", "Wipe it")

    dataset.transform = refuse
    with pytest.raises(ConfigError, match=r"^the lens is dirty\. Wipe it$"):
        list(_training(dataset, workers))


def test_a_bug_of_a_transform_s_stays_what_it_is(dataset: ImageDataset) -> None:
    def fail(image: Any) -> Any:
        raise KeyError("lens")

    dataset.transform = fail
    with pytest.raises(KeyError, match="lens"):
        list(_training(dataset))


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_images_are_left_out_told_once_and_counted(
    dataset: ImageDataset, workers: int, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = {_spoil(dataset, row) for row in (6, 8, 9, 10, 11)}
    loader = loader_for_testing(
        dataset, 4, Loading(LoadingOptions(workers=workers, on_bad_image="skip"))
    )
    with caplog.at_level(logging.WARNING, "reidcore"):
        for _ in range(2):
            made = list(loader)
            # The third batch has no image left and is not given.
            assert [len(batch["pid"]) for batch in made] == [4, 3, 1]
    assert set(loader.skipped) == spoilt
    assert [batch.get("skipped") is not None for batch in made] == [False, True, False]
    (told,) = caplog.messages  # at the end of the first pass, and no more in the second
    assert told.startswith("5 images left out (unreadable): ")
    assert told.endswith(" and 2 more")
    assert told.count("(image file is truncated)") == 3
    seen = {path for batch in made for path in batch["impath"]}
    assert not seen & spoilt
    assert len(seen) == len(dataset) - 5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda dataset: _training(dataset, size=14), "Set train.batch_size to at most 13"),
        (lambda dataset: _training(dataset, size=0), "Set train.batch_size to 1 or more"),
        (lambda dataset: loader_for_testing(dataset, -1, Loading()), "Set test.batch_size"),
    ],
)
def test_values_out_of_range_are_refused_with_the_fix(
    dataset: ImageDataset, make: Any, words: str
) -> None:
    with pytest.raises(UserError) as caught:
        make(dataset)
    assert words in str(caught.value)


def test_file_order() -> None:
    assert FileOrder(3).order(9).tolist() == [0, 1, 2]
