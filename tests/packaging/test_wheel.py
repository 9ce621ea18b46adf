"""What is shipped: the wheel, its contents, and the one road by which components come in."""

from __future__ import annotations

import json
import re
import zipfile

from reidcore.registry import KINDS


def test_the_wheel_holds_the_packages_the_recipes_and_no_tests(wheel, checkout) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    recipes = {
        f"reid_plugins_standard/recipes/{path.name}"
        for path in checkout.glob("plugins/reid_plugins_standard/recipes/*.yaml")
    }
    assert recipes
    assert recipes <= names
    assert {"reidcore/py.typed", "reid_plugins_osnet/__init__.py"} <= names
    assert "reid_plugins_engines/__init__.py" in names
    assert "reid_plugins_synthetic/__init__.py" in names
    tops = {name.split("/")[0] for name in names}
    allowed = r"reidcore|reid_plugins_\w+|reidcore-[\d.]+\.dist-info"
    assert [top for top in tops if not re.fullmatch(allowed, top)] == []
    assert [
        name for name in names if "test" in name.split("/")[-1] and name.endswith("_test.py")
    ] == []


def test_every_module_of_the_checkout_is_in_the_wheel(wheel, checkout, committed) -> None:
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    for path in committed:
        name = str(path.relative_to(checkout)).removeprefix("plugins/")
        is_code = path.suffix in (".py", ".css", ".js")
        if is_code and name.startswith(("reidcore/", "reid_plugins_")):
            assert name in shipped


def test_the_installed_program_lists_what_it_brought(reidcore, target) -> None:
    done = reidcore("ls", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = json.loads(done.stdout)
    assert {row["kind"] for row in rows} == set(KINDS)
    assert {row["distribution"] for row in rows} == {"reidcore"}
    assert len({(row["kind"], row["name"]) for row in rows}) == len(rows)


def test_without_the_kernel_it_counts_with_torch_and_says_so(reidcore, wheel, target) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]
    done = reidcore("env")
    assert re.search(r"^evaluation kernel +torch", done.stdout, re.M), done.stderr


def test_without_its_entry_points_there_is_nothing_and_run_says_what_to_install(
    reidcore, target
) -> None:
    (points,) = target.glob("reidcore-*.dist-info/entry_points.txt")
    kept = re.sub(r"\[reidcore\]\n(?:[^\[\n].*\n|\n)*", "", points.read_text())
    assert "[console_scripts]" in kept
    assert "standard" not in kept
    points.write_text(kept)
    listed = reidcore("ls")
    assert (listed.returncode, listed.stdout.strip(), listed.stderr) == (0, "", "")
    done = reidcore("run", "quickstart")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No configs are installed at all" in done.stderr
    assert "pip install reidcore" in done.stderr
