from __future__ import annotations

import subprocess
import sys


def test_what_plugins_name_at_their_top_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys\n"
        "from reidcore import data, hookimpl\n"
        "data.Sample, data.Splits, data.from_folders, data.register_image_dataset\n"
        "import reidcore.plugins.runtime\n"
        "print(sorted({'torch', 'numpy', 'PIL'} & set(sys.modules)))\n"
        "data.ImageDataset\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]


def test_every_public_name_is_there() -> None:
    from reidcore import data

    assert [name for name in data.__all__ if getattr(data, name, None) is None] == []
