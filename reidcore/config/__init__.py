"""The run configuration: defaults, YAML, overrides, and the sections of the components in use.

It is read in two phases, because a run's plugins are named by its configuration::

    draft = read_config("my_run.yaml", ["train.max_epoch=10"])  # needs no component
    plugins = ...                                               # made from draft.plugins
    config = check_config(draft, plugins)                       # judges components' sections
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.config.components import chosen_protocol, model_arguments, options_of
    from reidcore.config.dump import resolved
    from reidcore.config.layers import Origin
    from reidcore.config.loader import Draft, options_in, read_config, recipe_file
    from reidcore.config.options import (
        DataOptions,
        HeadOptions,
        LoadingOptions,
        LossOptions,
        ModelOptions,
        OptimOptions,
        SamplingOptions,
        TestOptions,
        TrainOptions,
        VideoOptions,
    )
    from reidcore.config.schema import Config
    from reidcore.config.validate import check_config, load_config
    from reidcore.plugins.bundled import as_yaml

__all__ = [
    "Config",
    "DataOptions",
    "Draft",
    "HeadOptions",
    "LoadingOptions",
    "LossOptions",
    "ModelOptions",
    "OptimOptions",
    "Origin",
    "SamplingOptions",
    "TestOptions",
    "TrainOptions",
    "VideoOptions",
    "as_yaml",
    "check_config",
    "chosen_protocol",
    "load_config",
    "model_arguments",
    "options_in",
    "options_of",
    "read_config",
    "recipe_file",
    "resolved",
]

__getattr__, __dir__ = attach(__name__)
