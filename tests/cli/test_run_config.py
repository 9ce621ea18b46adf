"""``run`` and ``test`` end well only where their work is done."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from reidcore.cli.app import main
from reidcore.testing import fake_dataset

PLUGIN = """
    import click
    import sys
    from reidcore import hookimpl
    from reidcore.testing import TinyWorld

    world = TinyWorld()
    reid_register_models = world.reid_register_models
    reid_register_datasets = world.reid_register_datasets

    @hookimpl
    def reid_register_transforms(registry):
        registry.add("leaves", lambda height, width: lambda image: sys.exit(0))

    @hookimpl
    def reid_register_schedulers(registry):
        registry.add("leaves", Leaving)

    class Leaving:
        def __init__(self, optimizer):
            pass

        @property
        def step(self):
            sys.exit(0)

    @hookimpl
    def reid_run_start():
        if {exits}:
            click.get_current_context().exit(0)
"""


@pytest.mark.parametrize(
    ("exits", "setting", "culprit"),
    [
        (
            True,
            "data.transforms=[]",
            "plugin 'leaver' ended the program in reid_run_start (SystemExit: 0)",
        ),
        (False, "data.transforms=[leaves]", "plugin 'leaver' ended the program in <lambda>"),
        (False, "train.lr_scheduler=leaves", "plugin 'leaver' ended the program in Leaving.step"),
    ],
)
def test_an_exit_that_a_plugin_asks_for_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], exits: bool, setting: str, culprit: str
) -> None:
    fake_dataset(tmp_path / "tiny", ids=2)
    plugin = tmp_path / "leaver.py"
    plugin.write_text(dedent(PLUGIN).format(exits=exits))
    settings = [
        *(
            f"data.root={tmp_path}",
            "data.sources=[tiny]",
            "data.targets=[tiny]",
            f"data.save_dir={tmp_path / 'log'}",
        ),
        *("model.name=tinynet", "data.workers=0", "data.height=32", "data.width=16"),
        *("train.batch_size=4", "train.max_epoch=1", "use_gpu=false", setting),
    ]
    with pytest.raises(SystemExit) as ended:
        main(["run", "-p", str(plugin), *settings])
    assert ended.value.code == 1
    assert culprit in capsys.readouterr().err
    assert not (tmp_path / "log" / "results.json").exists()
