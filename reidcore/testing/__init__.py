"""What plugin authors test with: a set of plugins, a dataset of drawn people, a run of a second.

A test of a plugin ``reid_mydata`` that registers the dataset ``mydata``::

    import reid_mydata
    from reidcore.testing import fake_dataset, tiny_run


    def test_a_run_uses_it(tmp_path):
        fake_dataset(tmp_path / "mydata")
        run = tiny_run(reid_mydata, save_dir=tmp_path / "log", root=tmp_path, dataset="mydata")
        assert run.result["targets"]["mydata"]["mAP"] > 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.testing.people import fake_dataset as fake_dataset
    from reidcore.testing.running import TinyRun as TinyRun
    from reidcore.testing.running import tiny_run as tiny_run
    from reidcore.testing.selecting import make_plugins as make_plugins
    from reidcore.testing.tiny import TinyNet as TinyNet
    from reidcore.testing.tiny import TinyWorld as TinyWorld

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "TinyNet": "reidcore.testing.tiny:TinyNet",
        "TinyRun": "reidcore.testing.running:TinyRun",
        "TinyWorld": "reidcore.testing.tiny:TinyWorld",
        "fake_dataset": "reidcore.testing.people:fake_dataset",
        "make_plugins": "reidcore.testing.selecting:make_plugins",
        "tiny_run": "reidcore.testing.running:tiny_run",
    },
)
