"""A network as a graph of PyTorch's operators, for any number of images."""

from __future__ import annotations

import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import torch

from reid_plugins_export.network import FeatureNetwork
from reidcore.errors import UserError

_LOGGERS = ("torch.export", "torch.fx", "torch.onnx", "onnxscript", "onnx_ir")


def as_program(network: FeatureNetwork) -> torch.export.ExportedProgram:
    """Return the graph of a network.

    Raises:
        UserError: if its forward looks at values, or at the number of images, as Python does; names
            the line.
    """
    shapes = {"images": network.free_sides()}
    try:
        with torch.no_grad(), quietly():
            example = (network.example(2),)
            return torch.export.export(network, example, dynamic_shapes=shapes, strict=False)
    except UserError:
        raise
    except Exception as error:  # torch has a class of its own for each thing that it cannot trace
        raise UserError(
            f"the model cannot be exported: {_reason(error)}{_place(error)}",
            "In its forward use torch.where in place of 'if' on values, images.shape[0] in place "
            "of len(images), and no .item(), .tolist() or numpy; or try --to torchscript.",
        ) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the exporters' notes, which concern their authors, from the user's terminal."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # torch prints half graphs
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.CRITICAL)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _reason(error: Exception) -> str:
    """Return what torch says in one line."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip(" -")]
    is_heading = len(lines) > 1 and lines[0].startswith("Constraints violated")
    return (lines[1] if is_heading else lines[0] if lines else type(error).__name__).rstrip(".")


def _place(error: Exception) -> str:
    """Return the last line of the traceback that is neither torch's nor ours; empty if none is."""
    ours, theirs = Path(__file__).parent, Path(torch.__file__).parent
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not {ours, theirs} & {*Path(frame.filename).parents}
    ]
    if not frames:
        return ""
    last = frames[-1]
    return f" ({last.filename}:{last.lineno}: {last.line})"
