from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from reidcore._logging import configure_if_bare, fit_encodings
from reidcore.utils import Logger

BARE = """
import logging
from reidcore._logging import configure_if_bare
configure_if_bare()
configure_if_bare()
logging.getLogger("reidcore.engine").info("epoch 1")
logging.getLogger("reidcore.engine").debug("a detail")
logging.getLogger("elsewhere").info("not ours")
"""
OWN = """
import logging, sys
from reidcore._logging import configure_if_bare
logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="own %(message)s")
configure_if_bare()
logging.getLogger("reidcore.engine").info("epoch 1")
logging.getLogger("reidcore.engine").warning("careful")
"""
OWN_HANDLER = """
import logging, sys
from reidcore._logging import configure_if_bare
logger = logging.getLogger("reidcore")
logger.addHandler(logging.StreamHandler(sys.stderr))
configure_if_bare()
print(len(logger.handlers), logger.propagate)
"""
REDIRECTED = """
import contextlib, io, logging
from reidcore._logging import configure_if_bare
configure_if_bare()
with contextlib.redirect_stdout(io.StringIO()) as caught:
    logging.getLogger("reidcore").info("inside")
logging.getLogger("reidcore").info("outside")
assert caught.getvalue() == "inside\\n", caught.getvalue()
"""

NAMES = """
import logging
from pathlib import Path
from reidcore._logging import configure_if_bare
configure_if_bare()
log = logging.getLogger("reidcore")
log.warning("left out %s and %s", Path("a\\x1b[2J.jpg"), "caf\\udce9\\nError: b")
log.info("%s", "a table\\nof two lines \\u202e")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_a_bare_script_sees_the_models_it_asks_for() -> None:
    done = run("import reidcore; reidcore.models.show_avai_models()")
    assert "'osnet_x1_0'" in done.stdout
    assert done.stderr == ""


def test_a_program_that_logs_elsewhere_sees_the_models_too(tmp_path: Path) -> None:
    code = "import logging, reidcore; logging.basicConfig(filename={!r}, level='ERROR'); "
    done = run(code.format(str(tmp_path / "log.txt")) + "reidcore.models.show_avai_models()")
    assert "'osnet_x1_0'" in done.stdout


def test_a_bare_script_sees_info_once_on_standard_output() -> None:
    done = run(BARE)
    assert done.stdout == "epoch 1\n"
    assert done.stderr == ""


def test_other_processes_than_the_first_show_warnings_and_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    more = "logging.getLogger('reidcore.engine').warning('careful')"
    assert run(BARE + more).stdout == "[process 1] careful\n"
    monkeypatch.setenv("RANK", "0")
    assert run(BARE + more).stdout == "epoch 1\ncareful\n"


def test_a_program_that_logs_is_left_alone() -> None:
    done = run(OWN)
    assert done.stdout == ""
    assert done.stderr == "own careful\n"


def test_a_handler_on_the_logger_itself_counts_as_logging() -> None:
    assert run(OWN_HANDLER).stdout == "1 True\n"


def test_output_follows_a_standard_output_that_is_replaced_later() -> None:
    assert run(REDIRECTED).stdout == "outside\n"


def test_without_configuration_only_warnings_show_on_standard_error() -> None:
    done = run(
        "import logging, reidcore\n"
        "logging.getLogger('reidcore.plugins').info('quiet')\n"
        "logging.getLogger('reidcore.plugins').warning('! a line')\n"
    )
    assert (done.stdout, done.stderr) == ("", "! a line\n")


def test_names_do_not_steer_the_terminal_and_stay_in_their_line() -> None:
    assert run(NAMES).stdout.splitlines() == [
        r"left out a\x1b[2J.jpg and caf\udce9\nError: b",
        "a table",
        r"of two lines \u202e",
    ]


@pytest.mark.parametrize("module", ["reidcore", "reidcore.engine", "reidcore.cli"])
def test_importing_configures_nothing(module: str) -> None:
    done = run(f"import logging, {module}\nprint(logging.getLogger('reidcore').handlers)")
    assert done.stdout == "[]\n"


def test_a_logger_writes_to_a_file_and_to_standard_output(tmp_path, capsys) -> None:
    path = tmp_path / "log" / "train.txt"
    with Logger(path) as logger:
        assert logger.write("epoch 1\n") == 8
        logger.flush()
        assert path.read_text() == "epoch 1\n"
        assert not logger.isatty()
    logger.write("after the end\n")
    assert path.read_text() == "epoch 1\n"
    assert capsys.readouterr().out == "epoch 1\nafter the end\n"


def test_a_logger_takes_the_place_of_standard_output(tmp_path) -> None:
    done = run(
        "import sys\n"
        "from reidcore.utils import Logger\n"
        f"sys.stdout = Logger({str(tmp_path / 'train.txt')!r})\n"
        "print('epoch', 1)\n"
    )
    assert done.stdout == "epoch 1\n"
    assert (tmp_path / "train.txt").read_text() == "epoch 1\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "a--b|c... caf\\xe9 \\u6570.jpg \\udce9"),
        ("latin-1", "a--b|c... café \\u6570.jpg \\udce9"),
        ("utf-8", "a──b│c… café 数.jpg \\udce9"),
    ],
)
def test_characters_that_a_terminal_lacks_have_look_alikes(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    fit_encodings()
    for stream in (sys.stdout, sys.stderr):
        stream.write("a──b│c… café 数.jpg \udce9")
        stream.flush()
        assert stream.buffer.getvalue().decode(encoding) == shown  # type: ignore[attr-defined]


def test_how_the_user_wants_characters_replaced_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    monkeypatch.setattr(sys, "stdout", chosen)
    fit_encodings()
    assert chosen.errors == "replace"


@pytest.mark.parametrize("path", [None, "/dev/full"])
def test_a_bare_script_logs_to_a_lost_output_in_silence(
    path: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("reidcore")
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    level = logger.level
    configure_if_bare()
    with Path(path or os.devnull).open("w") as file:
        monkeypatch.setattr(sys, "stdout", file if path else None)
        logger.info("epoch 1")
        logger.setLevel(level)
        with suppress(OSError):
            file.close()
    assert capsys.readouterr().err == ""


def test_a_program_that_owns_its_logging_keeps_its_streams_as_they_are() -> None:
    strict = "import sys; sys.stdout.reconfigure(errors='strict')\n"
    assert run(strict + OWN + "print(sys.stdout.errors)").stdout == "strict\n"
