"""Pictures in TensorBoard: training images as the network sees them, and ranked results."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from reid_plugins_writers.batch_picture import picture_of
from reid_plugins_writers.tensorboard import add_summary
from reid_plugins_writers.writer import Writer

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult

OVERVIEW = "overview.jpg"


class Pictures(Writer):
    """Writes pictures through ``engine.writer``.

    They are JPEG, some hundred kilobytes each. Ranked results are those that a plugin has drawn for
    the test, named in the results' ``files["pictures"]``.

    Args:
        engine: of a run that starts.
        epochs: draw the first batch in every so many epochs, and the first of the run.
    """

    def __init__(self, engine: Engine, epochs: int) -> None:
        self._epochs = epochs
        self._has_none = not engine.record.history

    def step_done(self, engine: Engine) -> None:
        """Draw the batch of the step, where it is due."""
        run = engine.active_run
        if run is None or run.batch is None:
            return
        at = run.position
        is_due = at.batch == 1 and (at.epoch - 1) % self._epochs == 0
        if is_due or self._has_none:
            self._has_none = False
            facts = engine.data_facts.preprocessing or {}
            drawn = picture_of(run.batch, facts.get("norm_mean"), facts.get("norm_std"))
            if drawn is not None:
                _write(
                    engine,
                    "Train/images",
                    _as_jpeg(drawn),
                    (at.epoch - 1) * at.num_batches + at.batch,
                )

    def test_done(self, engine: Engine, results: Mapping[str, TargetResult]) -> None:
        """Take in the overview of each target's ranked results, where there is one."""
        if not engine.record.history:
            return
        epoch = engine.record.history[-1]["epoch"]
        for target, result in results.items():
            folder = result.files.get("pictures")
            path = Path(folder) / OVERVIEW if folder else None
            if path is not None and path.is_file():
                _write(engine, f"Test/{target}/ranked", path.read_bytes(), epoch)


def _as_jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=90, subsampling=0)
    return file.getvalue()


def _write(engine: Engine, tag: str, jpeg: bytes, step: int) -> None:
    """Write a picture as it is encoded, which ``SummaryWriter.add_image`` would do anew."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    width, height = Image.open(io.BytesIO(jpeg)).size
    image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=jpeg)
    add_summary(engine, Summary(value=[Summary.Value(tag=tag, image=image)]), step)
