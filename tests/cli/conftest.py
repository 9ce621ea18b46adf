"""``reidcore`` in this process, with the logging of a program that has configured none."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from reidcore.cli import main
from reidcore.testing import fake_dataset

SMALL = (
    *("datasets.synthetic.train_ids=4", "datasets.synthetic.test_ids=3"),
    *("datasets.synthetic.cameras=2", "datasets.synthetic.images_per_camera=2"),
    *("data.height=32", "data.width=16", "data.workers=0", "train.batch_size=8"),
    *("train.max_epoch=1", "use_gpu=false"),
)
"""A run of ``quickstart`` in a second."""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Program = Callable[..., Done]


@contextlib.contextmanager
def bare_logging() -> Iterator[None]:
    """Hide the handlers of pytest, as if nobody had configured logging."""
    logger = logging.getLogger("reidcore")
    before = logger.propagate, logger.handlers, logger.level
    logger.propagate, logger.handlers = False, []
    logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        logger.propagate, logger.handlers = before[:2]
        logger.setLevel(before[2])


def run_in(folder: Path, *words: str | Path) -> Done:
    """Run ``reidcore`` with these words in a folder; its output goes to a pipe, so to speak."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(bare_logging())
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        ended = stack.enter_context(pytest.raises(SystemExit))
        main([os.fspath(word) for word in words])
    return Done(int(str(ended.value.code or 0)), out.getvalue(), err.getvalue())


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run ``reidcore`` with these words in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return partial(run_in, folder)


@dataclass(frozen=True)
class Trained:
    """A finished run of ``quickstart`` on a few people.

    Attributes:
        folder: where it ran.
        checkpoint: what it wrote.
        run: what it told.
    """

    folder: Path
    checkpoint: Path
    run: Done

    def __call__(self, *words: str | Path) -> Done:
        """Run another command in that folder."""
        return run_in(self.folder, *words)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A finished run of ``quickstart``; commands may write beside it."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_in(folder, "run", "quickstart", *SMALL)
    assert done.code == 0, done.out + done.err
    return Trained(folder, folder / "log" / "quickstart" / "model.pth.tar-1", done)


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def in_tiny_world(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str, str], Run]:
    """Go to a folder with the dataset ``tiny``, a plugin and a configuration.

    Gives a command line with the plugin, which returns the exit code and what was told.
    """

    def begin(plugin: str, config: str) -> Run:
        fake_dataset(tmp_path / "reid-data" / "tiny")
        (tmp_path / "world.py").write_text(plugin)
        (tmp_path / "small.yaml").write_text(config)
        monkeypatch.chdir(tmp_path)
        caplog.set_level("INFO")
        return run

    def run(*words: str) -> tuple[int, str]:
        caplog.clear()
        with pytest.raises(SystemExit) as left:
            main(["-p", "world.py", *words])
        return int(left.value.code or 0), capsys.readouterr().err + caplog.text

    return begin
