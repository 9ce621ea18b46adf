"""What a shell completes, as click asks for it: quick, silent, and without torch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """Return what zsh is offered for the last of these words."""
    from reidcore.cli import main

    def complete(*words: str) -> list[str]:
        monkeypatch.setenv("_REIDCORE_COMPLETE", "zsh_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["reidcore", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        monkeypatch.setattr("logging.disable", lambda: None)  # for the tests that follow
        capsys.readouterr()
        with pytest.raises(SystemExit):
            main([])
        shown = capsys.readouterr()
        assert shown.err == ""
        lines = shown.out.splitlines()
        return [value or kind for kind, value in zip(lines[::3], lines[1::3], strict=False)]

    return complete


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["we"], ["weights"]),
        (["weights", "f"], ["fetch"]),
        (["weights", "fetch", "osnet_x0_2"], ["osnet_x0_25"]),
        (["ls", "opt"], ["optimizers"]),
        (["ls", "optimizer", "adag"], ["adagrad"]),
        (["show", "dataset", "market"], ["market1501"]),
        (["show", "recipes", "quick"], ["quickstart"]),
        (["cp", "quick"], ["quickstart"]),
        (["run", "quick"], ["quickstart"]),
        (["run", "quickstart", "train.max"], ["train.max_epoch"]),
        (["run", "quickstart", "train.amp=b"], ["train.amp=bf16"]),
        (["run", "quickstart", "train.amp", "b"], ["bf16"]),
        (["run", "quickstart", "model.head.neck="], ["model.head.neck=bnneck"]),
        (["run", "quickstart", "use_gpu="], ["use_gpu=true", "use_gpu=false"]),
        (["run", "quickstart", "train.optim=adamw"], ["train.optim=adamw"]),
        (["run", "quickstart", "test.protocol=market1501_"], ["test.protocol=market1501_multi"]),
        (["run", "-s", "synth"], ["synthetic"]),
        (["run", "--transforms", "random_f"], ["random_flip"]),
        (["run", "--device", "cuda"], ["cuda", "cuda:1"]),
        (["run", "--res"], ["--resume"]),
        (["run", "./my"], ["./my"]),
        (["run", "-p", "my"], ["my"]),
        (["--no-plugin", "osn"], ["osnet"]),
        (["plugins", "why", "reid_evalu"], ["reid_evaluate"]),
        (["complexity", "osnet_x0_2"], ["osnet_x0_25"]),
        (["data", "prep"], ["prepare"]),
        (["data", "check", "market"], ["market1501"]),
        (["nonsense", "x", "zzz"], []),
    ],
)
def test_names_are_completed(complete: Complete, words: list[str], offered: list[str]) -> None:
    assert complete(*words) == offered


def test_a_disabled_plugins_components_are_not_offered(complete: Complete) -> None:
    assert complete("show", "model", "osnet_x1") == ["osnet_x1_0"]
    assert complete("--no-plugin", "osnet", "show", "model", "osnet_x1") == []


def test_values_of_keys_are_those_of_the_schema(complete: Complete) -> None:
    assert complete("run", "x.yaml", "data.cache=") == [
        "data.cache=off",
        "data.cache=ram",
        "data.cache=disk",
    ]
    assert "model.name=osnet_ain_x1_0" in complete("run", "x.yaml", "model.name=")
    assert "data.sources=market1501" in complete("run", "x.yaml", "data.sources=")


def test_bash_completes_both_sides_of_an_equals_sign(tmp_path: Path) -> None:
    """Bash splits words at ``=``: what it inserts follows the sign."""
    script = shutil.which("reidcore", path=str(Path(sys.executable).parent))
    bash = shutil.which("bash")
    if script is None or bash is None:
        pytest.skip("needs bash and the installed program")
    code = """
        eval "$(_REIDCORE_COMPLETE=bash_source reidcore)"
        COMP_WORDS=(reidcore run quickstart train.amp = b); COMP_CWORD=5
        _reidcore_completion reidcore; echo "${COMPREPLY[@]}"
        COMP_WORDS=(reidcore run quickstart train.amp =); COMP_CWORD=4; COMPREPLY=()
        _reidcore_completion reidcore; echo "${COMPREPLY[@]}"
        COMP_WORDS=(reidcore run qui); COMP_CWORD=2; COMPREPLY=()
        _reidcore_completion reidcore; echo "${COMPREPLY[@]}"
    """
    path = f"{Path(script).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=False,
    )
    assert done.stdout.splitlines() == ["bf16", "off bf16 fp16 auto", "quickstart"], done.stderr


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        ("reidcore ", {"torch", "numpy", "yaml", "pydantic", "rich", "reidcore.cli.extract"}),
        ("reidcore show model osnet", {"torch", "numpy", "rich", "timm"}),
        ("reidcore run quickstart train.optim=", {"torch", "numpy", "rich", "timm"}),
    ],
)
def test_completing_loads_nothing_heavy(tmp_path: Path, words: str, forbidden: set[str]) -> None:
    code = (
        "import sys\n"
        "from reidcore.cli import main\n"
        "try:\n"
        "    main([])\n"
        "finally:\n"
        f"    print(sorted({forbidden!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    environment = {
        "_REIDCORE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.stdout.startswith("plain,")
    assert done.stderr == "[]\n"
