"""The papers' ablations as lists of ordinary trainings: what `python -m train ablate` runs.

Sizes and steps are small enough that a row takes two cores minutes. All rows of a table have the same steps, so that
another program running beside them changes their minutes alone.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from .results import Column, Row, Table


@dataclasses.dataclass(frozen=True)
class Ablation:
    """A table, and how each row of it is trained and measured."""

    table: Table
    method: str
    common: Sequence[str]
    """Options of every row."""
    options: Mapping[str, Sequence[str]]
    """What each row adds, by its key."""
    measured: Mapping[str, tuple[str, str]]
    """Column → the measure of train/evaluation/measures.py and its value."""


def _ablation(
    name: str,
    title: str,
    source: str,
    here: str,
    method: str,
    common: str,
    columns: Mapping[str, tuple[Column, str, str]],
    rows: Mapping[str, tuple[str, str, Sequence[float]]],
) -> Ablation:
    """An ablation from rows of name, options and the paper's numbers in the order of the columns."""
    table = Table(
        name,
        title,
        source,
        here,
        f"python -m train ablate {name} --data DIR",
        {key: column for key, (column, _, _) in columns.items()},
        [Row(key, called, dict(zip(columns, paper, strict=False))) for key, (called, _, paper) in rows.items()],
    )
    return Ablation(
        table,
        method,
        common.split(),
        {key: options.split() for key, (_, options, _) in rows.items()},
        {key: (measure, value) for key, (_, measure, value) in columns.items()},
    )


FACADES = (
    "--size 64 --depth 6 --base-width 16 --discriminator-width 16 --batch-size 8 --steps 800 --learning-rate 5e-4 "
    "--enlarge 1.12 --name-a labels --kind-a labels --palette train/palettes/facades.json --name-b photo"
)
LABEL_SCORE = {
    "pixel_accuracy": (Column("per-pixel accuracy"), "label score", "pixel_accuracy"),
    "class_accuracy": (Column("per-class accuracy"), "label score", "class_accuracy"),
    "class_iou": (Column("class IoU"), "label score", "class_iou"),
}
ON_FACADES = (
    "Labels to photos of CMP Facades at 64 px; the paper's numbers are of Cityscapes at 256 px by FCN-8s, ours of the "
    "106 test facades by three label readers of our own: compare the order of the rows, not the numbers. 800 steps of "
    "8 pairs, that is 16 passes over the 400 pairs, networks a quarter as wide; the paper has 200 passes."
)
GROUND = (
    "--size 64 --base-width 16 --blocks 3 --discriminator-width 16 --discriminator-layers 4 --batch-size 4 "
    "--steps 2000 --learning-rate 4e-4 --decay-from 0.5 --enlarge 1.5 --name-a ground --kind-a labels "
    "--palette train/palettes/earth.json --name-b satellite"
)
AVATARS = (
    "--size 64 --base-width 16 --blocks 3 --discriminator-width 16 --discriminator-layers 3 --discriminator-scales 2 "
    "--batch-size 4 --steps 2000 --learning-rate 4e-4 --decay-from 0.5 --name-a sketch --kind-a outline --name-b avatar"
)

ABLATIONS: dict[str, Ablation] = {
    found.table.name: found
    for found in (
        _ablation(
            "pix2pix-losses",
            "What each loss of pix2pix is for",
            "Isola et al. 2016 (pix2pix), section 4.1 and table 1",
            ON_FACADES,
            "pix2pix",
            FACADES,
            LABEL_SCORE,
            {
                "l1": ("L1", "--lambda-gan 0", (0.42, 0.15, 0.11)),
                "gan": ("GAN", "--no-conditional --lambda-l1 0", (0.22, 0.05, 0.01)),
                "cgan": ("cGAN", "--lambda-l1 0", (0.57, 0.22, 0.16)),
                "l1-gan": ("L1 + GAN", "--no-conditional", (0.64, 0.20, 0.15)),
                "l1-cgan": ("L1 + cGAN", "", (0.66, 0.23, 0.17)),
            },
        ),
        _ablation(
            "pix2pix-generators",
            "U-Net and encoder-decoder",
            "Isola et al. 2016 (pix2pix), section 4.2 and table 2",
            ON_FACADES,
            "pix2pix",
            FACADES,
            LABEL_SCORE,
            {
                "encoder-l1": ("encoder-decoder, L1", "--no-skip-connections --lambda-gan 0", (0.35, 0.12, 0.08)),
                "encoder-l1-cgan": ("encoder-decoder, L1 + cGAN", "--no-skip-connections", (0.29, 0.09, 0.05)),
                "unet-l1": ("U-Net, L1", "--lambda-gan 0", (0.48, 0.18, 0.13)),
                "unet-l1-cgan": ("U-Net, L1 + cGAN", "", (0.55, 0.20, 0.14)),
            },
        ),
        _ablation(
            "pix2pix-discriminators",
            "How much of a picture the discriminator sees",
            "Isola et al. 2016 (pix2pix), section 4.4 and table 3",
            f"{ON_FACADES} At 64 px, 70×70 pixels are the whole picture; four layers, of 142×142, are as many as fit.",
            "pix2pix",
            FACADES,
            LABEL_SCORE,
            {
                "1": ("1×1", "--discriminator-layers 0", (0.39, 0.15, 0.10)),
                "16": ("16×16", "--discriminator-layers 1", (0.65, 0.21, 0.17)),
                "70": ("70×70", "", (0.66, 0.23, 0.17)),
                "142": ("142×142 (the paper has 286×286)", "--discriminator-layers 4", (0.42, 0.16, 0.11)),
            },
        ),
        _ablation(
            "unit",
            "What UNIT's assumptions are for",
            "Liu et al. 2017 (UNIT), section 4 and table 2",
            "Share of the pixels of a map that are within 16 of the truth, satellite → ground, unpaired. The paper has "
            "Google's maps at 256 px; here NASA's Blue Marble and eight kinds of ground at 64 px, 2,000 steps of 4.",
            "unit",
            GROUND,
            {
                "within_16": (Column("within 16 of the truth"), "label colours", "within_16"),
                "pixel_accuracy": (Column("nearest label right"), "label colours", "pixel_accuracy"),
            },
            {
                "full": ("UNIT", "", (0.600,)),
                "unshared": ("without shared weights", "--shared-blocks 0", (0.569,)),
                "uncycled": ("without the cycle", "--lambda-cycle 0 --lambda-kl-cycle 0", (0.568,)),
                "shared-2": ("2 shared blocks", "--shared-blocks 2", ()),
                "shared-3": ("3 shared blocks", "--shared-blocks 3", ()),
                "layers-2": ("discriminators of 2 layers", "--discriminator-layers 2", ()),
                "layers-3": ("discriminators of 3 layers", "--discriminator-layers 3", ()),
                "layers-5": ("discriminators of 5 layers", "--discriminator-layers 5", ()),
                "kl-1": ("λ1 and λ3 ten times as large", "--lambda-kl 1 --lambda-kl-cycle 1", ()),
                "reconstruction-10": ("λ2 and λ4 a tenth", "--lambda-reconstruction 10 --lambda-cycle 10", ()),
            },
        ),
        _ablation(
            "munit",
            "What MUNIT's reconstructions are for",
            "Huang et al. 2018 (MUNIT), section 5.2",
            "Sketches to avatars at 64 px, unpaired, 2,000 steps of 4. The paper asks people about shoes and measures "
            "LPIPS; here the truth is known: how far a sketch in its true avatar's style is from that avatar, how many "
            "of a sketch's twelve random hair colours are clearly different, and whether its lines are kept.",
            "munit",
            AVATARS,
            {
                "guided": (Column("L1 to the truth, in its style", 3, "lower"), "guided to the truth", "l1"),
                "hair": (Column("hair colours of twelve", 1), "style colours", "hair_colours"),
                "lines": (Column("F1 of lines kept"), "lines kept", "f1"),
            },
            {
                "full": ("MUNIT", "", ()),
                "no-image": ("without images' reconstruction", "--lambda-image 0", ()),
                "no-content": ("without contents' reconstruction", "--lambda-content 0", ()),
                "no-style": ("without styles' reconstruction", "--lambda-style 0", ()),
            },
        ),
    )
}
