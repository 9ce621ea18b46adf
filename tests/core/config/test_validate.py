import subprocess
import sys

import pytest

from reidcore.config import chosen_protocol, load_config, options_of
from reidcore.errors import ConfigError
from reidcore.plugins import make_plugins
from reidcore.registry import find

CASES = [
    ("data.sources=[marekt1501]", r"data.sources: no dataset is named 'marekt1501'.*'market1501'"),
    ("data.targets=[gone]", r"data.targets: dataset 'gone' needs a package.*\[mat\]"),
    ("model.name=osnet_x1_1", r"model.name: .*Did you mean 'osnet_x1_0'"),
    ("data.transforms=[random_filp]", r"data.transforms: .*'random_flip'"),
    ("sampler.train_sampler=RandomSampler2", r"sampler.train_sampler: .*'RandomSampler'"),
    ("train.optim=amsgard", r"train.optim: .*'amsgrad'"),
    ("train.lr_scheduler=cosinus", r"train.lr_scheduler: .*'cosine'"),
    ("loss.name=sofmax", r"loss.name: .*'softmax'"),
    ("loss.terms={shpere: 1}", r"loss.terms: .*'sphere'"),
    ("loss.terms={sphere: -1}", r"loss.terms.sphere: expected at least 0.0, not -1"),
    ("test.protocol=market", r"test.protocol: .*'market1501'"),
    ("model.widht=2", r"model.widht: unknown key. Did you mean 'width'"),
    ("model.width=wide", r"model.width: expected a number, not 'wide', for model 'resnet50'"),
    ("model.blocks=two", r"model.blocks: expected a whole number or a number"),
    ("sampler.shuffle=true", r"sampler.shuffle: unknown key"),
    ("market1501.use_500k_distractor=true", r"Did you mean 'use_500k_distractors'"),
    ("market1501.use_500k_distractors=3", r"expected true or false, not 3, for dataset"),
    ("cuhk03.split_id=1", r"cuhk03.split_id: unknown key. Did you mean 'data.split_id'"),
    ("cuhk03.use_metric_cuhk03=3", r"cuhk03.use_metric_cuhk03: expected true or false"),
    ("paint.fill=[1, 2]", r"paint.fill: expected text or a longer list, not \[1, 2\]"),
    ("adam.bta1=0.5", r"adam.bta1: unknown key. Did you mean 'beta1'"),
    ("amsgrad.fused=2", r"amsgrad.fused: expected true or false"),
    ("loss.sphere.gama=1", r"loss.sphere.gama: unknown key. Did you mean 'gamma'"),
    ("loss.softmax.label_smoth=1", r"loss.softmax.label_smoth: .*'label_smooth'"),
    ("loss.shpere.gamma=1", r"loss.shpere: no installed component.*'sphere'"),
    ("trian.lr=1", r"trian: no installed component has such a section. Did you mean 'train'"),
    ("sphere.gamma=1", r"sphere: no such section is here\. Write loss\.sphere\."),
    ("loss.adam.beta1=0.9", r"loss\.adam: no such section is here\. Write adam\."),
    ("carparks.size=800", r"carparks: .*Is its plugin not installed\? See: reidcore ls"),
    ("settings.Components.strenght=1", r"settings.Components.strenght: .*'strength'"),
    ("settings.Components.strength=much", r"settings.Components.strength: expected a number"),
    ("settings.standard.x=1", r"settings.standard: .*no active plugin|takes no settings"),
    ("settings.Componets.x=1", r"settings.Componets: no active plugin.*'Components'"),
]


@pytest.mark.parametrize(("override", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_is_one_line_that_says_what_to_do(override, message, plugins):
    with pytest.raises(ConfigError, match=message) as refused:
        load_config(None, [override], plugins=plugins)
    assert "\n" not in str(refused.value)
    assert f"(override '{override}')" in str(refused.value)


def test_what_several_components_of_a_section_refuse_is_told_once():
    sharers = [("losses", "softmax"), ("engines", "softmax"), ("losses", "triplet")]
    for kind, name in [*sharers, ("engines", "dml")]:
        find(kind, name).load()  # those that are imported already are asked first, and alone
    with pytest.raises(ConfigError) as refused:
        load_config(None, ["loss.softmax.label_smooth=3"])
    message = str(refused.value)
    assert message.startswith("loss.softmax.label_smooth: expected true or false, not 3, for loss ")
    assert message.count("label_smooth: ") == 1
    for component in ("loss 'softmax'", "engine 'softmax'", "loss 'triplet'", "engine 'dml'"):
        assert message.count(component) == 1


def test_an_option_without_a_default_must_be_given(plugins):
    with pytest.raises(ConfigError, match=r"^variant.release: a value is required, for dataset"):
        load_config(None, ["data.sources=[variant]"], plugins=plugins)


def test_all_mistakes_of_both_phases_are_told_at_once(write, plugins):
    path = write("train:\n  max_epohc: 5\nmarket1501:\n  use_500k: true\nsettings:\n  nobody: {}\n")
    with pytest.raises(ConfigError) as refused:
        load_config(path, ["model.name=osnet"], plugins=plugins)
    first, *lines = str(refused.value).splitlines()
    assert first == "the configuration has 4 mistakes:"
    assert [line.split(":")[0].strip() for line in lines] == [
        "train.max_epohc",
        "model.name",
        "market1501.use_500k",
        "settings.nobody",
    ]
    assert lines[0].endswith(f"({path}:2)")
    assert lines[2].endswith(f"({path}:4)")


@pytest.mark.parametrize("key", ["speed=fast", "compile=default", "keep_memory=true"])
def test_what_the_training_plugin_would_follow_is_refused_without_it(key):
    without = make_plugins(disabled=["training"])
    name = key.partition("=")[0]
    with pytest.raises(
        ConfigError, match=rf"train.{name}: no active plugin .*'training'.*\(override"
    ):
        load_config({}, [f"train.{key}"], plugins=without)
    load_config({}, [f"train.{key}"], plugins=make_plugins())


def test_a_run_that_asks_for_nothing_does_without_the_training_plugin():
    off = ["train.speed=exact", "train.compile=off", "train.keep_memory=false"]
    assert load_config({}, off, plugins=make_plugins(disabled=["training"])).train.compile == "off"
    assert load_config({}, plugins=make_plugins(disabled=["training"])).train.keep_memory


def test_two_protocols_do_not_hide_the_other_mistakes(plugins):
    words = ["test.protocol=market1501", "cuhk03.use_metric_cuhk03=true", "train.optim=x"]
    with pytest.raises(ConfigError, match=r"2 mistakes(.|\n)*two protocols(.|\n)*train\.optim"):
        load_config(None, words, plugins=plugins)


def options(overrides, kind, name, plugins):
    return options_of(load_config(None, overrides, plugins=plugins), kind, name, plugins)


def test_options_come_under_their_real_names_and_in_the_type_the_factory_takes(plugins):
    given = ["market1501.market1501_500k=true", "paint.fill=[1, 2, 3]", "paint.p=1"]
    assert options(given, "datasets", "market1501", plugins) == {"use_500k_distractors": True}
    assert options(given, "transforms", "paint", plugins) == {"fill": (1.0, 2.0, 3.0), "p": 1}
    assert options(["model.width=2"], "models", "resnet50", plugins) == {"width": 2.0}
    identity = ["sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2"]
    assert options(identity, "samplers", "RandomIdentitySampler", plugins) == {"num_instances": 2}
    assert options([], "samplers", "RandomSampler", plugins) == {}
    assert options([], "losses", "sphere", plugins) == {}
    assert options(["loss.sphere.gamma=2"], "losses", "sphere", plugins) == {"gamma": 2.0}
    variant = ["data.sources=[variant]", "variant_v1.release=b"]
    assert options(variant, "datasets", "variant", plugins) == {"release": "b"}


def test_optimizers_share_torchreids_sections(plugins):
    assert options([], "optimizers", "amsgrad", plugins) == {}
    assert options(["adam.beta2=0.99"], "optimizers", "amsgrad", plugins) == {"beta2": 0.99}
    given = ["sgd.momentum=0.5", "adam.beta1=0.8", "amsgrad.fused=true"]
    assert options(given, "optimizers", "rmsprop", plugins)["momentum"] == 0.5
    assert options(given, "optimizers", "adam", plugins) == {"beta1": 0.8}
    expected = {"beta1": 0.8, "fused": True}
    assert options(given, "optimizers", "amsgrad", plugins) == expected


def test_a_factory_that_takes_anything_is_given_its_section(plugins):
    given = ["data.sources=[loose]", "loose.folder=x"]
    assert options(given, "datasets", "loose", plugins) == {"folder": "x"}


def test_a_protocol_is_chosen_by_name_or_by_its_own_switch(plugins):
    def chosen(*overrides):
        return chosen_protocol(load_config(None, overrides, plugins=plugins), plugins)

    assert chosen() is None
    assert chosen("test.protocol=single_shot") == "single_shot"
    assert chosen("single_shot.instead=true") == "single_shot"
    assert chosen("cuhk03.use_metric_cuhk03=true") == "cuhk03"
    assert chosen("cuhk03.use_metric_cuhk03=false") is None


def test_settings_reach_the_plugin_in_its_own_model(plugins):
    config = load_config(None, ["settings.Components.strength=2"], plugins=plugins)
    assert config.settings["Components"].strength == 2.0
    assert load_config(None, plugins=plugins).settings["Components"].strength == 0.5
    assert config.model_dump()["settings"]["Components"] == {"strength": 2.0, "layers": []}


def test_a_datasets_section_may_be_spelled_with_its_kind(plugins):
    source = {"datasets": {"cuhk03": {"classic_split": True}}}
    config = load_config(source, ["datasets.cuhk03.labeled_images=true"], plugins=plugins)
    given = options_of(config, "datasets", "cuhk03", plugins)
    assert given == {"classic_split": True, "labeled_images": True}
    assert load_config(source, ["cuhk03.classic_split=false"], plugins=plugins).cuhk03 == {
        "classic_split": False
    }
    with pytest.raises(ConfigError, match=r"override 'datasets\.cuhk03\.labelled=1'"):
        load_config(source, ["datasets.cuhk03.labelled=1"], plugins=plugins)


def test_sections_of_other_installed_components_may_stand_and_are_checked(plugins):
    load_config(None, ["cuhk03.labeled_images=true", "gone.anything=1"], plugins=plugins)
    with pytest.raises(ConfigError, match=r"cuhk03\.labeled_images"):
        load_config(None, ["cuhk03.labeled_images=1"], plugins=plugins)


def test_without_any_plugin_the_first_name_says_what_to_install(no_plugins):
    with pytest.raises(ConfigError, match=r"model\.name: .*pip install"):
        load_config(None, plugins=no_plugins)


def test_mistakes_in_a_head_are_told_with_all_others() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("quickstart", ["model.head.neck=bneck", "model.head.pol=gem", "train.lr=x"])
    told = str(caught.value)
    assert "model.head.neck: expected 'bnneck', not 'bneck'" in told
    assert "model.head.pol: unknown key. Did you mean 'pool'" in told
    assert "train.lr: expected a number" in told
    with pytest.raises(ConfigError) as caught:
        load_config("quickstart", ["model.head.margin=0.2", "model.head.gem_p=2.0"])
    assert "model.head.gem_p: no effect without pool: gem" in str(caught.value)
    assert "model.head.margin: no effect without classifier: arcface" in str(caught.value)


WITHOUT_TORCH = """
import runpy, sys

sys.argv = ["reidcore", "run", "quickstart", *sys.argv[1:]]
try:
    runpy.run_module("reidcore", run_name="__main__")
except SystemExit as end:
    print("exit", end.code)
print("heavy", [name for name in ("torch", "numpy", "torchvision") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.max_epohc=3", "train.max_epohc: unknown key. Did you mean 'max_epoch'"),
        ("train.lr=fast", "train.lr: expected a number, not 'fast'"),
        ("model.name=osnet_x9", "no model is named 'osnet_x9'"),
        ("trian.lr=1", "trian: no installed component has such a section"),
    ],
)
def test_a_mistyped_core_key_is_told_without_torch(override, message):
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, override], capture_output=True, text=True, check=True
    )
    assert message in ran.stdout + ran.stderr
    assert "exit 2" in ran.stdout
    assert "heavy []" in ran.stdout


def test_sections_of_components_that_are_not_imported_wait_for_the_cores_keys(plugins):
    words = ["train.lr=fast", "random_erase.probability=1"]
    with pytest.raises(ConfigError) as refused:
        load_config(None, words, plugins=plugins)
    assert "train.lr: expected a number" in str(refused.value)
    with pytest.raises(ConfigError, match=r"random_erase\.probability: unknown key"):
        load_config(None, words[1:], plugins=plugins)
