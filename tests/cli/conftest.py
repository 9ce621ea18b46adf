"""The command line in this process: in an empty folder, beside a trained model, in a tiny world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from reidcore.cli import main
from reidcore.testing import fake_dataset
from tests.program import Ended, Program, run_in

SMALL = (
    *("datasets.synthetic.train_ids=4", "datasets.synthetic.test_ids=3"),
    *("datasets.synthetic.cameras=2", "datasets.synthetic.images_per_camera=2"),
    *("data.height=32", "data.width=16", "data.workers=0", "train.batch_size=8"),
    *("train.max_epoch=1", "use_gpu=false"),
)
"""A run of ``quickstart`` in a second."""


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
    run: Ended

    def __call__(self, *words: str | Path) -> Ended:
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
