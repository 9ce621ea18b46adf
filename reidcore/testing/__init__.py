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
    from reidcore.plugins.bundled import conformance
    from reidcore.testing.people import fake_dataset
    from reidcore.testing.running import TinyRun, tiny_run
    from reidcore.testing.selecting import make_plugins
    from reidcore.testing.tiny import TinyNet, TinyWorld

__all__ = [
    "TinyNet",
    "TinyRun",
    "TinyWorld",
    "conformance",
    "fake_dataset",
    "make_plugins",
    "tiny_run",
]

__getattr__, __dir__ = attach(__name__)
