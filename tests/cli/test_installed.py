"""Which commands plugins bring, where they stand, and who has a name that several want."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

import pytest

from reidcore.cli.installed import installed_below

GROUP = "reidcore.commands"
SPLITTING = '''
    """Cut datasets.

    Well.

    Examples:
        reidcore shelf cut a
        reidcore shelf cut b
    """
    import click

    @click.command()
    def cut():
        """Cut a dataset
        in two.

        With care.
        """
        click.echo("cut!")

    @click.command()
    def count():
        click.echo("counted!")

    not_a_command = 3
'''


@pytest.fixture
def shelf(site):
    """Two distributions with a command each in the group ``shelf``, one of which describes it."""
    site.write("splitting", SPLITTING)
    points = {"shelf.cut": "splitting:cut", "shelf": "splitting"}
    site.install("b-splitting", points, group=GROUP)
    site.install("c-counting", {"shelf.count": "splitting:count"}, group=GROUP)
    return site


def test_a_group_has_the_commands_of_all_who_bring_one(shelf) -> None:
    group = installed_below("", {}).groups["shelf"]
    assert (group.help, group.text) == ("Cut datasets.", "Cut datasets.\n\nWell.")
    assert group.epilog == "\b\nExamples:\n  reidcore shelf cut a\n  reidcore shelf cut b"
    below = installed_below("shelf", {})
    assert {name: each.help for name, each in below.commands.items()} == {
        "cut": "Cut a dataset in two. (b-splitting)",
        "count": "From c-counting.",
    }
    assert "splitting" not in sys.modules


def test_a_group_is_there_once_it_has_a_command(site) -> None:
    site.install("only-words", {"empty": "only_words"}, group=GROUP)
    assert "empty" not in installed_below("", {}).groups


def test_a_group_that_nobody_describes_says_whose_commands_it_has(site) -> None:
    site.install("b", {"box.open": "b:open"}, group=GROUP)
    site.install("c", {"box.close": "c:close"}, group=GROUP)
    group = installed_below("", {}).groups["box"]
    assert (group.help, group.epilog) == ("Commands of b and c.", None)


def test_groups_may_be_deep(site) -> None:
    site.install("b", {"a.b.c": "x:c"}, group=GROUP)
    assert set(installed_below("a", {}).groups) == {"b"}
    assert set(installed_below("a.b", {}).commands) == {"c"}


@pytest.mark.parametrize(
    ("earlier", "later", "reason"),
    [
        ("cut", "cut", "'cut' is a command of b"),
        ("cut", "cut.deep", "'cut' is a command of b"),
        ("cut.deep", "cut", "'cut' is a group of commands of b"),
        (None, "ls", "reidcore itself has a command of that name"),
        (None, "ls.deep", "reidcore itself has a command of that name"),
        (None, "data.check", None),
    ],
)
def test_the_first_of_a_name_has_it_and_the_other_is_told(site, earlier, later, reason) -> None:
    if earlier:
        site.install("b", {earlier: "x:f"}, group=GROUP)
    site.install("c", {later: "y:f"}, group=GROUP)
    found = installed_below("", {"ls": False, "weights": True})
    name = later.partition(".")[0]
    told = f"the command {later.replace('.', ' ')!r} of c is left out: {reason}"
    assert found.left_out.get(name, []) == ([told] if reason else [])


def test_the_cores_groups_take_commands_of_plugins(reidcore, shelf) -> None:
    shelf.install("d", {"weights.cut": "splitting:cut"}, group=GROUP)
    assert "weights" not in installed_below("", {"weights": True}).left_out
    helped = reidcore("weights", "--help", path=shelf.folder)
    assert re.search(r"^  cut +Cut a dataset in two. \(d\)$", helped.stdout, re.M)
    assert re.search(r"^  fetch +Download published weights", helped.stdout, re.M)
    assert reidcore("weights", "cut", path=shelf.folder).stdout == "cut!\n"


def test_names_with_nothing_before_or_behind_a_dot_are_no_commands(site) -> None:
    site.install("b", {"a..b": "x:f", "z.": "x:f"}, group=GROUP)
    found = installed_below("", {})
    assert not {"a", "z"} & {*found.commands, *found.groups}


def test_groups_are_listed_helped_and_run(reidcore, shelf) -> None:
    assert re.search(
        r"^  shelf +Cut datasets\.$", reidcore("--help", path=shelf.folder).stdout, re.M
    )
    helped = reidcore("shelf", "--help", path=shelf.folder).stdout
    assert re.search(r"^  count +From c-counting\.$", helped, re.M)
    assert re.search(r"^  cut +Cut a dataset in two\. \(b-splitting\)$", helped, re.M)
    assert helped.endswith("  Examples:\n    reidcore shelf cut a\n    reidcore shelf cut b\n")
    assert reidcore("shelf", "cut", path=shelf.folder).stdout == "cut!\n"
    wrong = reidcore("shelf", "cit", path=shelf.folder)
    assert wrong.returncode == 2
    assert "no command is named 'cit'. Did you mean 'cut'?" in wrong.stderr


def test_a_taken_name_is_told_with_the_list_and_when_it_is_asked_for(reidcore, shelf) -> None:
    shelf.install("e", {"shelf.cut": "splitting:count"}, group=GROUP)
    told = "! the command 'shelf cut' of e is left out: 'cut' is a command of b-splitting\n"
    assert reidcore("shelf", "--help", path=shelf.folder).stderr == told
    ran = reidcore("shelf", "cut", path=shelf.folder)
    assert (ran.stdout, ran.stderr) == ("cut!\n", told)
    assert reidcore("--help", path=shelf.folder).stderr == ""


def test_what_is_no_command_is_told(reidcore, shelf) -> None:
    shelf.install("f", {"odd": "splitting:not_a_command"}, group=GROUP)
    odd = reidcore("odd", path=shelf.folder)
    assert odd.returncode == 1
    assert "Error: 'splitting:not_a_command' of f is no click command" in odd.stderr


def test_a_defect_in_a_command_names_who_brings_it(reidcore, shelf) -> None:
    source = "import click\n\n@click.command()\ndef fall():\n    raise ValueError('oh')\n"
    shelf.write("falling", source)
    shelf.install("g", {"shelf.fall": "falling:fall"}, group=GROUP)
    fallen = reidcore("shelf", "fall", path=shelf.folder)
    assert (fallen.returncode, fallen.stderr) == (
        1,
        "Error: a defect in a command of g: ValueError: oh. "
        "For the traceback: reidcore --debug ...\n",
    )


def test_without_entry_points_there_are_the_cores_commands_and_no_components(checkout) -> None:
    code = (
        "import importlib.metadata, sys\n"
        "importlib.metadata.entry_points = lambda **_: ()\n"
        "from reidcore.cli import main\n"
        "main(sys.argv[1:])\n"
    )

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    assert run("ls") == ""
    listed = re.findall(r"^  (\w+)  +[A-Z]", run("--help").partition("Commands:")[2], re.M)
    assert listed == ["run", "test", "ls", "plugins", "env"]


def test_every_bundled_command_says_in_a_line_what_it_does() -> None:
    for point in importlib.metadata.entry_points(group=GROUP):
        path, _, name = point.name.rpartition(".")
        found = installed_below(path, {})
        each = found.commands.get(name) or found.groups[name]
        assert each.help[0].isupper()
        assert each.help.endswith(".")
        assert not each.help.startswith(("From ", "Commands of "))
