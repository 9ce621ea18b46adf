"""The tools that Torchreid's users import, each from its real home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore._cpus import usable_cpus
    from reidcore._download import OFFLINE, direct_address, download, is_offline
    from reidcore._environment import collect_env_info, environment
    from reidcore._files import (
        PathLike,
        atomic_folder,
        atomic_write,
        check_isfile,
        check_writable,
        mkdir_if_missing,
        partial_folder,
        read_json,
        user_cache,
        write_json,
    )
    from reidcore._run_folder import checkpoints_in, is_in_use
    from reidcore._serialization import save_safetensors
    from reidcore.data.images.decode import read_image
    from reidcore.engine.checkpoint import load_checkpoint, resume_from_checkpoint, save_checkpoint
    from reidcore.engine.meters import AverageMeter, MetricMeter
    from reidcore.engine.rng import set_random_seed
    from reidcore.evaluation.reranking import re_ranking
    from reidcore.inference import FeatureExtractor
    from reidcore.models.layers import count_num_param, open_all_layers, open_specified_layers
    from reidcore.models.weights.load import load_pretrained_weights
    from reidcore.plugins.bundled import (
        Logger,
        RankLogger,
        adjust_learning_rate,
        compute_model_complexity,
        download_url,
        listdir_nohidden,
        set_bn_to_eval,
        visualize_ranked_results,
    )

__all__ = [
    "AverageMeter",
    "FeatureExtractor",
    "Logger",
    "MetricMeter",
    "OFFLINE",
    "PathLike",
    "RankLogger",
    "adjust_learning_rate",
    "atomic_folder",
    "atomic_write",
    "check_isfile",
    "check_writable",
    "checkpoints_in",
    "collect_env_info",
    "compute_model_complexity",
    "count_num_param",
    "environment",
    "direct_address",
    "download",
    "download_url",
    "is_in_use",
    "is_offline",
    "listdir_nohidden",
    "load_checkpoint",
    "load_pretrained_weights",
    "mkdir_if_missing",
    "open_all_layers",
    "open_specified_layers",
    "partial_folder",
    "re_ranking",
    "read_image",
    "read_json",
    "resume_from_checkpoint",
    "save_checkpoint",
    "save_safetensors",
    "set_bn_to_eval",
    "set_random_seed",
    "usable_cpus",
    "user_cache",
    "visualize_ranked_results",
    "write_json",
]

__getattr__, __dir__ = attach(__name__)
