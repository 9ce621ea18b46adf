"""The importer that reads a source."""

from __future__ import annotations

import zipfile

import pytest
from reid_plugins_own_data import Crop, Recognised
from reid_plugins_own_data.importing.choice import choose_importer

from reidcore import hookimpl
from reidcore.errors import ConfigError, PluginDefectError, UnknownNameError, UserError
from reidcore.plugins import make_plugins


class Diary:
    """Pictures of pets, each with a line in a diary."""

    is_sure = True

    def __init__(self, file: str = "diary.txt") -> None:
        self.file = file

    def recognise(self, source):
        if (source / self.file).is_file():
            return Recognised(f"it has {self.file}", self.is_sure)
        return None

    def crops(self, source):
        for line in (source / self.file).read_text().splitlines():
            file, pet, room = line.split()
            yield Crop(source / file, pet, room)


class Guess(Diary):
    is_sure = False


class DiaryPlugin:
    def __init__(self, **importers) -> None:
        self.importers = importers or {"diary": Diary}

    @hookimpl(optionalhook=True)
    def reid_register_importers(self, registry):
        for name, importer in self.importers.items():
            registry.add(name, importer, summary="pets of a diary")


@pytest.fixture
def pets(draw):
    source = draw(["tom/1.jpg", "tom/2.jpg", "kit/1.jpg"])
    (source / "diary.txt").write_text("tom/1.jpg tom kitchen\nkit/1.jpg kit hall\n")
    return source


def choose(source, name="", options=None, **importers):
    with make_plugins(extra=[DiaryPlugin(**importers)]) as plugins:
        return choose_importer(source, name, options or {}, plugins)


def test_reid_register_importers(pets) -> None:
    chosen = choose(pets)
    assert (chosen.entry.name, chosen.reason) == ("diary", "it has diary.txt")
    assert [crop.camid for crop in chosen.importer.crops(pets)] == ["kitchen", "hall"]


def test_a_named_format_is_taken_without_a_look(pets) -> None:
    chosen = choose(pets, "folders")
    assert (chosen.entry.name, chosen.reason) == ("folders", "")


def test_two_guesses_are_left_to_the_user(pets) -> None:
    with pytest.raises(UserError, match=r"several formats: .*folders, for .*; diary, for it has"):
        choose(pets, diary=Guess)


def test_two_that_are_sure_are_left_to_the_user(pets) -> None:
    with pytest.raises(UserError, match=r"diary, for .*; log, for .* Say which: --format diary"):
        choose(pets, diary=Diary, log=Diary)


def test_options_leave_the_formats_that_have_them(pets) -> None:
    (pets / "log.txt").write_text("")
    assert choose(pets, options={"file": "log.txt"}, diary=Guess).reason == "it has log.txt"


def test_unknown_names_and_options_are_told_with_the_nearest(pets) -> None:
    with pytest.raises(UnknownNameError, match=r"named .dairy.\. Did you mean 'diary'"):
        choose(pets, "dairy")
    with pytest.raises(ConfigError, match=r"an option .fiel.\. Did you mean 'file'"):
        choose(pets, options={"fiel": "x"})
    with pytest.raises(ConfigError, match="no format has all the options 'file', 'pattern'"):
        choose(pets, options={"file": "x", "pattern": "y"})


def test_what_nothing_recognises_is_told_with_the_formats(draw) -> None:
    told = r"nothing says what .*one of its files is .*a\.jpg.*diary \(pets of a.*pattern='"
    with pytest.raises(UserError, match=told):
        choose(draw(["a.jpg", "b.jpg"]))


def test_what_is_missing_or_packed_is_told(tmp_path) -> None:
    with pytest.raises(UserError, match="there are no files in"):
        choose(tmp_path)
    with pytest.raises(UserError, match="there is no file or folder"):
        choose(tmp_path / "nothing")
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as packed:
        packed.writestr("annotations.xml", "<annotations/>")
    with pytest.raises(UserError, match=r"is an archive\. Unpack it"):
        choose(tmp_path / "task.zip")
    (tmp_path / "street.mp4").touch()
    with pytest.raises(UserError, match=r"is a video, .* Run a tracker"):
        choose(tmp_path / "street.mp4")


def test_what_was_imported_is_not_imported_again(pets) -> None:
    (pets / "labels.csv").touch()
    with pytest.raises(UserError, match=r"is a dataset already\. reidcore data split"):
        choose(pets)


class Failing(Diary):
    def recognise(self, source):
        raise ZeroDivisionError


class Wordy(Diary):
    def recognise(self, source):
        return "yes"


@pytest.mark.parametrize(
    ("importer", "told"), [(Failing, "failed on"), (Wordy, "gave.*must give a Recognised")]
)
def test_a_mistake_of_an_importer_is_told_in_its_name(pets, importer, told) -> None:
    with pytest.raises(PluginDefectError, match=f"import format 'diary' of plugin .*{told}"):
        choose(pets, diary=importer)


class Mute:
    """Recognises nothing and reads nothing."""


def test_an_object_without_the_methods_is_no_importer(pets) -> None:
    with pytest.raises(PluginDefectError, match="with the methods recognise and crops"):
        choose(pets, "diary", diary=Mute)
