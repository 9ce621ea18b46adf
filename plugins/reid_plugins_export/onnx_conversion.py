"""A network as an ONNX model, by PyTorch's exporter."""

from __future__ import annotations

import onnx
import torch

from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.tracing import as_program, quietly
from reidcore.errors import UserError

INPUT, OUTPUT = "images", "features"
"""The names of what an ONNX model of ours takes and gives."""


def as_onnx(network: FeatureNetwork) -> onnx.ModelProto:
    """Return a network as an ONNX model for any number of images.

    Raises:
        UserError: if it has no graph, or an operator that ONNX has not.
    """
    program = as_program(network)
    try:
        with torch.no_grad(), quietly():
            made = torch.onnx.export(
                program, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise UserError(
            f"the model cannot be converted to ONNX: {reason}", "Try --to torchscript or pt2."
        ) from error
    assert made is not None
    return made.model_proto
