"""TensorRT: an ONNX file, run by ONNX Runtime's TensorRT provider on NVIDIA's GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from reid_plugins_export.onnx_file import OnnxBackend, OnnxFormat
from reidcore.errors import UserError

_PROVIDER = "TensorrtExecutionProvider"


class TensorRtFormat:
    """ONNX files, for which TensorRT builds an engine when they are opened; it writes none."""

    ending = OnnxFormat.ending

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> OnnxBackend:
        """Open a file for running; the engine is built at the first images, which takes minutes."""
        if _PROVIDER not in onnxruntime.get_available_providers():
            raise UserError(
                "TensorRT is not installed, or ONNX Runtime is not built for it",
                "Run: pip install onnxruntime-gpu tensorrt, on a machine with an NVIDIA GPU.",
            )
        kind, _, number = device.partition(":")
        if kind != "cuda" or precision not in ("fp32", "fp16", "int8"):
            raise UserError(
                f"TensorRT does not run on {device!r} in {precision}",
                "Use device='cuda' and precision='fp32', 'fp16' or, of a quantised file, 'int8'.",
            )
        options = {"device_id": number or "0", "trt_fp16_enable": str(precision == "fp16")}
        return OnnxBackend(path, [(_PROVIDER, options)], threads)

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty for one that others wrote."""
        return OnnxFormat().read(path)
