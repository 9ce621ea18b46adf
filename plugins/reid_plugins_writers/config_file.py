"""The configuration of a run as YAML, in its folder: a run that can be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reid_plugins_writers.config_yaml import as_yaml
from reid_plugins_writers.writer import Writer
from reidcore.config import read_config, resolved
from reidcore.utils import atomic_write

if TYPE_CHECKING:
    from reidcore.config import Config
    from reidcore.engine import Engine

CONFIG, TEST_CONFIG = "resolved_config.yaml", "resolved_test_config.yaml"


class ConfigFile(Writer):
    """Writes ``resolved_config.yaml``, or ``resolved_test_config.yaml`` in a run that only tests.

    An engine that was built by hand has no configuration, and the file is not written.

    Args:
        engine: of a run that starts.
        config: the last one that was read, which knows where its values came from.
    """

    def __init__(self, engine: Engine, config: Config | None = None) -> None:
        if engine.config is None:
            return
        if config is None or resolved(config, engine.plugins) != engine.config:
            config = read_config(engine.config).config
        name = TEST_CONFIG if engine.plan.test_only else CONFIG
        path = Path(engine.plan.save_dir) / name
        text = f"# reidcore run {path}\n{as_yaml(config, engine.plugins)}\n"
        with atomic_write(path) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
