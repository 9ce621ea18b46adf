"""``DATASETS`` and ``TEST``: what is learnt from and tested on, and how features are compared."""

from __future__ import annotations

from typing import Any

from reid_plugins_migrate.configs.values import Given, Tree

# FastReID's class -> our dataset, and its options.
_DATASETS: dict[str, tuple[str, Tree]] = {
    "Market1501": ("market1501", {}),
    "DukeMTMC": ("dukemtmcreid", {}),
    "MSMT17": ("msmt17", {}),
    "CUHK03": ("cuhk03", {}),
    "cuhkSYSU": ("cuhksysu", {}),
    "VIPeR": ("viper", {}),
    "PRID": ("prid", {}),
    "GRID": ("grid", {}),
    "iLIDS": ("ilids", {}),
    "SenseReID": ("sensereid", {}),
    "AirportALERT": ("airport_alert", {}),
    "CAVIARa": ("caviara", {}),
    "LPW": ("lpw", {}),
    "PeS3D": ("pes3d", {}),
    "PKU": ("pku", {}),
    "PRAI": ("prai", {}),
    "SAIVT": ("saivt", {}),
    "Shinpuhkan": ("shinpuhkan", {}),
    "SYSU_mm": ("sysu_mm", {}),
    "Thermalworld": ("thermalworld", {}),
    "WildTrackCrop": ("wildtrack", {}),
    "VeRi": ("veri", {}),
    "VehicleID": ("vehicleid", {}),
    "SmallVehicleID": ("vehicleid", {"size": "small"}),
    "MediumVehicleID": ("vehicleid", {"size": "medium"}),
    "LargeVehicleID": ("vehicleid", {"size": "large"}),
    "VeRiWild": ("veriwild", {}),
    "SmallVeRiWild": ("veriwild", {"size": "small"}),
    "MediumVeRiWild": ("veriwild", {"size": "medium"}),
    "LargeVeRiWild": ("veriwild", {"size": "large"}),
    "PartialREID": ("partial_reid", {}),
    "PartialiLIDS": ("partial_ilids", {}),
    "OccludedREID": ("occluded_reid", {}),
}
# Datasets that are tested by a protocol of their own name.
_PROTOCOLS = ("vehicleid", "veriwild")


def datasets(given: Given) -> Tree:
    """Return what ``data`` says of datasets, their sections, and the protocol that they ask for."""
    own: Tree = {}
    sources, _ = _names(given, "DATASETS.NAMES", own)
    targets, options = _names(given, "DATASETS.TESTS", own)
    data: Tree = {"sources": sources, "targets": targets, "save_dir": str(given["OUTPUT_DIR"])}
    if own:
        data["datasets"] = own
    if given["DATASETS.COMBINEALL"]:
        data["combineall"] = True
    protocols = [name for name in targets if name in _PROTOCOLS]
    test = {"test": {"protocol": protocols[0]}} if protocols and len(targets) == 1 else {}
    return {"data": data, **options, **test}


def _names(given: Given, key: str, own: Tree) -> tuple[list[str], Tree]:
    """Return our names of datasets, with their options; what is unknown becomes a table of one."""
    names: dict[str, None] = {}
    options: Tree = {}
    for theirs in map(str, given.several(key)):
        if theirs not in _DATASETS:
            name = theirs.lower()
            given.changed(key, f"{theirs} is one of your own: write its table {name}.csv")
            names[name], own[name] = None, {"csv": f"{name}.csv"}
            continue
        name, chosen = _DATASETS[theirs]
        names[name] = None
        if chosen and options.setdefault(name, chosen) != chosen:
            given.changed(key, f"a run tests one size of {name}: run again for the others")
    return list(names), options


def tests(given: Given) -> Tree:
    """Return the section ``test``, and test-time steps."""
    given.ignore("TEST.PRECISE_BN.DATASET", "TEST.PRECISE_BN.NUM_ITER")
    test: Tree = {
        "batch_size": int(given.number("TEST.IMS_PER_BATCH")),
        "dist_metric": str(given["TEST.METRIC"]),
    }
    if (period := int(given.number("TEST.EVAL_PERIOD"))) > 0:
        test["eval_freq"] = period
    if test["dist_metric"] not in ("cosine", "euclidean"):
        given.lost("TEST.METRIC", "features are compared by their cosines")
        test["dist_metric"] = "cosine"
    if given.is_on("TEST.PRECISE_BN"):
        given.lost("TEST.PRECISE_BN.ENABLED", "running statistics stay as training left them")
    steps: list[Any] = ["flip"] if given.is_on("TEST.FLIP") else []
    if given.is_on("TEST.AQE"):
        alpha, k = given.number("TEST.AQE.ALPHA"), int(given.number("TEST.AQE.QE_K"))
        steps += ["normalize", {"alpha_qe": {"k": k, "alpha": float(alpha)}}]
        if given.number("TEST.AQE.QE_TIME") != 1:
            given.lost("TEST.AQE.QE_TIME", "queries are expanded once")
        given.changed("TEST.AQE.QE_K", "only queries are expanded; add dba for the gallery")
    if given.is_on("TEST.RERANK"):
        k1, k2 = (int(given.number(f"TEST.RERANK.{key}")) for key in ("K1", "K2"))
        share = float(given.number("TEST.RERANK.LAMBDA"))
        steps.append({"rerank": {"k1": k1, "k2": k2, "lambda": share}})
    made: Tree = {"test": test}
    if steps:
        made["settings"] = {"standard": {"test_time": steps}}
    return made
