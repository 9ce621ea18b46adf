"""Write docs/api.md from the facades: what is public is what their ``__all__`` names.

Run: python docs/generate/api.py
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).parents[1] / "api.md"

INTRODUCTION = """\
# Public names

A name is public if it stands here; everything else in `reidcore` may change without notice. Bundled
plugins import nothing else of the core either. *This page is generated from the code: `make docs`.*

*Stable* names keep their meaning and their arguments until a new major version; what goes is
announced by a warning first. The others are *provisional*: public, and told in the changelog when
they change. A name that several facades repeat is the same object.
"""

# Facade -> its stable names; whatever else it names is provisional.
STABLE = {
    "reidcore": "__version__ hookimpl hookspec register",
    "reidcore.data": """
        Archive DataManager DatasetCard ImageDataManager ImageDataset OfficialCount Sample
        SampleTable Splits UnreadableImageError VideoDataManager VideoDataset build_train_sampler
        build_transforms described_by from_folders init_image_dataset init_video_dataset read_image
        register_image_dataset register_video_dataset require""",
    "reidcore.models": """
        Outputs ReidModel build_model load_pretrained_weights load_published_weights save_weights
        show_avai_models""",
    "reidcore.engine": """
        Engine ImageSoftmaxEngine ImageTripletEngine StepOutcome VideoSoftmaxEngine
        VideoTripletEngine""",
    "reidcore.evaluation": """
        AnyCamera Cuhk03 Distances EvaluationProtocol FeatureDistances Market1501 MatrixDistances
        RankingResult compute_distance_matrix evaluate evaluate_features evaluate_rank
        re_ranking""",
    "reidcore.optim": "build_lr_scheduler build_optimizer",
    "reidcore.inference": "FeatureExtractor",
    "reidcore.config": "Config load_config read_config",
    "reidcore.registry": "KINDS ConfigRegistrar Registrar WeightsRegistrar entries find",
    "reidcore.plugins": "Plugins current_plugins make_plugins",
    "reidcore.errors": """
        CheckpointError ConfigError DataError PluginError UnknownNameError UserError""",
    "reidcore.losses": "CrossEntropyLoss DeepSupervision TripletLoss",
    "reidcore.metrics": "accuracy compute_distance_matrix evaluate_rank",
    "reidcore.utils": """
        AverageMeter FeatureExtractor Logger MetricMeter RankLogger adjust_learning_rate
        check_isfile collect_env_info compute_model_complexity count_num_param download_url
        listdir_nohidden load_checkpoint load_pretrained_weights mkdir_if_missing open_all_layers
        open_specified_layers re_ranking read_image read_json resume_from_checkpoint
        save_checkpoint set_bn_to_eval set_random_seed visualize_ranked_results write_json""",
    "reidcore.testing": "fake_dataset make_plugins tiny_run",
    "reidcore.cli": "",
}

_ROLE = re.compile(r":\w+:`([^`]*)`|``([^`]*)``")


def page() -> str:
    """Return the page: a section for each facade, a row for each of its names."""
    return "\n".join([INTRODUCTION, *(_section(facade) for facade in STABLE)])


def _section(facade: str) -> str:
    module = importlib.import_module(facade)
    stable = STABLE[facade].split()
    rows = [
        f"| `{name}` | {'stable' if name in stable else 'provisional'} | {text} |"
        for name, text in documented(module)
    ]
    table = ["| Name | | |", "|---|---|---|", *rows, ""]
    return "\n".join([f"## {facade}", "", _inline(_first_line(module) or ""), "", *table])


def documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the public names of a module in the order of the alphabet, with their first lines."""
    for name in sorted(module.__all__, key=str.casefold):
        value = getattr(module, name)
        described = any(
            is_(value) for is_ in (inspect.isclass, inspect.isroutine, inspect.ismodule)
        )
        text = _first_line(value) if described else None
        yield name, _inline(text or _line_below(module, name) or "")


def _first_line(value: object) -> str | None:
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")


def _line_below(module: ModuleType, name: str) -> str | None:
    """Return the first line of the string that stands below an assignment, where it is made."""
    statements = ast.parse(inspect.getsource(module)).body
    for statement, below in pairwise(statements):
        if name in _assigned(statement):
            text = below.value if isinstance(below, ast.Expr) else None
            return str(text.value).partition("\n\n")[0] if isinstance(text, ast.Constant) else None
    for node in ast.walk(ast.Module(statements, [])):
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return _line_below(importlib.import_module(str(node.module)), name)
    return None


def _assigned(statement: ast.stmt) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _inline(text: str) -> str:
    """Return reStructuredText's marks as Markdown's, in one cell."""
    plain = _ROLE.sub(lambda role: f"`{role[1] or role[2]}`", text)
    return " ".join(plain.split()).replace("|", "\\|")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
