import pytest

from reidcore.config import options_in, read_config
from reidcore.errors import ConfigError, PluginDefectError, UnknownNameError, UserError


def test_later_layers_win_and_every_value_knows_its_origin(write):
    path = write("train:\n  lr: 0.1\n  gamma: 0.5\n  max_epoch: 3\ndata:\n  sources: [a]\n")
    config = read_config(
        path, ["train.lr=0.3"], {"data": {"sources": ["b"]}, "train": {"lr": 0.2}}
    ).config
    assert (config.train.lr, config.train.gamma, config.train.max_epoch) == (0.3, 0.5, 3)
    assert config.data.sources == ["b"]
    origins = {key: str(config.origin(key)) for key in ("train.lr", "train.gamma", "train.seed")}
    assert origins == {
        "train.lr": "override 'train.lr=0.3'",
        "train.gamma": f"{path}:3",
        "train.seed": "default",
    }
    assert config.origin("data.sources").kind == "flag"


def test_needs_no_component(no_plugins, write):
    path = write("model: {name: theirs, width: 2}\nunheard_of: {x: 1}\nplugins: [a, ./b.py]\n")
    draft = read_config(path, plugins=no_plugins)
    assert draft.problems == []
    assert draft.plugins == ["a", "./b.py"]
    assert draft.config.sections == {"unheard_of": {"x": 1}}


def test_every_mistake_is_kept_and_the_rest_is_typed(write):
    path = write("train:\n  max_epohc: 5\n  lr: fast\n  gamma: 0.5\ndata:\n  workers: -1\n")
    draft = read_config(path, ["epochs=3", "loss.nmae=x"])
    told = {".".join(map(str, problem.place)): problem.text for problem in draft.problems}
    assert told == {
        "train.max_epohc": "unknown key. Did you mean 'max_epoch' or 'start_epoch'?",
        "train.lr": "expected a number, not 'fast'",
        "data.workers": "expected at least 0, not -1",
        "epochs": told["epochs"],
        "loss.nmae": "unknown key. Did you mean 'name'?",
    }
    assert told["epochs"].startswith("unknown key")
    assert draft.config.train.gamma == 0.5
    assert draft.config.train.lr == 0.0003


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("train.max_epoch=3.5", "expected a whole number, not 3.5"),
        ("train.max_epoch=yes", "expected a whole number, not True"),
        ("train.lr=true", "expected a number, not True"),
        ("train.lr='3e-4'", "expected a number, not '3e-4'"),
        ("model.pretrained=1", "expected true or false, not 1"),
        ("model.name=3", "expected text, not 3"),
        ("model.name=null", "expected text, not None"),
        ("test.ranks=[1, a]", "expected a whole number, not 'a'"),
        ("train=5", "expected a section of keys, not 5"),
        ("train.amp=half", "expected 'off', 'bf16', 'fp16' or 'auto', not 'half'"),
        ("loss.terms={softmax: much}", "expected a number, not 'much'"),
        ("train.height=3", "unknown key. Did you mean 'data.height'?"),
        ("data.norm_mean=[]", "expected at least 1 item, not []"),
    ],
)
def test_wrong_types_are_named_with_the_value_and_what_was_expected(override, text):
    assert [problem.text for problem in read_config(None, [override]).problems] == [text]


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.lr=1", "train", "lr", 1.0),
        ("train.lr=3e-4", "train", "lr", 3e-4),
        ("train.stepsize=20", "train", "stepsize", [20]),
        ("train.stepsize=(20, 40)", "train", "stepsize", [20, 40]),
        ("data.sources=market1501", "data", "sources", ["market1501"]),
        ("train.amp=off", "train", "amp", "off"),
        ("train.amp=on", "train", "amp", "auto"),
        ("model.resume=", "model", "resume", ""),
        ("train.step=core", "train", "step", "core"),
    ],
)
def test_what_is_plainly_meant_is_taken(override, section, key, value):
    draft = read_config(None, [override])
    assert draft.problems == []
    assert getattr(getattr(draft.config, section), key) == value


def test_an_empty_section_is_no_section(write):
    assert read_config(write("train:\nmarket1501:\nloss:\n  softmax:\n")).problems == []


def test_defaults_are_not_shared_between_configurations():
    read_config(None).config.data.sources.append("mine")
    assert read_config(None).config.data.sources == ["market1501"]


def test_assignment_is_typed_so_that_a_plugin_cannot_break_the_run():
    config = read_config(None).config
    config.train.lr = 0.5
    with pytest.raises(ConfigError, match=r"^train\.lr is 'fast'\. Expected a number\.$"):
        config.train.lr = "fast"


def test_a_mistyped_list_of_plugins_is_refused_before_any_is_loaded(write):
    draft = read_config(write("train: {lr: fast}\nplugins: {a: 1}\n"))
    with pytest.raises(ConfigError, match=r"^plugins.*expected text"):
        _ = draft.plugins


def test_a_recipe_is_found_by_its_name(plugins):
    draft = read_config("quickstart", plugins=plugins)
    assert draft.config.data.sources == ["synthetic"]
    assert draft.config.origin("data.sources").text.startswith("quickstart.yaml:")
    mine = read_config("mine", plugins=plugins)
    assert mine.config.model_dump() == draft.config.model_dump()


@pytest.mark.parametrize("entry", ["quickstart", "dg_p1"])
def test_recipes_are_clean_and_open_with_their_command(entry, plugins):
    from reidcore.config.loader import recipe_file
    from reidcore.registry import find

    assert read_config(entry, plugins=plugins).problems == []
    text = recipe_file(find("configs", entry, plugins)).read_text()
    assert text.startswith(f"# reidcore run {entry}")


def test_sources_that_cannot_be_read_are_refused(plugins, write, tmp_path):
    with pytest.raises(UnknownNameError, match=r"neither a file nor a recipe.*'quickstart'"):
        read_config("quikstart", plugins=plugins)
    with pytest.raises(ConfigError, match=r"no configuration file .*none\.yaml"):
        read_config(str(tmp_path / "none.yaml"), plugins=plugins)
    with pytest.raises(UserError, match="cannot be read"):
        read_config(tmp_path, plugins=plugins)
    with pytest.raises(PluginDefectError, match="has no file"):
        read_config("nowhere", plugins=plugins)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_config(binary, plugins=plugins)


def test_a_stored_configuration_reads_back():
    config = read_config(None, ["train.lr=0.5", "market1501.use_500k_distractors=true"]).config
    assert read_config(config.model_dump()).config.model_dump() == config.model_dump()


# -- options of datasets ---------------------------------------------------------------------------


def test_options_are_written_with_or_without_the_name_of_one_dataset() -> None:
    assert options_in(["part=2", "shop.note=[a, b]"], ["shop"]) == {
        "shop": {"part": 2, "note": ["a", "b"]}
    }
    assert options_in(["b.part=2"], ["a", "b", "a"]) == {"a": {}, "b": {"part": 2}}
    assert options_in([], []) == {}


@pytest.mark.parametrize(
    ("words", "datasets", "told"),
    [
        (["part"], ["shop"], "'part' is no OPTION=VALUE. Options are those of shop"),
        (
            ["test.x=1"],
            ["shop"],
            "dataset 'shop' has no section 'test'. Write OPTION=VALUE",
        ),
        (["c.x=1"], ["a", "b"], "datasets a and b have no section 'c'. Write a.OPTION=VALUE"),
        (["x=1"], ["a", "b"], "'x=1' says not whose option it is. Write a.x=1"),
    ],
)
def test_words_that_are_no_options_are_refused(words, datasets, told) -> None:
    with pytest.raises(UserError, match=told):
        options_in(words, datasets)
