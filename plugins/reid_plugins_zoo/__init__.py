"""Bundled models: the standard architectures beside OSNet, and the recipes of baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import ConfigRegistrar, Registrar, WeightsRegistrar

# Name -> its module in this package, and what a listing says. Parameters are those in use at test
# time, that is without the classifier.
_MODELS = {
    "resnet18": ("resnet", "11.18M parameters, 512-dim features"),
    "resnet34": ("resnet", "21.28M parameters, 512-dim features"),
    "resnet50": ("resnet", "23.51M parameters, 2048-dim features"),
    "resnet101": ("resnet", "42.50M parameters, 2048-dim features"),
    "resnet152": ("resnet", "58.14M parameters, 2048-dim features"),
    "resnext50_32x4d": ("resnet", "22.98M parameters, 2048-dim features"),
    "resnext101_32x8d": ("resnet", "86.74M parameters, 2048-dim features"),
    "resnet50_fc512": ("resnet", "24.56M parameters, 512-dim features"),
    "se_resnet50": ("senet", "26.04M parameters, 2048-dim features"),
    "se_resnet50_fc512": ("senet", "27.09M parameters, 512-dim features"),
    "se_resnet101": ("senet", "47.28M parameters, 2048-dim features"),
    "se_resnext50_32x4d": ("senet", "25.51M parameters, 2048-dim features"),
    "se_resnext101_32x4d": ("senet", "46.91M parameters, 2048-dim features"),
    "resnet50_ibn_a": ("resnet_ibn", "23.51M parameters, 2048-dim features"),
    "resnet50_ibn_b": ("resnet_ibn", "23.51M parameters, 2048-dim features"),
    "resnet50mid": ("resnetmid", "27.71M parameters, 3072-dim features"),
    "pcb_p6": ("pcb", "23.51M parameters, 12288-dim features"),
    "pcb_p4": ("pcb", "23.51M parameters, 8192-dim features"),
    "mgn": ("mgn", "68.81M parameters, 2048-dim features"),
    "mlfn": ("mlfn", "32.47M parameters, 1024-dim features"),
    "hacnn": ("hacnn", "2.93M parameters, 1024-dim features"),
    "mudeep": ("mudeep", "134.94M parameters, 4096-dim features"),
    "densenet121": ("densenet", "6.95M parameters, 1024-dim features"),
    "densenet169": ("densenet", "12.48M parameters, 1664-dim features"),
    "densenet201": ("densenet", "18.09M parameters, 1920-dim features"),
    "densenet161": ("densenet", "26.47M parameters, 2208-dim features"),
    "densenet121_fc512": ("densenet", "7.48M parameters, 512-dim features"),
    "inceptionresnetv2": ("inceptionresnetv2", "54.31M parameters, 1536-dim features"),
    "inceptionv4": ("inceptionv4", "41.14M parameters, 1536-dim features"),
    "xception": ("xception", "20.81M parameters, 2048-dim features"),
    "nasnetmobile": ("nasnet", "4.23M parameters, 1056-dim features"),
    "mobilenetv2_x1_0": ("mobilenetv2", "2.22M parameters, 1280-dim features"),
    "mobilenetv2_x1_4": ("mobilenetv2", "4.29M parameters, 1792-dim features"),
    "shufflenet": ("shufflenet", "0.90M parameters, 960-dim features"),
    "squeezenet1_0": ("squeezenet", "0.74M parameters, 512-dim features"),
    "squeezenet1_0_fc512": ("squeezenet", "1.00M parameters, 512-dim features"),
    "squeezenet1_1": ("squeezenet", "0.72M parameters, 512-dim features"),
    "shufflenet_v2_x0_5": ("shufflenetv2", "0.34M parameters, 1024-dim features"),
    "shufflenet_v2_x1_0": ("shufflenetv2", "1.25M parameters, 1024-dim features"),
    "shufflenet_v2_x1_5": ("shufflenetv2", "2.48M parameters, 1024-dim features"),
    "shufflenet_v2_x2_0": ("shufflenetv2", "5.34M parameters, 2048-dim features"),
}

# Torchreid's spelling of a name, where it differs.
_ALIASES = {"nasnetmobile": ("nasnsetmobile",)}

_RECIPES = {
    "bot_r50": "BoT: ResNet-50 with a batch-norm neck",
    "agw_r50": "AGW: BoT with non-local blocks and a triplet loss over all pairs",
    "sbs_r50": "FastReID's stronger baseline: non-local blocks, circle classifier",
    "sbs_r50_ibn": "FastReID's stronger baseline on ResNet-50-IBN",
    "mgn_r50_ibn": "MGN: people whole, in halves and in thirds",
    "bot_veriwild": "BoT on the vehicles of VERI-Wild",
    "bot_vehicleid": "BoT on the vehicles of VehicleID",
    "sbs_veri": "FastReID's stronger baseline on the vehicles of VeRi-776",
    "cal_r50": "CAL: people who change their clothes, on LTCC",
}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register every architecture by the name that Torchreid gives it, if it has one."""
    for name, (module, summary) in _MODELS.items():
        registry.add(
            name,
            f"reid_plugins_zoo.{module}:{name}",
            summary=summary,
            aliases=_ALIASES.get(name, ()),
        )
    registry.add_family(
        "parts",
        "reid_plugins_zoo.parts:factory_of",
        members="reid_plugins_zoo.parts:members",
        summary="stripes on the maps of any other model; to list them: reidcore ls models parts/",
    )


@hookimpl
def reid_register_weights(registry: WeightsRegistrar) -> None:
    """Register the table of ImageNet weights, and layouts of other libraries' checkpoints."""
    registry.table("reid_plugins_zoo:weights.yaml")
    registry.layout("fastreid", "reid_plugins_zoo.layouts.fastreid:read")
    registry.layout("bot", "reid_plugins_zoo.layouts.bot:read")


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the recipes of baselines that many papers begin from."""
    for name, summary in _RECIPES.items():
        registry.add(name, f"reid_plugins_zoo:recipes/{name}.yaml", summary=summary)
