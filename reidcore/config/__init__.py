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
    from reidcore.config.dump import resolved as resolved
    from reidcore.config.layers import Origin as Origin
    from reidcore.config.load import load_config as load_config
    from reidcore.config.loader import Draft as Draft
    from reidcore.config.loader import read_config as read_config
    from reidcore.config.schema import Config as Config
    from reidcore.config.sections import model_arguments as model_arguments
    from reidcore.config.sections import options_of as options_of
    from reidcore.config.selection import chosen_protocol as chosen_protocol
    from reidcore.config.validate import check_config as check_config

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Config": "reidcore.config.schema:Config",
        "Draft": "reidcore.config.loader:Draft",
        "Origin": "reidcore.config.layers:Origin",
        "check_config": "reidcore.config.validate:check_config",
        "chosen_protocol": "reidcore.config.selection:chosen_protocol",
        "load_config": "reidcore.config.load:load_config",
        "model_arguments": "reidcore.config.sections:model_arguments",
        "options_of": "reidcore.config.sections:options_of",
        "read_config": "reidcore.config.loader:read_config",
        "resolved": "reidcore.config.dump:resolved",
    },
)
