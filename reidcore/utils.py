"""The tools that Torchreid's users import, each from its real home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.plugins import bundled

if TYPE_CHECKING:
    from reid_plugins_inspect.pictures import visualize_ranked_results as visualize_ranked_results

    from reidcore._environment import collect_env_info as collect_env_info
    from reidcore._files import check_isfile as check_isfile
    from reidcore._files import mkdir_if_missing as mkdir_if_missing
    from reidcore._files import read_json as read_json
    from reidcore._files import write_json as write_json
    from reidcore._logging import Logger as Logger
    from reidcore.data.images.decode import read_image as read_image
    from reidcore.engine.checkpoint import load_checkpoint as load_checkpoint
    from reidcore.engine.checkpoint import resume_from_checkpoint as resume_from_checkpoint
    from reidcore.engine.checkpoint import save_checkpoint as save_checkpoint
    from reidcore.engine.meters import AverageMeter as AverageMeter
    from reidcore.engine.meters import MetricMeter as MetricMeter
    from reidcore.engine.rng import set_random_seed as set_random_seed
    from reidcore.evaluation.reranking import re_ranking as re_ranking
    from reidcore.inference import FeatureExtractor as FeatureExtractor
    from reidcore.models.complexity import compute_model_complexity as compute_model_complexity
    from reidcore.models.layers import count_num_param as count_num_param
    from reidcore.models.layers import open_all_layers as open_all_layers
    from reidcore.models.layers import open_specified_layers as open_specified_layers
    from reidcore.models.weights.load import load_pretrained_weights as load_pretrained_weights

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AverageMeter": "reidcore.engine.meters:AverageMeter",
        "FeatureExtractor": "reidcore.inference:FeatureExtractor",
        "Logger": "reidcore._logging:Logger",
        "MetricMeter": "reidcore.engine.meters:MetricMeter",
        "check_isfile": "reidcore._files:check_isfile",
        "collect_env_info": "reidcore._environment:collect_env_info",
        "compute_model_complexity": "reidcore.models.complexity:compute_model_complexity",
        "count_num_param": "reidcore.models.layers:count_num_param",
        "load_checkpoint": "reidcore.engine.checkpoint:load_checkpoint",
        "load_pretrained_weights": "reidcore.models.weights.load:load_pretrained_weights",
        "mkdir_if_missing": "reidcore._files:mkdir_if_missing",
        "open_all_layers": "reidcore.models.layers:open_all_layers",
        "open_specified_layers": "reidcore.models.layers:open_specified_layers",
        "re_ranking": "reidcore.evaluation.reranking:re_ranking",
        "read_image": "reidcore.data.images.decode:read_image",
        "read_json": "reidcore._files:read_json",
        "resume_from_checkpoint": "reidcore.engine.checkpoint:resume_from_checkpoint",
        "save_checkpoint": "reidcore.engine.checkpoint:save_checkpoint",
        "set_random_seed": "reidcore.engine.rng:set_random_seed",
        "write_json": "reidcore._files:write_json",
        **bundled.PICTURES,
    },
)
