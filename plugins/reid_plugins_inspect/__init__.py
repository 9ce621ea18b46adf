"""Looking at datasets and models: checks, statistics, pictures, cost.

The data checks come through a hook that this package publishes, ``reid_check_data``; its own are
one implementation of it.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reid_plugins_inspect.checks import CheckedDataset, Finding, ImageStats
    from reidcore.engine import Engine, TargetTest
    from reidcore.plugins import HookPublisher


@hookimpl
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish ``reid_check_data``."""
    from reid_plugins_inspect import hookspecs

    plugins.add_hookspecs(hookspecs)


@hookimpl
def reid_check_data(
    dataset: CheckedDataset, image_stats: ImageStats, unreadable: Mapping[int, str]
) -> Iterator[Finding]:
    """Check files, duplicates, sizes, identities, cameras and official counts."""
    from reid_plugins_inspect.checks.builtin import find_everything

    return find_everything(dataset, image_stats, unreadable)


@hookimpl
def reid_run_files(folder: Path) -> list[str]:
    """Name the folders of ranked results that hold nothing of the user's."""
    from reid_plugins_inspect.pictures.files import holds_drawn_alone

    return [glob.escape(each.name) for each in folder.glob("visrank_*") if holds_drawn_alone(each)]


@hookimpl
def reid_run_start(engine: Engine) -> None:
    """Look at the images before a training, as ``data.check_images`` says."""
    if engine.plan.test_only or not engine.is_main_process:
        return
    from reid_plugins_inspect.checks.before_training import check_images

    check_images(engine)


@hookimpl
def reid_target_tested(engine: Engine, tested: TargetTest) -> None:
    """Draw ranked results after the last test, if ``test.visrank`` asks for them."""
    plan = engine.plan
    if not (plan.visrank and engine.is_final_test):
        return
    from reid_plugins_inspect.pictures import draw_ranked_results
    from reidcore.data import ImageReading

    folder = Path(plan.save_dir) / f"visrank_{tested.name}"
    draw_ranked_results(
        tested.distances,
        tested.query.table,
        tested.gallery.table,
        folder,
        topk=plan.visrank_topk,
        relations=tested.matches,
        reading=ImageReading.recorded(engine.data_facts.preprocessing or {}),
        queries=plan.visrank_queries,
        order=plan.visrank_order,
        ranking=tested.result.ranking,
        target=tested.name,
    )
    tested.result.files["pictures"] = folder
