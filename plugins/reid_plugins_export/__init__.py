"""Exported models: files that other programs run, and that give the same features.

Formats come through a hook that this package publishes, ``reid_register_export_formats``; its own
are one implementation of it. What an exported file says of itself is completed by the hook
``reid_export_metadata``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.plugins import HookPublisher
    from reidcore.registry import Registrar


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_register_export_formats`` and ``reid_export_metadata``."""
    from reid_plugins_export import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_register_export_formats(registry: Registrar) -> None:
    """Register the formats that are run most; each needs the package of its runtime."""
    for name, (target, ending, needs, summary) in _FORMATS.items():
        registry.add(
            name,
            f"{__name__}.{target}",
            summary=summary,
            aliases=[ending] if ending else (),
            needs=[needs] if needs else (),
        )


# Name -> class, the ending by which files are known as its own, extra, what it is.
_FORMATS = {
    "onnx": ("onnx_file:OnnxFormat", ".onnx", "onnx", "ONNX, run by ONNX Runtime"),
    "torchscript": (
        "torchscript_file:TorchScriptFormat",
        ".torchscript",
        "",
        "TorchScript, run by PyTorch and libtorch",
    ),
    "pt2": ("pt2_file:Pt2Format", ".pt2", "", "torch.export's program, run by PyTorch"),
    "openvino": ("openvino_file:OpenVinoFormat", ".xml", "openvino", "OpenVINO's own form"),
    "tensorrt": ("tensorrt_file:TensorRtFormat", "", "onnx", "ONNX, run by TensorRT on a GPU"),
}
