"""A new key for data is two edits: the field, and its use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reidcore

Edit = tuple[str, str, str]
"""A file, a line of it, and the line that is written after that."""

OPTIONS = "config/options/data.py"
FIELD = "    shout: str = ''\n"
EDITS: dict[str, list[Edit]] = {
    "LoadingOptions": [
        (OPTIONS, "    draft: bool = False\n", FIELD),
        (
            "data/loader/loader.py",
            "        dataset, loading = self.dataset, self._loading\n",
            "        print('read with', loading.options.shout)\n",
        ),
    ],
    "DataOptions": [
        (OPTIONS, "    load_train_targets: bool = False\n", FIELD),
        (
            "data/managers.py",
            "        check_consistent(data, holds_out=validation_share > 0)\n",
            "        print('read with', data.shout)\n",
        ),
    ],
}

SCRIPT = """
from reidcore.config import load_config
from reidcore.data import ImageDataManager, Splits, register_image_dataset
from reidcore.engine.build import build_datamanager
from reidcore.plugins import current_plugins

splits = Splits([("a", 1, 0), ("b", 2, 0)], [("q", 1, 0)], [("g", 1, 1)])
register_image_dataset("toy", lambda root: splits)
ImageDataManager(sources="toy", batch_size=1, workers=0, shout="python")

toy = {"sources": ["toy"], "targets": ["toy"], "workers": 0}
source = {"data": {**toy, "shout": "yaml"}, "train": {"batch_size": 1}}
plugins = current_plugins()
for overrides in ([], ["data.shout=words"]):
    build_datamanager(load_config(source, overrides, plugins=plugins), plugins)
try:
    load_config(source, ["data.shout=3"], plugins=plugins)
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("section", EDITS)
def test_a_key_that_is_a_field_and_is_used_is_there_for_everyone(
    tmp_path: Path, section: str
) -> None:
    package = tmp_path / "reidcore"
    shutil.copytree(Path(reidcore.__file__).parent, package)
    for file, after, line in EDITS[section]:
        text = (package / file).read_text(encoding="utf-8")
        assert text.count(after) == 1, f"{file} changed; mend this test"
        (package / file).write_text(text.replace(after, after + line), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = [line for line in ran.stdout.splitlines() if line.startswith("read with")]
    assert list(dict.fromkeys(told)) == ["read with python", "read with yaml", "read with words"]
    assert "data.shout: expected text, not 3 (override 'data.shout=3')" in ran.stdout
