"""ONNX: written by PyTorch's exporter, run by ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch
from torch import Tensor

from reid_plugins_export.formats import Save
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.onnx_conversion import as_onnx
from reid_plugins_export.record import KEY, as_text, from_text
from reid_plugins_export.shapes import described_input, feature_width
from reidcore.errors import CheckpointError, UserError

_PROVIDERS = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
_LARGEST = 2**31 - 1  # bytes of a protocol buffer
# What ONNX Runtime's errors begin with: a code, the file again, the place in its own source.
_PREAMBLE = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : \w+ : |Load model from .*? failed:"
    r"|/onnxruntime_src/\S+:\d+ .*?\) (?=[A-Z])"
)


class OnnxFormat:
    """Files ending in ``.onnx``."""

    ending = ".onnx"

    def convert(self, network: FeatureNetwork, calibration: Tensor | None) -> Save:
        """Convert a network; see ``reid_register_export_formats``."""
        model = as_onnx(network)
        if calibration is not None:
            from reid_plugins_export.int8 import quantised

            model = quantised(model, calibration)

        def save(path: Path, record: Mapping[str, Any]) -> None:
            onnx.helper.set_model_props(model, {KEY: as_text(record)})
            if model.ByteSize() > _LARGEST:
                raise UserError(
                    "the model is larger than 2 GB, which no single ONNX file holds",
                    "Export it to torchscript, pt2 or openvino.",
                )
            path.write_bytes(model.SerializeToString())

        return save

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> OnnxBackend:
        """Open a file for running, on a CPU or, by onnxruntime-gpu, on CUDA."""
        if precision not in ("fp32", "int8"):
            raise UserError(
                f"ONNX Runtime computes as the file says, and precision={precision!r}",
                "Use backend='openvino' for bf16 and fp16 on a CPU, 'tensorrt' on a GPU.",
            )
        return OnnxBackend(path, _providers(device), threads)

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty for one that others wrote."""
        try:
            model = onnx.load(path, load_external_data=False)
        except Exception as error:  # protobuf's errors have no class in common
            raise _unreadable(path, error) from error
        props = {each.key: each.value for each in model.metadata_props}
        return from_text(props.get(KEY), path)


class OnnxBackend:
    """Runs a file by ONNX Runtime; a session may be run by several threads at a time.

    Args:
        path: the file.
        providers: what of ONNX Runtime runs it, as its session takes them.
        threads: of the CPU; by default as many as ONNX Runtime likes.

    Raises:
        CheckpointError: if the file is damaged, or takes or gives something else than one tensor.
    """

    def __init__(self, path: Path, providers: list[Any], threads: int | None) -> None:
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # each of ONNX Runtime's errors has a class of its own
            raise _unreadable(path, error) from error
        held = self._session.get_modelmeta().custom_metadata_map
        self.record: Mapping[str, Any] = from_text(held.get(KEY), path)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1:
            names = ", ".join(each.name for each in inputs)
            raise CheckpointError(
                f"{str(path)!r} takes {len(inputs)} inputs ({names}), not images alone",
                "Export it again with one input.",
            )
        self._input, self._output = inputs[0].name, outputs[0].name
        self._images = described_input(inputs[0].shape, _kind(inputs[0].type), path)
        self.image_size = self._images.size
        self.takes = self._images.takes(self.record)
        self.feature_dim = feature_width(outputs[0].shape, path)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D), float32 on the CPU, of images (B, 3, h, w)."""
        taken = self._images.arranged(images).numpy()
        (features,) = self._session.run([self._output], {self._input: taken})
        return torch.from_numpy(features).float()


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    wanted = _PROVIDERS.get(kind)
    if wanted not in onnxruntime.get_available_providers():
        raise UserError(
            f"ONNX Runtime here does not run on {device!r}",
            "Use device='cpu'"
            + (", or: pip install onnxruntime-gpu" if kind == "cuda" else "")
            + ".",
        )
    return [(wanted, {"device_id": number or "0"})] if kind == "cuda" else [wanted]


def _kind(type_name: str) -> str:
    """Return ``float32`` for ONNX Runtime's ``tensor(float)``, ``float64`` for its double."""
    plain = type_name.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(plain, plain)


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    reason = _PREAMBLE.sub("", str(error)).strip().splitlines() or [type(error).__name__]
    return CheckpointError(
        f"{str(path)!r} is damaged or no ONNX file that ONNX Runtime {onnxruntime.__version__} "
        f"runs ({reason[0].partition('. ')[0]})",
        "Export the model again, or of a later ONNX run: pip install --upgrade onnxruntime",
    )
