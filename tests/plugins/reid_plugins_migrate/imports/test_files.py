"""Scripts and notebooks are found, read whatever their encoding, and written whole."""

from __future__ import annotations

import json

import pytest
from reid_plugins_migrate.imports.files import (
    Rewritten,
    Unreadable,
    find_scripts,
    read_rewritten,
)

from reidcore.errors import UserError


def cell(*lines: str, kind: str = "code") -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": [f"{line}\n" for line in lines]}


@pytest.fixture
def notebook(tmp_path):
    """A notebook as Jupyter writes it: indent 1, a newline at its end, cells in several forms."""
    cells = [
        cell("torchreid in prose", kind="markdown"),
        cell("%matplotlib inline", "!pip install torchreid", "import torchreid"),
        cell("%%bash", "import torchreid"),
        {**cell(), "source": "m = torchreid.data.datasets.Market1501  # naïve"},
        cell("from torchreid.utils import read_json", "read_json?"[:-1]),
    ]
    path = tmp_path / "demo.ipynb"
    content = {"cells": cells, "metadata": {"name": "é"}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def test_a_notebook_keeps_what_is_no_import(notebook) -> None:
    before = notebook.read_text(encoding="utf-8")
    found = read_rewritten(notebook)
    assert isinstance(found, Rewritten)
    found.write()
    after = notebook.read_text(encoding="utf-8")
    sources = ["".join(each["source"]) for each in json.loads(after)["cells"]]
    assert sources[0] == "torchreid in prose\n"
    assert sources[1].startswith("%matplotlib inline\n!pip install torchreid\nimport reidcore\n")
    assert sources[2] == "%%bash\nimport torchreid\n"
    assert sources[3] == "m = Market1501  # naïve"
    assert sources[4] == "from reidcore.utils import read_json\nread_json\n"
    old, new = before.splitlines(), after.splitlines()
    assert [line for line in new if line not in old and "reid" not in line] == [
        '   "source": "m = Market1501  # naïve"'
    ]


def test_a_notebook_is_rewritten_once(notebook) -> None:
    first = read_rewritten(notebook)
    assert isinstance(first, Rewritten)
    first.write()
    again = read_rewritten(notebook)
    assert isinstance(again, Rewritten)
    assert not again.is_changed


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("import torchreid\r\nx = 'é'\r\n", "utf-8-sig"),
        ("# -*- coding: latin-1 -*-\nimport torchreid\nx = 'é'\n", "latin-1"),
        ("import torchreid\n\tx = 1\n".replace("\n\tx", "\nif 1:\n\tx"), "utf-8"),
    ],
)
def test_bytes_stay_but_the_names(tmp_path, text, encoding) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(text.encode(encoding))
    found = read_rewritten(path)
    assert isinstance(found, Rewritten)
    found.write()
    assert path.read_bytes() == text.replace("torchreid", "reidcore").encode(encoding)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("old.py", b"print 'torchreid'\n", "line 1"),
        ("torn.py", b"import torchreid\nx = '\xff'\n", "utf-8"),
        ("zero.py", b"x = 1\x00\n", "null bytes"),
        ("odd.py", b"# coding: klingon\n", "klingon"),
        ("torn.ipynb", b"{", "Expecting"),
        ("list.ipynb", b"[]", "no cells"),
    ],
)
def test_what_is_no_python_is_left_alone(tmp_path, name, data, why) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    found = read_rewritten(path)
    assert isinstance(found, Unreadable)
    assert why in found.why
    assert path.read_bytes() == data


def test_folders_give_their_scripts_in_order(tmp_path) -> None:
    outside = tmp_path.with_name(f"{tmp_path.name}_outside.py")
    outside.touch()
    (tmp_path / "b0.py").symlink_to(outside)
    for name in ("b.py", "a.ipynb", "c.txt", ".venv/x.py", "sub/site-packages/y.py", "sub/z.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    found = find_scripts([str(tmp_path), str(tmp_path / "c.txt")])
    assert [str(each.relative_to(tmp_path)) for each in found] == [
        "a.ipynb",
        "b.py",
        "sub/z.py",
        "c.txt",
    ]


@pytest.mark.parametrize(("name", "what"), [("nowhere", "there is no"), ("", "no script")])
def test_nothing_to_read_is_told(tmp_path, name, what) -> None:
    with pytest.raises(UserError, match=what):
        find_scripts([str(tmp_path / name)])


def test_a_diff_is_a_patch(tmp_path) -> None:
    path = tmp_path / "a.py"
    path.write_text("import torchreid")
    found = read_rewritten(path)
    assert isinstance(found, Rewritten)
    unended = "\\ No newline at end of file"
    assert found.diff().splitlines()[2:] == [
        "@@ -1 +1 @@",
        *("-import torchreid", unended, "+import reidcore", unended),
    ]


def test_lines_of_a_diff_are_those_of_the_file(tmp_path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"import torchreid\r\n\x0c\r\nx = 1\r\n")
    found = read_rewritten(path)
    assert isinstance(found, Rewritten)
    shown = found.diff().split("\n")[2:]
    assert shown == [
        "@@ -1,3 +1,3 @@",
        "-import torchreid",
        "+import reidcore",
        " \x0c",
        " x = 1",
        "",
    ]


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path) -> None:
    script, link = tmp_path / "run.py", tmp_path / "link.py"
    script.write_text("import torchreid\n")
    script.chmod(0o755)
    link.symlink_to("run.py")
    (found,) = find_scripts([str(tmp_path), str(script)])
    assert found == link
    rewritten = read_rewritten(found)
    assert isinstance(rewritten, Rewritten)
    rewritten.write()
    assert script.read_text() == "import reidcore\n"
    assert link.is_symlink()
    assert script.stat().st_mode & 0o777 == 0o755


def test_a_read_only_file_is_told(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.py"
    path.write_text("import torchreid\n")
    found = read_rewritten(path)
    assert isinstance(found, Rewritten)
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write every file
    with pytest.raises(UserError, match="read-only"):
        found.write()
    assert path.read_text() == "import torchreid\n"
