"""Every hook of reidcore, in the order in which a run calls them: the file to read first.

A plugin is a module (or an object) with functions of these names, marked ``@reidcore.hookimpl``.
An implementation may leave out arguments that it does not need. This is the run that calls them::

    reid_add_hookspecs(plugins)                                     # hooks of a plugin's own
    registry <- reid_register_models, reid_register_datasets, ...   # names, when first asked for
    reid_configure(config)                                          # the run's settings, last word
    reid_parameter_groups(model, options)                           # of the optimizer
    reid_model_built(engine, model)
    reid_run_files(folder)                                          # of a run before, in its folder
    reid_run_start(engine)
    for epoch in range(start_epoch, max_epoch):
        reid_stop_training(engine)                                  # a reason ends the loop
        reid_epoch_start(engine)
        for batch in engine.train_loader:
            outcome = reid_forward_backward(engine, batch)          # the step
            #   core: outputs = model(images)
            #         losses  = reid_compute_losses(engine, batch, outputs)
            #         backward
            #         reid_before_optimizer_step(engine), optimizer step
            reid_step_end(engine, outcome)
            reid_figures(engine)                                    # when figures are shown
        reid_epoch_end(engine)
        reid_checkpoint_save(engine)                                # reid_checkpoint_load on resume
    results = reid_evaluate(engine)
    #   core: for target in targets:
    #             features  = reid_extract_features(model, images, labels)  # for each batch
    #             features  = reid_transform_features(query, gallery, labels, engine)
    #             distances = reid_compute_distance(query, gallery, metric)
    #             reid_target_tested(engine, tested)
    reid_report(engine, results)
    reid_run_end(engine, result, error)                             # whatever happened

Order: later plugins are called first (core, bundled, installed by distribution and name, then
``-p``). *First result* hooks stop at the first implementation that returns something other than
None. A wrapper (``@hookimpl(wrapper=True)``) surrounds all the plain implementations.

Shapes: B images in a batch, C classes, D feature dimensions, Q queries, G gallery items.
Stability: *stable* hooks change only by gaining arguments; *provisional* ones may still change.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reidcore import hookspec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from reidcore.config import Config, OptimOptions
    from reidcore.engine import Engine, StepOutcome, TargetResult, TargetTest
    from reidcore.evaluation import Distances, Labels
    from reidcore.models import Outputs
    from reidcore.plugins import HookPublisher
    from reidcore.registry import ConfigRegistrar, Registrar, WeightsRegistrar

# -- plugins: when they are loaded -----------------------------------------------------------------


@hookspec
def reid_add_hookspecs(plugins: HookPublisher) -> None:
    """Publish hooks of the plugin's own, for other plugins to implement.

    Those mark their implementation ``@hookimpl(optionalhook=True)``, so that it is no mistake where
    the publishing plugin is not installed. The plugin calls its hook as
    ``current_plugins().hook.reid_shop_opened(shop=shop)``.

    When: plugins are loaded, before any is registered. Stop rule: none. Stability: provisional.

    Args:
        plugins: ``plugins.add_hookspecs(my_package.hookspecs)`` publishes the functions of a module
            or class that are marked ``@reidcore.hookspec`` and named ``reid_...``.
    """


# -- registry: which names exist -------------------------------------------------------------------
# Called one plugin at a time, when names of that kind are first asked for.
# `registry.add(name, target, *, summary="", aliases=(), needs=(), options={})`; a target is a
# callable or "module:attribute", so that listing imports nothing heavy.


@hookspec
def reid_register_models(registry: Registrar) -> None:
    """Register models: ``target(num_classes, loss="softmax", pretrained=True, **section)``.

    It may name ``use_gpu``, ``image_size`` (height, width), ``num_cameras`` and ``num_views``.

    When: models are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("osnet_x1_0", "my_package.osnet:osnet_x1_0", summary="2.2 M")``, or
            ``registry.add_family("lib", "my_package.lib:factory", members="my_package.lib:names")``
            for the models ``lib/NAME``.
    """


@hookspec
def reid_register_poolings(registry: Registrar) -> None:
    """Register poolings for heads, chosen by ``model.head.pool``: ``target(**options)``.

    Its module turns maps ``(B, channels, h, w)`` into ``(B, D)``; it may name ``channels``.

    When: poolings are first listed or asked for by name. Stop rule: none. Stability: provisional.

    Args:
        registry: ``registry.add("gem", "my_package.pooling:GeneralizedMean")``.
    """


@hookspec
def reid_register_classifiers(registry: Registrar) -> None:
    """Register classifiers for heads: ``target(feature_dim, num_classes, **options)``.

    ``model.head.classifier`` chooses one. Its module is called as ``classifier(features, pids)``,
    ``pids`` None if not known, and returns logits ``(B, C)``. A target that names ``bias`` is told
    whether one would serve: not behind a neck.

    When: classifiers are first listed or asked for. Stop rule: none. Stability: provisional.

    Args:
        registry: ``registry.add("arcface", "my_package.classifiers:ArcFace")``.
    """


@hookspec
def reid_register_datasets(registry: Registrar) -> None:
    """Register datasets: ``target(root, **options)`` gives train, query and gallery.

    When: datasets are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("mydata", lambda root: data.from_folders(root / "mydata"))``.
            ``options`` maps other spellings of the target's options to their real names.
    """


@hookspec
def reid_register_losses(registry: Registrar) -> None:
    """Register losses: ``target(num_classes, **section)`` gives a module.

    It may give several weighted terms instead: name -> weight, module. A module is called as
    ``loss(outputs, batch)`` or, Torchreid's way, ``loss(logits_or_features, pids)``, and returns a
    scalar. A target may name ``feature_dim`` (D; None if the model does not tell it) and
    ``train_table`` (the training samples as a ``SampleTable``; None in a test).

    When: losses are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("center", "my_package.center:CenterLoss")``.
    """


@hookspec
def reid_register_samplers(registry: Registrar) -> None:
    """Register training samplers: ``target(table, batch_size, seed, **section)``.

    The sampler's ``order(epoch)`` is the flat global order of sample indices for an epoch; the
    core slices it into batches and over processes.

    When: samplers are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("RandomSampler", "my_package.samplers:RandomSampler")``.
    """


@hookspec
def reid_register_engines(registry: Registrar) -> None:
    """Register engines, chosen by ``loss.name``: ``target(datamanager, model, optimizer, ...)``.

    When: engines are first listed or asked for by name. Stop rule: none. Stability: provisional.

    Args:
        registry: ``registry.add("softmax", "my_package.softmax:SoftmaxEngine")``.
    """


@hookspec
def reid_register_transforms(registry: Registrar) -> None:
    """Register training transforms: ``target(height, width, **section)`` gives a callable.

    When: transforms are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("gray", "my_package.gray:RandomGray")``.
    """


@hookspec
def reid_register_optimizers(registry: Registrar) -> None:
    """Register optimizers: ``target(groups, lr, weight_decay, **section)``.

    When: optimizers are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("lion", "my_package.lion:build_lion")``.
    """


@hookspec
def reid_register_schedulers(registry: Registrar) -> None:
    """Register learning-rate schedulers: ``target(optimizer, *, stepsize, gamma, max_epoch)``.

    When: schedulers are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("warmup", "my_package.warmup:build_warmup")``.
    """


@hookspec
def reid_register_protocols(registry: Registrar) -> None:
    """Register evaluation protocols: ``target(**section)``.

    A protocol says which gallery items are ignored, which match, and how queries are reduced.

    When: protocols are first listed or asked for by name. Stop rule: none. Stability: provisional.

    Args:
        registry: ``registry.add("market1501", "my_package.protocol:Market1501")``.
    """


@hookspec
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register ready recipes, and the schema of the plugin's own settings.

    When: recipes are first listed or asked for by name. Stop rule: none. Stability: stable.

    Args:
        registry: ``registry.add("my_recipe", "my_package:configs/my_recipe.yaml")`` and
            ``registry.settings(MySettings)``, a pydantic model that checks ``settings.<plugin>``.
    """


@hookspec
def reid_register_weights(registry: WeightsRegistrar) -> None:
    """Register published weights: a table of them, or ``target()``, which gives one row.

    When: weights are first listed or asked for by name. Stop rule: none. Stability: provisional.

    Args:
        registry: ``registry.table("my_package:weights.yaml")``, which maps names to rows, or
            ``registry.add("mynet", lambda: {"filename": ..., "url": ...})``; and for files with
            other keys ``registry.layout("theirs", "my_package:read")``, called with the model and
            the file's tensors: gives a ``WeightsLayout`` or None.
    """


# -- engine: what happens in a run -----------------------------------------------------------------


@hookspec
def reid_configure(config: Config) -> None:
    """Read the run's configuration, or change it, before anything is built from it.

    When: once in a ``reidcore run`` or ``reidcore test``, after the configuration was checked.
    Stop rule: none. Stability: stable.

    Args:
        config: such as ``config.train.max_epoch``; ``results.json`` has it as this hook leaves it.
    """


@hookspec(firstresult=True)
def reid_parameter_groups(model: nn.Module, options: OptimOptions) -> list[dict[str, Any]] | None:
    """Split a model's parameters into groups that learn at rates of their own.

    When: an optimizer is built, by a configuration or by ``build_optimizer``.
    Stop rule: first result; the core's own (``train.staged_lr``) is last. Stability: provisional.

    Args:
        model: the network, without wrappers.
        options: the optimizer's part of ``train``: ``lr``, ``weight_decay``, ``layer_decay``...

    Returns:
        Groups as ``torch.optim`` takes them, each of the model's parameters in one: the frozen ones
        too. The rate that a run shows is the last group's.
    """


@hookspec
def reid_model_built(engine: Engine, model: nn.Module) -> None:
    """Look at a model, or change its layers in place, before it is resumed and trained.

    When: once for each model, when ``engine.register_model`` has put it on the engine's device.
    Stop rule: none. Stability: provisional.

    Args:
        engine: knows the models that were registered so far, this one included.
        model: the model, with its first weights; its optimizer has its parameters already.
    """


@hookspec
def reid_run_files(folder: Path) -> list[str] | None:
    """Name the files that the plugin writes into a run's folder, beside the core's checkpoints.

    When: before a training starts anew in a folder that may hold an earlier one: these files are
    removed or moved aside with it. Stop rule: none. Stability: provisional.

    Args:
        folder: the run's, ``engine.plan.save_dir``; name nothing there that may be the user's.

    Returns:
        Names of files and folders in it, with wildcards if need be:
        ``["metrics.jsonl", "events.*"]``.
    """


@hookspec
def reid_run_start(engine: Engine) -> None:
    """Prepare for a run: parameters, buffers, counters that the plugin keeps.

    When: once at the start of ``engine.run(...)``, after resuming and before the first epoch.
    Stop rule: none. Stability: stable.

    Args:
        engine: has ``model``, ``optimizer``, ``datamanager``, ``plan``, ``writer``, ``device``.
    """


@hookspec
def reid_run_end(
    engine: Engine, result: Mapping[str, Any] | None, error: BaseException | None
) -> None:
    """Finish: close files, send a message.

    When: once at the end of ``engine.run(...)``, also after a failure or Ctrl-C.
    Stop rule: none, every plugin is called even if another one's fails. Stability: stable.

    Args:
        engine: the engine.
        result: what ``results.json`` holds, or None if the run did not finish.
        error: what ended a run that did not finish; Ctrl-C is a KeyboardInterrupt.
    """


@hookspec(firstresult=True)
def reid_stop_training(engine: Engine) -> str | None:
    """Say why no further epoch is worth it; the run then ends as one that is done.

    When: before each epoch, in every process. Stop rule: first result. Stability: provisional.

    Args:
        engine: judge by ``engine.record`` alone, whose epochs and figures of tests a resumed run
            has too, so that the answer is the same then.

    Returns:
        The reason, for the log and ``results.json``; None to go on.
    """


@hookspec
def reid_epoch_start(engine: Engine) -> None:
    """Begin an epoch: the model is in training mode, ``engine.epoch`` counts from 0.

    When: before the first batch of each epoch. Stop rule: none. Stability: stable.

    Args:
        engine: the engine.
    """


@hookspec
def reid_epoch_end(engine: Engine) -> None:
    """End an epoch: the learning rate has been stepped, nothing has been saved or tested yet.

    When: after the last batch of each epoch. Stop rule: none. Stability: stable.

    Args:
        engine: the engine; ``engine.record.history[-1]`` holds the epoch's figures by name.
    """


@hookspec(firstresult=True)
def reid_compute_losses(
    engine: Engine, batch: Mapping[str, Any], outputs: Outputs
) -> dict[str, Tensor] | None:
    """Compute the named loss terms of a batch; the step minimises their sum.

    Wrap it to add a term: that composes with everybody else's terms and with replaced steps::

        @hookimpl(wrapper=True)
        def reid_compute_losses(engine, batch, outputs):
            losses = yield
            return {**losses, "norm": 0.01 * outputs.features.norm(dim=1).mean()}

    When: in each training step, by ``engine.losses(batch)``.
    Stop rule: first result; the core's own comes last. Stability: stable.

    Args:
        engine: the engine.
        batch: ``img (B, 3, h, w)`` and ``pid (B,)`` on the engine's device, ``camid``, ``impath``.
        outputs: ``logits (B, C)`` and ``features (B, D)``, whatever the engine.

    Returns:
        Scalar tensors by name, already weighted. Names that the record of a run has for itself,
        such as ``epoch``, ``lr`` or (beside other terms) ``loss``, are refused.
    """


@hookspec(firstresult=True)
def reid_forward_backward(engine: Engine, batch: Mapping[str, Any]) -> StepOutcome | None:
    """Carry out one training step, or decline the batch by returning None.

    A plain implementation replaces the step: ``engine.losses(batch)``, ``engine.backward(losses)``,
    ``engine.optimizer_step()``, ``engine.outcome(losses)``. A wrapper surrounds it.

    When: for each training batch. Stop rule: first result; the core's own comes last. Only one
    active plugin may replace the step, unless ``train.step`` picks one. Stability: stable.

    Args:
        engine: offers ``parse``, ``losses``, ``backward``, ``optimizer_step`` and ``outcome``.
        batch: ``img (B, 3, h, w)``, ``pid (B,)``, ``camid (B,)``, ``impath``, ``dsetid (B,)``;
            ``img (B, S, 3, h, w)`` for tracklets, whose frames ``engine.parse`` makes images.

    Returns:
        What the step did; ``StepOutcome.skipped()`` if it left the batch out.
    """


@hookspec
def reid_before_optimizer_step(engine: Engine) -> None:
    """Look at the gradients, or change them in place: clipping, noise, norms.

    When: by ``engine.optimizer_step()``, before the optimizers step; with accumulation only where
    they do. Stop rule: none. Stability: provisional.

    Args:
        engine: the engine; the gradients of ``engine.optimizers`` are complete and unscaled. Under
            fp16 some may be infinite: the step is left out afterwards.
    """


@hookspec
def reid_step_end(engine: Engine, outcome: StepOutcome) -> None:
    """Look at a finished step.

    When: after each training step. Stop rule: none. Stability: stable.

    Args:
        engine: the engine.
        outcome: the loss terms as detached scalars, the accuracy, whether it was skipped.
    """


@hookspec
def reid_figures(engine: Engine) -> dict[str, float] | None:
    """Give figures of the plugin's own, shown beside the losses.

    When: every ``print_freq`` steps and at the end of each epoch, for the console, TensorBoard and
    the epoch's entry in ``results.json``. Stop rule: none. Stability: provisional.

    Args:
        engine: the engine.

    Returns:
        Numbers by name, which may be none of the record's own, such as ``epoch``. Reading one off a
        device waits for it, so do it here and not at each step.
    """


@hookspec
def reid_checkpoint_save(engine: Engine) -> dict[str, Any] | None:
    """Give the plugin's own state to the checkpoint.

    When: whenever a checkpoint is written. Each plugin's dictionary is kept under its name.
    Stop rule: none. Stability: stable.

    Args:
        engine: the engine.

    Returns:
        Tensors and plain values only: what ``torch.load(weights_only=True)`` reads back.
    """


@hookspec
def reid_checkpoint_load(engine: Engine, state: dict[str, Any]) -> None:
    """Take the plugin's own state back from a checkpoint.

    When: on resume, for plugins that have a part in the checkpoint. Stop rule: none.
    Stability: stable.

    Args:
        engine: the engine.
        state: what this plugin's ``reid_checkpoint_save`` returned.
    """


# -- evaluation: from images to a report -----------------------------------------------------------


@hookspec(firstresult=True)
def reid_evaluate(engine: Engine) -> dict[str, TargetResult] | None:
    """Test on every target; wrap it to test with other weights.

    When: once in each test, in a run and by ``engine.test()``.
    Stop rule: first result; the core's own comes last. Stability: provisional.

    Args:
        engine: the engine; ``engine.plan`` says how to test, ``engine.is_final_test`` whether
            training is over.

    Returns:
        Target name -> its result.
    """


@hookspec(firstresult=True)
def reid_extract_features(
    model: nn.Module, images: Tensor, labels: Mapping[str, Any]
) -> Tensor | None:
    """Turn a batch of images into features; wrap it for flip-testing or pooling.

    When: for each batch of a test, and of a ``FeatureExtractor``.
    Stop rule: first result; the core's own comes last. Stability: stable.

    Args:
        model: in evaluation mode, on the images' device.
        images: ``(B, 3, h, w)``, normalised; of tracklets the frames, pooled afterwards.
        labels: the batch's other columns that are known: ``camid (B,)``, ``impath``, the table's.
            ``reidcore.models.features_of(model, images, labels)`` gives a model what it wants.

    Returns:
        Features ``(B, D)``.
    """


@hookspec(firstresult=True)
def reid_transform_features(
    query: Tensor, gallery: Tensor, labels: Labels, engine: Engine | None
) -> tuple[Tensor, Tensor] | None:
    """Transform the features of a whole target: whitening, query expansion, reduction.

    When: once per target, before distances. Wrap it, so that several transforms compose.
    Stop rule: first result; the core's own (no change) comes last. Stability: provisional.

    Args:
        query: ``(Q, D)``.
        gallery: ``(G, D)``.
        labels: pids, camids and further columns of the same rows.
        engine: that of the run, which knows the training images; None outside of one.

    Returns:
        The two, transformed alike.
    """


@hookspec(firstresult=True)
def reid_compute_distance(query: Tensor, gallery: Tensor, metric: str) -> Distances | None:
    """Give the distances between queries and gallery.

    When: once per target; for re-ranking both arguments hold all images, queries first.
    Stop rule: first result; the core's own (``euclidean`` and ``cosine``, never stored as a matrix)
    comes last. Stability: provisional.

    Args:
        query: ``(Q, D)``.
        gallery: ``(G, D)``.
        metric: the configuration's ``test.dist_metric``.

    Returns:
        An object whose ``blocks()`` yields rows ``(rows, G)``, as often as it is asked; smaller is
        more alike.
    """


@hookspec
def reid_target_tested(engine: Engine, tested: TargetTest) -> None:
    """Look at a target with everything that its test knows: draw, report, save distances.

    When: after each target of a test, in one process only.
    Stop rule: none. Stability: provisional.

    Args:
        engine: the engine; ``engine.plan`` and ``engine.is_final_test`` tell which test it is.
        tested: ``name``, ``query`` and ``gallery`` (each a ``table`` and ``features (N, D)``),
            ``distances``, whose ``blocks()`` may be read again, ``matches``, ``protocol`` and
            ``result``: in its ``files`` a plugin names what it wrote, in its ``conditions`` what
            it did that changes the figures.
    """


@hookspec
def reid_report(engine: Engine, results: Mapping[str, TargetResult]) -> None:
    """Report the figures of a finished test.

    When: after all targets of a test were evaluated; of several processes, in the one of rank 0
    alone. Stop rule: none. Stability: stable.

    Args:
        engine: the engine; ``engine.record`` has the epochs so far.
        results: target -> result: ``ranking``, ``query``, ``gallery``, ``conditions``, ``files``.
    """
