"""Quantising an ONNX model to INT8, with images to calibrate on."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor
from torch.nn import functional

from reid_plugins_export.onnx_conversion import INPUT
from reidcore.errors import UserError

_log = logging.getLogger(f"reidcore.{__name__}")

_BATCH = 8
_LEAST_COSINE = 0.98
_HELD_BACK = 16  # images that tell how near the features are, and are not calibrated on
# Which operators compute in INT8: all that can, or those alone that cost the most.
_ATTEMPTS: tuple[tuple[str, list[str] | None], ...] = (
    ("all operators", None),
    ("convolutions and matrix products", ["Conv", "Gemm", "MatMul"]),
    ("convolutions", ["Conv"]),
)


def quantised(model: onnx.ModelProto, images: Tensor) -> onnx.ModelProto:
    """Return a model whose weights and activations are 8-bit, symmetric, weights by channel.

    Ranges are percentiles of the activations on the images. Where quantising everything moves the
    features too far, only the costly operators are, which is told.

    Args:
        model: in fp32.
        images: (N, 3, height, width) as the model takes them.

    Raises:
        UserError: if there are too few images, or no way of quantising keeps the features.
    """
    if len(images) < 2 * _HELD_BACK:
        raise UserError(
            f"{len(images)} images are too few to quantise with",
            f"Give a dataset of {2 * _HELD_BACK} or more.",
        )
    held, used = images[:_HELD_BACK], images[_HELD_BACK:]
    with TemporaryDirectory() as folder:
        given, plain, small = (Path(folder) / name for name in ("0.onnx", "1.onnx", "2.onnx"))
        given.write_bytes(model.SerializeToString())
        # Batch normalisation goes into the convolutions before their weights are rounded.
        quant_pre_process(str(given), str(plain), skip_symbolic_shape=True)
        exact = _features(plain, held)
        _log.info("Quantising with %d images, which takes a while", len(used))
        nearest = -1.0
        for what, operators in _ATTEMPTS:
            _quantise(plain, small, used, operators)
            cosine = functional.cosine_similarity(_features(small, held), exact).min().item()
            _log.info("INT8 of %s: the cosine to fp32 is at least %.4f", what, cosine)
            if cosine >= _LEAST_COSINE:
                return onnx.load(small)
            nearest = max(nearest, cosine)
    raise UserError(
        f"INT8 gives other features: their cosine to fp32 is {nearest:.3f} at best, and at least "
        f"{_LEAST_COSINE} is wanted",
        "Export without --int8; backend='openvino' with precision='bf16' is fast as well.",
    )


class _Batches(CalibrationDataReader):  # type: ignore[misc]
    """Gives images to ONNX Runtime's calibration, a few at a time."""

    def __init__(self, images: Tensor) -> None:
        # ONNX Runtime stacks what batches give, so that all have to be of one size.
        whole = len(images) // _BATCH * _BATCH
        self._left: Iterator[Tensor] = iter(torch.split(images[:whole], _BATCH))

    def get_next(self) -> dict[str, Any] | None:
        """Return the next images by the input's name; None after the last."""
        batch = next(self._left, None)
        return None if batch is None else {INPUT: batch.numpy()}


def _quantise(plain: Path, small: Path, images: Tensor, operators: list[str] | None) -> None:
    with _quietly():
        quantize_static(
            str(plain),
            str(small),
            _Batches(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operators,
            per_channel=True,
            # Without VNNI, sums of two products of 8 bits overflow 16: seven bits do not.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibMaxIntermediateOutputs": 2, "CalibPercentile": 99.99},
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what ONNX Runtime prints from the terminal, and the root logger without its handler."""
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.handlers[:] = before  # its notes add one, which would repeat ours


def _features(file: Path, images: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    found = [session.run(None, {INPUT: batch.numpy()})[0] for batch in torch.split(images, _BATCH)]
    return torch.from_numpy(np.concatenate(found)).float()
