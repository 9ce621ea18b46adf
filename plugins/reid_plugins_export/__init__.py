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
    registry.add(
        "onnx",
        f"{__name__}.onnx_file:OnnxFormat",
        summary="ONNX, run by ONNX Runtime",
        aliases=[".onnx"],
        needs=["onnx"],
    )
