"""Plugin packages that the command line writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock
from reid_plugins_scaffold.drafts import DRAFTS
from reid_plugins_scaffold.new import new
from reid_plugins_scaffold.writing import write_package

from reidcore.cli import Session
from reidcore.errors import PluginError, UserError
from reidcore.plugins import make_plugins

ROOT = Path(__file__).parents[3]
COMPONENTS = [kind for kind in DRAFTS if DRAFTS[kind].kinds]


def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    environment.pop("PYTHONPATH", None)
    words = list(map(str, command))
    return subprocess.run(words, capture_output=True, text=True, env=environment, **options)


def checked(*command: Any, **options: Any) -> str:
    done = run(*command, **options)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@dataclass(frozen=True)
class Workshop:
    """A package of each kind, installed for editing in an environment of its own.

    Attributes:
        folder: the packages' folders.
        python: of the environment, which has all that this one has.
    """

    folder: Path
    python: Path

    def reidcore(self, *words: str) -> str:
        return checked(self.python, "-m", "reidcore", *words, cwd=self.folder)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Made once for all test processes, by one run of pip."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder, environment = shared / "workshop", shared / "environment"
    made = Workshop(folder, environment / "bin" / "python")
    with FileLock(shared / "workshop.lock"):
        if not folder.exists():
            packages = [
                write_package(kind, f"my_{kind}", folder, make_plugins())[0].parent
                for kind in DRAFTS
            ]
            venv.create(environment, symlinks=True)
            site = checked(made.python, "-c", "import sysconfig as s; print(s.get_path('purelib'))")
            # Plain paths, as an installed reidcore is one: type checkers follow no import hooks.
            paths = [ROOT, ROOT / "plugins", *_site_packages()]
            Path(site.strip(), "shared.pth").write_text("".join(f"{path}\n" for path in paths))
            options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
            editable = [word for package in packages for word in ("-e", package)]
            pip = [sys.executable, "-m", "pip", "--python", made.python]
            checked(*pip, "install", *options, *editable)
    return made


def _site_packages() -> list[str]:
    """Return the folders of this environment's packages, another one's that it has included."""
    own = sysconfig.get_path("purelib")
    return [own, *(path for path in sys.path if path.endswith("site-packages") and path != own)]


def test_each_package_has_what_it_is_typed_tested_and_told_by(workshop: Workshop) -> None:
    for kind, draft in DRAFTS.items():
        package = workshop.folder / f"reid-my-{kind}"
        source = f"src/reid_my_{kind}"
        files = {str(path.relative_to(package)) for path in package.rglob("*.*")}
        tested = f"tests/test_reid_my_{kind}.py"
        common = {"README.md", "pyproject.toml", tested, f"{source}/__init__.py"}
        own = set() if kind == "step" else {f"{source}/{kind}.py"}
        own = {f"{source}/recipe.yaml"} if kind == "recipe" else own
        found = {name for name in files if "egg-info" not in name and "pycache" not in name}
        assert found == {*common, *own, f"{source}/py.typed"}
        readme = (package / "README.md").read_text()
        command = draft.command.replace("NAME", f"my_{kind}").replace("COMMAND", "my-command")
        assert f"\n{command}\n```" in readme
        assert "$" not in readme


def test_each_package_is_listed(workshop: Workshop) -> None:
    listed = {
        (row["kind"], row["name"]): row["distribution"]
        for row in json.loads(workshop.reidcore("ls", "--json"))
        if row["distribution"] != "reidcore"
    }
    assert listed == {(DRAFTS[kind].kinds, f"my_{kind}"): f"reid-my-{kind}" for kind in COMPONENTS}
    wraps = workshop.reidcore("plugins", "why", "reid_forward_backward")
    assert wraps.startswith("1. 'my_step' (reid-my-step)  wraps")
    assert "reid-my-command" not in workshop.reidcore("plugins")
    assert "engines" in workshop.reidcore("my-command", "--kind", "losses")


def test_each_package_passes_its_tests(workshop: Workshop, tmp_path: Path) -> None:
    tests = sorted(workshop.folder.glob("*/tests/test_*.py"))
    assert len(tests) == len(DRAFTS)
    options = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider"]
    told = checked(workshop.python, "-m", "pytest", *options, *tests, cwd=tmp_path)
    assert re.search(r"\n\d+ passed in ", told)


def test_each_package_is_typed_and_its_editable_install_is_followed(
    workshop: Workshop, tmp_path: Path
) -> None:
    """One run of mypy for all, as strict as the checkout's and from its cache; another program."""
    sources = sorted(workshop.folder.glob("*/src/*/"))
    tests = sorted(workshop.folder.glob("*/tests/*.py"))
    mypy = [sys.executable, "-m", "mypy", "--python-executable", workshop.python]
    assert "Success" in checked(*mypy, *sources, *tests, cwd=ROOT)

    user = tmp_path / "user.py"
    user.write_text(
        "from reid_my_loss.loss import MyLossLoss\n\nloss: str = MyLossLoss(3).normalize\n"
    )
    told = run(*mypy, user, cwd=ROOT).stdout
    assert 'expression has type "bool", variable has type "str"' in told
    assert "Found 1 error" in told


def test_the_command_names_files_and_the_next_step(tmp_path: Path) -> None:
    words = ["loss", "mine", "--dir", str(tmp_path)]
    done = CliRunner().invoke(new, words, obj=Session())
    package = tmp_path / "reid-mine"
    *files, last = done.output.splitlines()
    assert {Path(file) for file in files} == {p for p in package.rglob("*") if p.is_file()}
    assert last == f"Next: cd {package} && pip install -e . && pytest"


def test_a_command_that_there_is_is_not_written_again(tmp_path: Path) -> None:
    from reidcore.cli.app import root

    for taken in ("run", "new"):  # the core's, and a plugin's
        done = CliRunner().invoke(root, ["new", "command", taken, "--dir", str(tmp_path)], obj=[])
        assert isinstance(done.exception, PluginError)
        assert f"there is a command {taken}" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "error", "message"),
    [
        ("dataset", "3d", UserError, r"no name for a Python package.*such as 'my_3d'"),
        ("dataset", "my data!", UserError, r"no name for a Python package.*such as 'my_data'"),
        ("model", "class", UserError, r"no name for a Python package.*such as 'my_class'"),
        ("loss", "../up", UserError, r"no name for a Python package.*such as 'up'"),
        ("step", "reid-", UserError, "no name for a Python package"),
        ("model", "osnet_x1_0", PluginError, "'osnet' has the model 'osnet_x1_0'.*'my-osnet_x1_0'"),
        ("model", "osnet", PluginError, r"plugin 'osnet' \(reidcore\) is installed"),
        ("dataset", "reid-market1501", PluginError, "has the dataset 'market1501'"),
        ("step", "plugins_osnet", PluginError, "there is a module reid_plugins_osnet"),
        ("dataset", "train", PluginError, "the configuration has a section train"),
        ("loss", "terms", PluginError, r"the configuration has a key loss\.terms"),
        ("optimizer", "adam", PluginError, "plugin 'standard' has the optimizer 'adam'"),
        ("scheduler", "cosine", PluginError, "plugin 'standard' has the scheduler 'cosine'"),
        ("sampler", "RandomSampler", PluginError, "has the sampler 'RandomSampler'"),
        ("transform", "blur", PluginError, "has the transform 'blur'"),
        ("protocol", "cuhk03", PluginError, "has the protocol 'cuhk03'"),
        ("recipe", "quickstart", PluginError, "has the recipe 'quickstart'"),
        ("command", "env", PluginError, "there is a command env"),
    ],
)
def test_a_name_that_is_taken_or_unusable_is_refused_before_anything_is_written(
    kind: str, name: str, error: type[UserError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        write_package(kind, name, tmp_path / "new", make_plugins(), commands=["env"])
    assert list(tmp_path.iterdir()) == []


def test_spellings_of_a_name_give_one_package(tmp_path: Path) -> None:
    plugins = make_plugins()
    first, again = (
        write_package("step", name, tmp_path / name, plugins)[0].parent
        for name in ("my-guard", "reid_my_guard")
    )
    assert first.name == again.name == "reid-my-guard"
    files = [path for path in first.rglob("*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        assert path.read_bytes() == (again / path.relative_to(first)).read_bytes()


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "reid-mine").mkdir()
    with pytest.raises(UserError, match=r"is there already.*--dir"):
        write_package("loss", "mine", tmp_path, make_plugins())
    assert list((tmp_path / "reid-mine").iterdir()) == []


def test_a_package_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text, count = Path.write_text, 0

    def on_a_full_disk(path: Path, *arguments: Any, **options: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(28, "No space left on device")
        return write_text(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", on_a_full_disk)
    with pytest.raises(UserError, match="No space left"):
        write_package("model", "mine", tmp_path, make_plugins())
    assert list(tmp_path.iterdir()) == []
