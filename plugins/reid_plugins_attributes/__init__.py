"""What people look like as yes-or-no questions: learnt beside identities, or alone.

`questions` makes them of a table's columns ``attribute_*``; `loss` learns to answer them from a
network's features; `figures` and `evaluation` say how well; `answers` keeps what was learnt in
checkpoints, and `predict` answers for image files. The benchmarks are among
`reid_plugins_datasets`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.engine import Engine, TargetResult, TargetTest
    from reidcore.registry import ConfigRegistrar, Registrar


@hookimpl
def reid_register_losses(registry: Registrar) -> None:
    """Register the loss ``attributes``."""
    registry.add(
        "attributes",
        f"{__name__}.loss:attribute_term",
        summary="yes or no to each attribute of a table, weighted by how common it is",
    )


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the recipe that shows how."""
    registry.add(
        "attributes_quickstart",
        f"{__name__}:recipes/attributes_quickstart.yaml",
        summary="attributes of synthetic people beside their identities, on a CPU",
    )


@hookimpl(trylast=True)
def reid_run_start(engine: Engine) -> None:
    """Make sure that features of tests are those that attributes are learnt from."""
    from reid_plugins_attributes.answers import learnt_attributes

    if learnt := learnt_attributes(engine):
        learnt.check_features(engine)


@hookimpl
def reid_target_tested(engine: Engine, tested: TargetTest) -> None:
    """Answer the questions of a target's gallery."""
    from reid_plugins_attributes.evaluation import note_answers

    note_answers(engine, tested)


@hookimpl(wrapper=True)
def reid_evaluate(
    engine: Engine,
) -> Generator[None, dict[str, TargetResult], dict[str, TargetResult]]:
    """Put the figures of attributes beside those of rankings."""
    from reid_plugins_attributes.evaluation import with_figures

    return with_figures(engine, (yield))


@hookimpl
def reid_run_files(folder: Any) -> list[str]:
    """Name the tables of attributes."""
    return ["attributes_*.csv"]


@hookimpl
def reid_checkpoint_save(engine: Engine) -> dict[str, Any] | None:
    """Keep what answers the questions."""
    from reid_plugins_attributes.answers import learnt_attributes

    learnt = learnt_attributes(engine)
    return learnt.record() if learnt else None


@hookimpl
def reid_checkpoint_load(engine: Engine, state: Mapping[str, Any]) -> None:
    """Refuse to go on with other questions."""
    from reid_plugins_attributes.answers import learnt_attributes

    if learnt := learnt_attributes(engine):
        learnt.check_record(state)
