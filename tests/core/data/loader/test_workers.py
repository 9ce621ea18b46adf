"""What is said when worker processes fail."""

from __future__ import annotations

import errno
import logging
import os
import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import get_worker_info

from reidcore.config.options import LoadingOptions
from reidcore.data import build_transforms
from reidcore.data.dataset import ImageDataset
from reidcore.data.folders import from_folders
from reidcore.data.loader import collate, workers
from reidcore.data.loader.loader import Loading, loader_for_testing
from reidcore.errors import DataError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="transforms reach forks alone")


@pytest.fixture
def dataset(make_tree: Any) -> ImageDataset:
    folder = make_tree(train={2: 4, 5: 4}, test={1: 3})
    return ImageDataset(*from_folders(folder), verbose=False)


def read(dataset: ImageDataset, in_worker: Callable[[], object]) -> list[Any]:
    """Read all batches; a worker does something for each image first."""

    def transform(image: Any) -> torch.Tensor:
        if get_worker_info() is not None:
            in_worker()
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    dataset.transform = transform
    return list(loader_for_testing(dataset, 2, Loading(LoadingOptions(workers=1))))


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (
            lambda: os.kill(os.getpid(), signal.SIGKILL),
            r"was killed \(SIGKILL\).*memory ran out.*data\.workers=0",
        ),
        (lambda: os._exit(3), r"ended \(exit code 3\).*data\.workers=0"),
    ],
)
def test_a_worker_that_dies_says_what_to_change(
    dataset: ImageDataset, end: Callable[[], object], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read(dataset, end)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-signal.SIGBUS, r"SIGBUS.*--shm-size"),
        (-signal.SIGSEGV, r"SIGSEGV.*data\.workers=0"),
    ],
)
def test_how_a_worker_died_decides_what_is_said(code: int, words: str) -> None:
    """A full /dev/shm is a bus error where torch does not reserve what it maps."""
    iterator = SimpleNamespace(_workers=[SimpleNamespace(exitcode=code)])
    with pytest.raises(DataError, match=words), workers.failures_explained(iterator):
        raise RuntimeError("DataLoader worker (pid 7) exited unexpectedly")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no worker can start.*--shm-size"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files open.*ulimit -n"),
        (RuntimeError("Too many open files. Communication with"), "ulimit -n"),
        (BlockingIOError(errno.EAGAIN, "Resource busy"), "no worker process can start"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), r"Cannot allocate.*data\.workers"),
    ],
)
def test_workers_that_cannot_start_say_what_to_change(error: Exception, words: str) -> None:
    with pytest.raises(DataError, match=words), workers.failures_explained(None):
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="CUDA"), workers.failures_explained(None):
        raise RuntimeError("CUDA error: device-side assert triggered")


def no_room(*_: Any, **__: Any) -> None:
    raise RuntimeError("unable to allocate shared memory(shm) for file </torch_7>: No space")


def test_a_full_shared_memory_is_told(
    dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collate, "default_collate", no_room)
    with pytest.raises(DataError, match=r"no room for a batch.*--shm-size"):
        read(dataset, lambda: None)


def test_packed_images_do_without_shared_memory(
    dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, dataset.transform = build_transforms(32, 16, transforms=[])
    loading = Loading(LoadingOptions(workers=1))
    expected = [batch["img"] for batch in loader_for_testing(dataset, 2, loading)]
    collate._warn_of_little_shared_memory.cache_clear()
    monkeypatch.setattr(torch.Tensor, "share_memory_", no_room)
    monkeypatch.setattr("torch.multiprocessing.reductions.reduce_storage", no_room)
    with caplog.at_level(logging.WARNING, "reidcore"):
        found = [batch["img"] for batch in loader_for_testing(dataset, 2, loading)]
    assert all(map(torch.equal, found, expected))
    assert len(found) == len(expected) > 1
    assert caplog.text.count("Shared memory has no room for a batch") == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_images_are_read_here_where_no_worker_can_start(
    dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    expected = [batch["img"] for batch in read(dataset, lambda: None)]
    monkeypatch.setattr("multiprocessing.context.BaseContext.Queue", full)
    with caplog.at_level(logging.WARNING, "reidcore"):
        found = [batch["img"] for batch in read(dataset, lambda: None)]
    assert all(map(torch.equal, found, expected))
    assert len(found) == len(expected)
    assert caplog.text.count("no worker can start, so images are read in the main process") == 1


def test_no_death_is_raised_in_the_midst_of_a_step(dataset: ImageDataset) -> None:
    """Torch's own handler raises wherever the main thread is."""
    seen: list[int] = []
    read(dataset, lambda: None)  # torch's handler is set by the first loader of a process
    handler: Any = signal.getsignal(signal.SIGCHLD)
    assert getattr(handler, "__module__", "") != "torch.utils.data._utils.signal_handling"
    former = signal.signal(signal.SIGCHLD, lambda signum, frame: seen.append(signum))
    try:
        own = signal.getsignal(signal.SIGCHLD)
        read(dataset, lambda: None)
        assert signal.getsignal(signal.SIGCHLD) is own  # the program's stays
    finally:
        signal.signal(signal.SIGCHLD, former)
    assert seen


def test_a_worker_heeds_sigterm_and_leaves_the_rest_to_the_main_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stops = [signal.SIGINT, signal.SIGHUP, signal.SIGTERM]
    former = [signal.getsignal(signum) for signum in stops]
    try:
        for signum in stops:
            signal.signal(signum, lambda *_: None)  # what a fork has from the main process
        monkeypatch.setattr(workers, "prepare_worker", lambda: None)
        workers.start_worker(0)
        handlers = [signal.getsignal(signum) for signum in stops]
    finally:
        for signum, handler in zip(stops, former, strict=True):
            signal.signal(signum, handler)
    assert handlers == [signal.SIG_IGN, signal.SIG_IGN, signal.SIG_DFL]
