from __future__ import annotations

from pathlib import Path

import pytest

from reidcore._resources import package_file, read_table
from reidcore.errors import PluginDefectError


@pytest.fixture(params=["with __init__.py", "without"])
def package(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with one table in a folder of its own; both kinds of package bring files."""
    name = "shop_tables_" + ("plain" if request.param == "without" else "regular")
    folder = tmp_path / name / "tables" / "deep"
    folder.mkdir(parents=True)
    (folder / "rows.yaml").write_text("market1501:\n  classes: 751\n")
    if request.param != "without":
        (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize("separator", [":", "/"])
def test_a_file_in_nested_folders_of_a_package_is_found(package: str, separator: str) -> None:
    target = f"{package}{separator}tables/deep/rows.yaml"
    assert "751" in package_file(target).read_text()
    assert read_table(target) == {"market1501": {"classes": 751}}


@pytest.mark.parametrize("inside", ["tables/deep/other.yaml", "nowhere/rows.yaml", "tables"])
def test_a_missing_file_is_told(package: str, inside: str) -> None:
    with pytest.raises(FileNotFoundError):
        package_file(f"{package}:{inside}")
    with pytest.raises(PluginDefectError, match="there is no table"):
        read_table(f"{package}:{inside}")


def test_a_missing_package_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        package_file("no_such_package:rows.yaml")
