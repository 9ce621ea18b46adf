"""Re-identification transformers: their models, recipes, and readings of published weights.

They need the extra ``transformers``: ``pip install "reidcore[transformers]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl
from reidcore.plugins import current_plugins

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.engine import Engine
    from reidcore.registry import ConfigRegistrar, Registrar, WeightsRegistrar

# Name -> (its target in this package, what a listing says).
_MODELS: dict[str, tuple[str, str]] = {
    "transreid_vit_b": (
        "transreid.build:transreid_vit_b",
        "85.75M parameters, 768-dim features, ImageNet weights",
    ),
    "transreid_vit_s": (
        "transreid.build:transreid_vit_s",
        "47.93M parameters, 768-dim features, ImageNet weights",
    ),
    "vit_s_16": (
        "transreid.build:vit_s_16",
        "21.64M parameters, 384-dim features, TransReID-SSL's weights",
    ),
    "vit_b_16": ("transreid.build:vit_b_16", "85.75M parameters, 768-dim features, HAP's weights"),
    "vit_s_16_ics": (
        "transreid.build:vit_s_16_ics",
        "23.00M parameters, 384-dim features, TransReID-SSL's weights",
    ),
    "vit_b_16_ics": (
        "transreid.build:vit_b_16_ics",
        "88.39M parameters, 768-dim features, TransReID-SSL's weights",
    ),
    "vit_s_16_pass": (
        "transreid.build:vit_s_16_pass",
        "21.64M parameters, 768-dim features, PASS's weights",
    ),
    "vit_b_16_pass": (
        "transreid.build:vit_b_16_pass",
        "85.75M parameters, 1536-dim features, PASS's weights",
    ),
}

# Whose weights -> what reads them.
_LAYOUTS = {
    "vision_transformers": "layouts.vit:read",
    "solider": "swin.layouts:read_solider",
    "clip": "clip.layouts:read",
}

# Name -> what a listing says; these need no further package.
_SWINS = {
    "solider_swin_t": "27.52M parameters, 768-dim features, SOLIDER's weights",
    "solider_swin_s": "48.84M parameters, 768-dim features, SOLIDER's weights",
    "solider_swin_b": "86.74M parameters, 1024-dim features, SOLIDER's weights",
}

_CLIP_REID = {
    "clipreid_vit_b": "CLIP-ReID on CLIP's ViT-B/16, 1280-dim features",
    "clipreid_rn50": "CLIP-ReID on CLIP's ResNet-50, 3072-dim features",
}

# Name -> what a listing says.
_RECIPES: dict[str, str] = {
    "transreid_vit_b": "a ViT-B/16 with a batch-norm neck, the baseline of TransReID",
    "transreid_stride_sie_jpm": "TransReID: overlapping patches, cameras told, jigsaw parts",
    "transreid_veri": "TransReID on VeRi-776, cameras and viewpoints told",
    "transreid_vehicleid": "TransReID on VehicleID",
    "dino_vit_s": "a ViT-S/16 pre-trained on people by DINO",
    "pass_vit_s": "a ViT-S/16 with part tokens, pre-trained on people by PASS",
    "hap_vit_b": "a ViT-B/16 pre-trained on masked people by HAP",
    "clipreid_vit_b": "CLIP-ReID on CLIP's ViT-B/16, Market-1501",
    "clipreid_rn50": "CLIP-ReID on CLIP's ResNet-50, Market-1501",
    "clipreid_veri": "CLIP-ReID for vehicles, VeRi-776",
    "solider_swin_t": "SOLIDER's Swin-T on Market-1501",
    "solider_swin_s": "SOLIDER's Swin-S on Market-1501",
    "solider_swin_b": "SOLIDER's Swin-B on Market-1501",
}


class Transformers:
    """The plugin: it registers its parts, and brings to a run those that it asks for."""

    @hookimpl
    def reid_register_models(self, registry: Registrar) -> None:
        """Register every network; timm is imported when one of them is used."""
        for name, (target, summary) in _MODELS.items():
            registry.add(name, f"{__name__}.{target}", summary=summary, needs=["transformers"])
        for name, summary in _SWINS.items():
            registry.add(name, f"{__name__}.swin.network:{name}", summary=summary)
        for name, summary in _CLIP_REID.items():
            registry.add(name, f"{__name__}.clip.model:{name}", summary=summary)

    @hookimpl
    def reid_register_engines(self, registry: Registrar) -> None:
        """Register CLIP-ReID's training in two stages."""
        registry.add(
            "clipreid",
            f"{__name__}.clip.engine:ClipReidEngine",
            summary="CLIP-ReID: words about identities are learnt, and then teach the image tower",
            options={"loss.softmax.label_smooth": "label_smooth"},
        )

    @hookimpl
    def reid_register_weights(self, registry: WeightsRegistrar) -> None:
        """Register the table of published weights, and how files of others are read."""
        registry.table(f"{__name__}:weights.yaml")
        for name, target in _LAYOUTS.items():
            registry.layout(name, f"{__name__}.{target}")

    @hookimpl
    def reid_register_configs(self, registry: ConfigRegistrar) -> None:
        """Register the ready recipes."""
        for name, summary in _RECIPES.items():
            registry.add(name, f"{__name__}:recipes/{name}.yaml", summary=summary)

    @hookimpl
    def reid_configure(self, config: Config) -> None:
        """Bring what a run asks for."""
        current_plugins().bring(self, parts_of(config))

    @hookimpl
    def reid_run_start(self, engine: Engine) -> None:
        """Let side information know the cameras that it is learnt from."""
        from reid_plugins_transformers.familiarity import number_rows

        number_rows(engine)


def parts_of(config: Config) -> dict[str, object]:
    """Return the parts that a run brings, by their names."""
    parts: dict[str, object] = {}
    if (config.model.model_extra or {}).get("sie", "none") != "none":
        from reid_plugins_transformers.familiarity import Familiarity

        parts["familiarity"] = Familiarity()
    return parts


PLUGIN = Transformers()
