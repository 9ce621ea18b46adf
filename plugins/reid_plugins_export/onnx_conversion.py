"""A network as an ONNX model, by PyTorch's exporter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch

from reid_plugins_export.network import FeatureNetwork

INPUT, OUTPUT = "images", "features"
"""The names of what an ONNX model of ours takes and gives."""


def as_onnx(network: FeatureNetwork) -> onnx.ModelProto:
    """Return a network as an ONNX model for any number of images."""
    with torch.no_grad(), quietly():
        program = torch.onnx.export(
            network,
            (network.example(2),),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={INPUT: network.free_sides()},
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the exporter's notes, which concern its authors, from the user's terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
        levels = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
