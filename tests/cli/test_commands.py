"""``reidcore`` as users run it: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reidcore import __version__
from reidcore._lazy import load_target
from reidcore.cli.app import COMMANDS, main, root
from reidcore.cli.group import CommandGroup
from reidcore.plugins import HOOK_NAMES
from reidcore.registry import KINDS

REPLACES = """
    from reidcore import hookimpl

    @hookimpl
    def reid_forward_backward(engine, batch):
        return None
"""
WRAPS = """
    from reidcore import hookimpl

    @hookimpl(wrapper=True, tryfirst=True)
    def reid_forward_backward(engine, batch):
        return (yield)
"""
BUGGY = """
    from reidcore import hookimpl

    @hookimpl
    def reid_configure(config):
        raise ValueError("a plain bug")
"""
COMMAND = """
    import click

    @click.command()
    @click.argument("code", type=int)
    @click.pass_context
    def greet(context, code):
        click.echo("hello")
        context.exit(code)
"""


def all_commands() -> dict[str, click.Command]:
    """Return every command and sub-command by the words that call it, bundled plugins' too."""

    def walk(command: click.Command, context: click.Context, words: str) -> None:
        found[words] = command
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                inner = click.Context(below, parent=context, info_name=name)
                walk(below, inner, f"{words} {name}".strip())

    found: dict[str, click.Command] = {}
    walk(root, click.Context(root, info_name="reidcore"), "")
    return found


# -- help ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", all_commands())
def test_help_ends_with_real_examples(words) -> None:
    command = all_commands()[words]
    with click.Context(command, info_name=f"reidcore {words}".strip()) as context:
        text = command.get_help(context)
    _, _, last = text.partition("Examples:\n")
    examples = [line.strip() for line in last.splitlines()]
    assert len(examples) >= 2
    for example in examples:
        assert example.startswith("reidcore ")
        first = next(word for word in iter_words(example) if not word.startswith("-"))
        assert first in all_commands()


def test_options_say_what_they_take_in_words_of_the_field() -> None:
    vague = {"TEXT", "PATH", "DIRECTORY"}  # click's own words
    for words, command in all_commands().items():
        context = click.Context(command)
        options = [each for each in command.params if isinstance(each, click.Option)]
        taken = {each.name: each.make_metavar(context) for each in options if not each.is_flag}
        assert {name: word for name, word in taken.items() if word in vague} == {}, words


def iter_words(example: str) -> list[str]:
    """Return the words after ``reidcore``, without ``-p FILE``."""
    return re.sub(r" -p \S+", "", example).split()[1:]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_the_commands_say(name) -> None:
    target, text, is_group = COMMANDS[name]
    command = load_target(target)
    assert command.name == name
    assert isinstance(command, CommandGroup) == is_group
    if is_group:
        assert command.path == name
    assert text.endswith(".")
    assert len(text) <= 60


def test_help_and_version_as_a_process(reidcore) -> None:
    helped = reidcore("--help")
    assert helped.returncode == 0
    assert all(re.search(rf"^  {name} ", helped.stdout, re.M) for name in COMMANDS)
    version = reidcore("--version")
    assert (version.returncode, version.stdout) == (0, f"reidcore, version {__version__}\n")
    assert helped.stderr == version.stderr == ""


def test_the_console_script_is_the_same_program(tmp_path) -> None:
    script = shutil.which("reidcore", path=str(Path(sys.executable).parent))
    assert script is not None
    done = subprocess.run([script, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"reidcore, version {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--help"], {"torch", "numpy", "yaml", "pydantic", "rich", "tensorboard"}),
        (["run", "--help"], {"torch", "numpy", "yaml", "pydantic", "rich", "tensorboard"}),
        (["ls"], {"torch", "numpy", "tensorboard", "timm"}),
        (["ls", "--json"], {"torch", "numpy", "tensorboard", "timm", "rich"}),
        (["plugins"], {"torch", "numpy", "tensorboard"}),
    ],
)
def test_quick_commands_load_nothing_heavy(tmp_path, arguments, forbidden) -> None:
    code = (
        "import sys\n"
        "from reidcore.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        f"    print(sorted({forbidden!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")


# -- ls --------------------------------------------------------------------------------------------


def test_ls_is_a_table_of_name_summary_and_plugin(reidcore) -> None:
    done = reidcore("ls", "models")
    assert done.returncode == 0
    assert re.search(r"^name +summary +plugin", done.stdout, re.M)
    assert re.search(r"^osnet_x1_0 +2\.19M parameters.* osnet *$", done.stdout, re.M)
    assert "market1501" not in done.stdout


def test_ls_lists_every_kind(reidcore) -> None:
    titles = re.findall(rf"^({'|'.join(KINDS)}) *$", reidcore("ls").stdout, re.M)
    assert titles == list(KINDS)


def test_ls_gives_json_to_programs(reidcore) -> None:
    rows = json.loads(reidcore("ls", "datasets", "--json").stdout)
    by_name = {row["name"]: row for row in rows}
    assert by_name["synthetic"]["distribution"] == "reidcore"
    assert by_name["cuhk03"]["needs"] == ["mat"]
    assert {row["kind"] for row in rows} == {"datasets"}
    kinds = {row["kind"] for row in json.loads(reidcore("ls", "--json").stdout)}
    assert kinds == set(KINDS)


def test_ls_of_an_unknown_kind_names_the_nearest(reidcore) -> None:
    done = reidcore("ls", "modles")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: there is no kind of component named 'modles'. Did you mean 'models'?\n"
    )


# -- plugins ---------------------------------------------------------------------------------------


def test_plugins_are_told_with_distribution_version_state_and_hooks(reidcore, site) -> None:
    site.install_module("my-step", REPLACES)
    done = reidcore("plugins", path=site.folder)
    assert done.returncode == 0
    assert re.search(r"^name +distribution +version +state +hooks", done.stdout, re.M)
    assert re.search(r"^my_step +my-step +1\.0 +active +reid_forward_backward", done.stdout, re.M)


def test_plugins_give_json_to_programs(reidcore, site) -> None:
    site.install_module("my-step", REPLACES)
    site.install_module("broken-one", "raise RuntimeError('no luck')")
    done = reidcore("--no-plugin", "osnet", "plugins", "--json", path=site.folder)
    by_name = {row["name"]: row for row in json.loads(done.stdout)}
    assert by_name["my_step"] == {
        "name": "my_step",
        "distribution": "my-step",
        "version": "1.0",
        "state": "active",
        "error": None,
        "hooks": ["reid_forward_backward"],
    }
    assert by_name["broken_one"]["state"] == "broken"
    assert by_name["broken_one"]["error"] == "RuntimeError: no luck"
    assert by_name["osnet"]["state"] == "disabled"


def test_why_shows_the_call_order(reidcore, site) -> None:
    site.install_module("my-step", REPLACES)
    file = site.write("wrapping", WRAPS)
    done = reidcore("-p", file, "plugins", "why", "reid_forward_backward", path=site.folder)
    assert done.stdout.splitlines() == [
        "1. 'wrapping'  wraps (first)",
        "2. 'my_step' (my-step)  answers",
        "3. 'core'  answers (last)",
    ]


def test_why_says_who_publishes_a_hook(reidcore) -> None:
    done = reidcore("plugins", "why", "reid_check_data")
    assert done.stdout.splitlines() == [
        "published by plugin 'inspect' (reidcore)",
        "1. 'inspect' (reidcore)  answers",
    ]


def test_why_of_an_unknown_hook_names_the_nearest(reidcore) -> None:
    done = reidcore("plugins", "why", "reid_step")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no hook named 'reid_step'. Did you mean 'reid_step_end'" in done.stderr
    far = reidcore("plugins", "why", "zzz")
    assert all(name in far.stderr for name in HOOK_NAMES)


# -- env -------------------------------------------------------------------------------------------


def test_env_says_what_is_in_use(reidcore) -> None:
    done = reidcore("env")
    assert done.returncode == 0
    facts = dict(re.split(r" {2,}", line, maxsplit=1) for line in done.stdout.splitlines())
    assert facts["reidcore"] == __version__
    assert re.match(r"cython|torch", facts["evaluation kernel"])
    assert re.match(r"OpenCV [\d.]+$|Pillow \(OpenCV ", facts["JPEG decoder"])
    assert {"python", "torch", "torchvision", "numpy", "cuda"} <= facts.keys()


# -- mistakes and defects --------------------------------------------------------------------------


def test_an_unknown_command_names_the_nearest(reidcore) -> None:
    done = reidcore("plugin")
    assert done.returncode == 2
    told = "Error: no command is named 'plugin'. Did you mean 'plugins' or 'link'?\n"
    assert done.stderr.endswith(told)
    assert "Usage: reidcore" in done.stderr


def test_a_users_mistake_is_one_line_and_exits_2(reidcore) -> None:
    done = reidcore("run", "quikstart")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: ")
    assert "quickstart" in done.stderr
    debugged = reidcore("--debug", "run", "quikstart")
    assert debugged.returncode == 2
    assert "Traceback" in debugged.stderr
    assert debugged.stderr.splitlines()[-1] == done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "words", [("show", "model", "\x1b[2J\u202e"), ("\x1b[2J\u202e",), ("cp", "\x1b[2J\u202e", "x")]
)
def test_what_was_typed_comes_back_without_steering_the_terminal(capfd, words) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    told = capfd.readouterr().err
    assert caught.value.code == 2
    assert r"\x1b[2J\u202e" in told
    assert "\x1b" not in told


def test_a_plugins_plain_bug_exits_1_and_names_it(reidcore, site) -> None:
    site.install_module("buggy-plugin", BUGGY)
    done = reidcore("run", "quickstart", path=site.folder)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: a defect in plugin 'buggy_plugin' (buggy-plugin): ValueError: a plain bug. "
        "For the traceback: reidcore --debug ...\n"
    )


def test_a_plugin_file_after_run_answers_for_its_bug_and_debug_shows_the_traceback(
    reidcore, site
) -> None:
    file = site.write("my_bug", BUGGY)
    done = reidcore("--debug", "run", "quickstart", "-p", file)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "my_bug.py" in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "Error: a defect in plugin 'my_bug': ValueError: a plain bug."
    )


def test_a_broken_plugin_costs_one_line(reidcore, site) -> None:
    site.install_module("broken-one", "raise RuntimeError('no luck')")
    healthy = reidcore("ls")
    done = reidcore("ls", path=site.folder)
    assert (done.returncode, done.stdout) == (0, healthy.stdout)
    assert done.stderr == (
        "! plugin 'broken_one' (broken-one) is left out: RuntimeError: no luck\n"
    )


# -- global options --------------------------------------------------------------------------------


def test_a_plugin_file_is_added_before_any_command(reidcore, site) -> None:
    file = site.write("my_bug", BUGGY)
    listed = json.loads(reidcore("-p", file, "plugins", "--json").stdout)
    assert (listed[-1]["name"], listed[-1]["hooks"]) == ("my_bug", ["reid_configure"])


def test_a_missing_plugin_file_is_named(reidcore) -> None:
    done = reidcore("-p", "my_setp.py", "ls")
    assert done.returncode == 2
    assert "there is no plugin file 'my_setp.py'" in done.stderr


@pytest.mark.parametrize("name", ["osnet", "reidcore"])
def test_no_plugin_leaves_one_out(reidcore, name) -> None:
    rows = json.loads(reidcore("--no-plugin", name, "ls", "--json").stdout)
    assert "osnet_x1_0" not in {row["name"] for row in rows}
    assert ("datasets" in {row["kind"] for row in rows}) == (name == "osnet")


def test_the_environment_leaves_out_and_run_says_so(reidcore) -> None:
    done = reidcore("run", "quickstart", REIDCORE_DISABLE_PLUGINS="osnet")
    assert done.returncode == 2
    assert "no model is named 'osnet_x0_25'" in done.stderr
    assert "Left out of this run: 'osnet' (reidcore)" in done.stderr


# -- commands of plugins ---------------------------------------------------------------------------


def test_a_plugins_command_is_listed_unimported_and_run_with_its_exit_code(reidcore, site) -> None:
    site.write("greeting", COMMAND)
    points = {"greet": "greeting:greet", "broken": "not_there:command", "ls": "greeting:greet"}
    site.install("my-commands", points, group="reidcore.commands")
    helped = reidcore("--help", path=site.folder)
    assert re.search(r"^  greet +From my-commands\.$", helped.stdout, re.M)
    assert helped.stdout.count("\n  ls ") == 1
    greeted = reidcore("greet", "3", path=site.folder)
    assert (greeted.returncode, greeted.stdout) == (3, "hello\n")
    broken = reidcore("broken", path=site.folder)
    assert broken.returncode == 1
    assert "the command 'broken' of my-commands cannot be loaded from" in broken.stderr
