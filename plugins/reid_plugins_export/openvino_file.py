"""OpenVINO: its intermediate representation, made of an ONNX model."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openvino
import torch
from torch import Tensor

from reid_plugins_export.formats import Save
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.onnx_file import OnnxFormat
from reid_plugins_export.record import KEY, as_text, from_text
from reid_plugins_export.shapes import described_input, feature_width
from reidcore.errors import CheckpointError, UserError

_DEVICES = {"cpu": "CPU", "xpu": "GPU"}
# On processors that compute in bf16 OpenVINO would do so unasked.
_PRECISIONS = {"fp32": "f32", "int8": "f32", "bf16": "bf16", "fp16": "f16"}


class OpenVinoFormat:
    """Files ending in ``.xml``, with the weights beside them in ``.bin``."""

    ending = ".xml"

    def convert(self, network: FeatureNetwork, calibration: Tensor | None) -> Save:
        """Convert a network; see ``reid_register_export_formats``."""
        if network.takes == "bytes":
            raise UserError(
                "OpenVINO resizes without antialiasing, which gives other features",
                "Use --preprocess mean_std, or --to onnx.",
            )
        save_onnx = OnnxFormat().convert(network, calibration)
        with TemporaryDirectory() as folder:
            file = Path(folder) / "model.onnx"
            save_onnx(file, {})
            model = openvino.convert_model(file)

        def save(path: Path, record: Mapping[str, Any]) -> None:
            model.set_rt_info(as_text(record), [KEY])
            openvino.save_model(model, path, compress_to_fp16=False)

        return save

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> OpenVinoBackend:
        """Open a file for running."""
        return OpenVinoBackend(path, device, precision, threads)

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty for one that others wrote."""
        return _record(_read(path), path)


class OpenVinoBackend:
    """Runs a file by OpenVINO; each thread has a request of its own.

    Args:
        path: the ``.xml`` file.
        device: ``cpu``, or ``xpu`` for a GPU of Intel's.
        precision: ``fp32``, ``bf16`` or ``fp16``, in which the layers compute; ``int8`` for a file
            that was quantised.
        threads: of the CPU; by default as many as OpenVINO likes.

    Raises:
        UserError: if the device or the precision cannot be had.
        CheckpointError: if the file is damaged, or takes or gives something else than one tensor.
    """

    def __init__(self, path: Path, device: str, precision: str, threads: int | None) -> None:
        model = _read(path)
        self.record: Mapping[str, Any] = _record(model, path)
        kind = device.partition(":")[0]
        if kind not in _DEVICES:
            raise UserError(f"OpenVINO does not run on {device!r}", "Use device='cpu'.")
        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _PRECISIONS[precision]}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            self._model = openvino.compile_model(model, _DEVICES[kind], options)
        except RuntimeError as error:
            raise UserError(
                f"OpenVINO cannot run {str(path)!r} on {device!r} in {precision} "
                f"({str(error).strip().splitlines()[-1]})",
                "Use device='cpu' and precision='fp32'.",
            ) from error
        taken = _sides(model.input(0).partial_shape)
        kind_of_values = model.input(0).element_type.to_dtype().name
        self._images = described_input(taken, kind_of_values, path)
        self.image_size = self._images.size
        self.takes = self._images.takes(self.record)
        self.feature_dim = feature_width(_sides(model.output(0).partial_shape), path)
        self._of_thread = threading.local()

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D), float32 on the CPU, of images (B, 3, h, w)."""
        if not hasattr(self._of_thread, "request"):
            self._of_thread.request = self._model.create_infer_request()
        given = openvino.Tensor(self._images.arranged(images).numpy(), shared_memory=True)
        found = self._of_thread.request.infer([given])[self._model.output(0)]
        return torch.from_numpy(np.array(found, np.float32))  # a copy: the request is used again


def _read(path: Path) -> Any:
    try:
        return openvino.Core().read_model(path)
    except RuntimeError as error:
        raise CheckpointError(
            f"{str(path)!r} is damaged or no OpenVINO file, or its .bin is not beside it",
            "Copy both files, or export the model again.",
        ) from error


def _record(model: Any, path: Path) -> dict[str, Any]:
    if not model.has_rt_info([KEY]):
        return {}
    return from_text(model.get_rt_info([KEY]).astype(str), path)


def _sides(shape: Any) -> list[int | str]:
    return [side.get_length() if side.is_static else "any" for side in shape]
