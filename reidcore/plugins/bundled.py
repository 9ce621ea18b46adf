"""The one table of public names that live in bundled plugins.

Torchreid's users and authors of plugins import these names from the core. The core does not import
the plugins: a name is looked up when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reid_plugins_engines.losses import CrossEntropyLoss, DeepSupervision, TripletLoss
    from reid_plugins_engines.softmax import ImageSoftmaxEngine
    from reid_plugins_engines.triplet import ImageTripletEngine
    from reid_plugins_engines.video import VideoSoftmaxEngine, VideoTripletEngine
    from reid_plugins_export.backends import open_backend
    from reid_plugins_export.safetensors_file import export_weights, save_weights
    from reid_plugins_inspect.archives import download_archive, prepare_dataset
    from reid_plugins_inspect.complexity import compute_model_complexity
    from reid_plugins_inspect.pictures import draw_ranked_results, visualize_ranked_results
    from reid_plugins_inspect.summary import USUAL_CLASSES, ModelSummary, summarize
    from reid_plugins_migrate.torchreid.script_tools import (
        RankLogger,
        adjust_learning_rate,
        download_url,
        listdir_nohidden,
        set_bn_to_eval,
    )
    from reid_plugins_runs.sweep import run_sweep
    from reid_plugins_scaffold import conformance
    from reid_plugins_scaffold.private_imports import private_imports
    from reid_plugins_training.holdout import hold_out
    from reid_plugins_training.mutual import ImageDMLEngine
    from reid_plugins_training.speed import with_speed
    from reid_plugins_writers.config_yaml import as_yaml
    from reid_plugins_writers.logger import Logger
    from reid_plugins_writers.streams import output_not_needed, standard_streams

__all__ = [
    "CrossEntropyLoss",
    "DeepSupervision",
    "ImageDMLEngine",
    "ImageSoftmaxEngine",
    "ImageTripletEngine",
    "Logger",
    "ModelSummary",
    "RankLogger",
    "TripletLoss",
    "USUAL_CLASSES",
    "VideoSoftmaxEngine",
    "VideoTripletEngine",
    "adjust_learning_rate",
    "as_yaml",
    "compute_model_complexity",
    "conformance",
    "download_archive",
    "download_url",
    "draw_ranked_results",
    "export_weights",
    "hold_out",
    "listdir_nohidden",
    "open_backend",
    "output_not_needed",
    "prepare_dataset",
    "private_imports",
    "run_sweep",
    "set_bn_to_eval",
    "save_weights",
    "standard_streams",
    "summarize",
    "visualize_ranked_results",
    "with_speed",
]

__getattr__, __dir__ = attach(__name__)
