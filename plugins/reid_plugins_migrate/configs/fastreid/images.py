"""``INPUT`` and the normalisation: sizes, transforms, and how pixels are read."""

from __future__ import annotations

from reid_plugins_migrate.configs.values import Given, Tree

_BOX: Tree = {"area": [0.02, 0.33], "ratio": [0.3, 3.3], "aspect": "log"}
"""torchvision's random box, which FastReID erases."""


def images(given: Given) -> Tree:
    """Return what the section ``data`` says of images."""
    height, width = given.pair("INPUT.SIZE_TRAIN")
    if height <= 0:  # images are cropped as they are, by INPUT.CROP
        height, width = given.pair("INPUT.CROP.SIZE")
        given.ignore("INPUT.SIZE_TEST")
    elif given.pair("INPUT.SIZE_TEST") != (height, width):
        given.lost("INPUT.SIZE_TEST", "images are tested at the size of the training")
    data: Tree = {"height": height, "width": width, "resize": "pillow_bicubic"}
    for theirs, ours in (("MODEL.PIXEL_MEAN", "norm_mean"), ("MODEL.PIXEL_STD", "norm_std")):
        # Theirs are of images from 0 to 255, ours of images from 0 to 1.
        values, usual = (
            [round(each / 255, 4) for each in found]
            for found in (given.numbers(theirs, 3), given.defaults[theirs])
        )
        if values != usual:
            data[ours] = values
    return {"data": data}


def augmentation(given: Given) -> tuple[list[str], Tree]:
    """Return the training transforms in their order, and the sections of their options."""
    names: list[str] = []
    sections: Tree = {}

    def add(name: str, options: Tree) -> None:
        names.append(name)
        if options:
            sections[name] = options

    if given.is_on("INPUT.AUTOAUG"):
        p = given.number("INPUT.AUTOAUG.PROB")
        add("auto_augment", {"p": p, "policy": "original", "before_resize": True})
    if given.is_on("INPUT.FLIP"):
        p = given.number("INPUT.FLIP.PROB")
        add("random_flip", {"p": p} if p != 0.5 else {})
    if given.is_on("INPUT.PADDING"):
        if given["INPUT.PADDING.MODE"] != "constant":
            given.lost("INPUT.PADDING.MODE", "the margin is black")
        add("pad_crop", {"padding": int(given.number("INPUT.PADDING.SIZE"))})
    if given.is_on("INPUT.CJ"):
        parts = ("PROB", "BRIGHTNESS", "CONTRAST", "SATURATION", "HUE")
        values = [given.number(f"INPUT.CJ.{part}") for part in parts]
        keys = ("p", "brightness", "contrast", "saturation", "hue")
        add("color_jitter", dict(zip(keys, values, strict=True)))
    if given.is_on("INPUT.AUGMIX"):
        given.changed("INPUT.AUGMIX.PROB", "aug_mix as published, with its defaults")
        add("aug_mix", {})
    if given.is_on("INPUT.REA"):
        add("random_erase", _erasing(given))
    if given.is_on("INPUT.RPT"):
        p = given.number("INPUT.RPT.PROB")
        given.changed("INPUT.RPT.PROB", "patches are of other training images; no pool is kept")
        add("random_patch", {"p": p})
    for section, name in (("CROP", "a crop of random size"), ("AFFINE", "an affine change")):
        if given.is_on(f"INPUT.{section}"):
            given.ignore(*(key for key in given.written if key.startswith(f"INPUT.{section}.")))
            given.lost(f"INPUT.{section}.ENABLED", f"{name} is no transform here")
    return names, sections


def _erasing(given: Given) -> Tree:
    p, value = given.number("INPUT.REA.PROB"), given.numbers("INPUT.REA.VALUE", 1, 3)
    mean, std = given.numbers("MODEL.PIXEL_MEAN", 3), given.numbers("MODEL.PIXEL_STD", 3)
    # The value is of an image that is normalised afterwards, of one from 0 to 255.
    values = value * 3 if len(value) == 1 else value
    normalised = [round((each - m) / s, 4) for each, m, s in zip(values, mean, std, strict=True)]
    fill = "mean" if all(abs(each) < 0.01 for each in normalised) else normalised
    return {"p": p, **_BOX, "fill": fill}
