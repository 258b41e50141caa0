"""The loss landscape (Li et al. 2018): slices through the loss of deep networks with and without shortcuts.

Protocol: random Gaussian directions, each filter scaled to the network's own (so that a network whose weights are
large does not look flat), biases unmoved; the training loss on a grid of a plane through the trained weights, without
augmentation. Networks are compared at the same training loss. The paper prints pictures; what is judged here are
numbers of such slices: how far the loss stays below that of guessing, curvature, minima.
"""

from __future__ import annotations

from genlab_tui.figure import Figure, HeatMap
from genlab_tui.papers import HE_RESNET, LI_LANDSCAPE
from genlab_tui.phenomena._loss_landscape import figures as drawn
from genlab_tui.phenomena._loss_landscape.claims import claims
from genlab_tui.phenomena._loss_landscape.config import RESNET, Config, estimate, plan
from genlab_tui.phenomena._loss_landscape.run import run
from genlab_tui.phenomenon import Metric, Phenomenon, Preset
from genlab_tui.rundata import RunData


def figures(run_data: RunData) -> tuple[Figure | HeatMap, ...]:
    """Return slices, the way of training, profiles, radii and learning, also of data still coming."""
    return drawn.figures(PHENOMENON.config_of(run_data.spec), run_data)


PHENOMENON = Phenomenon(
    name="loss-landscape",
    title="Loss landscape",
    group="Geometry",
    question="What do shortcuts do to the shape of the loss around a trained network?",
    explanation=(
        "A loss is a function of thousands of weights, and nobody can see it. Li et al. look at slices: walk from "
        "the trained network in two random directions and draw the loss as a map. The trick that makes slices of "
        "two networks comparable is to measure a step in lengths of the filters that it changes: weights that are "
        "twice as large need twice the step. Here two deep, narrow networks that differ in one thing, whether each "
        "layer adds to what comes in (a shortcut) or replaces it, are trained to the same training loss: at "
        "different losses slices say little. Read the maps: the full line, ln K (2.3 for ten classes: the loss of "
        "guessing), is the edge of the basin, and with shortcuts it lies several times as far out; both maps have "
        "one scale of colours. That is judged as a number: the median distance to that edge over many random "
        "directions. The paper's other picture, a chaos of hills and minima without shortcuts, is asked for "
        "separately, and small networks do not show it: their narrow basin has one minimum, and only close up do "
        "its walls bend the wrong way here and there. A slice that is not convex means that the loss is not convex; "
        "a smooth slice proves nothing, as it is two directions out of thousands. The last maps show the trajectory "
        "of training, from o to the cross, in the two directions in which it moved most. In the paper these hold 40 "
        "to 90 % of all movement, random ones almost none. Beware of that number: a random walk with steps as long "
        "looks flat in this way too, and its share stands beside it."
    ),
    papers=(LI_LANDSCAPE, HE_RESNET),
    config=Config,
    presets={
        "quick": Preset(seeds=3, data="digits", note="20 layers of 32 units, slices of 21 x 21 points, 20 directions"),
        "standard": Preset(
            {"grid": 51, "directions": 40},
            seeds=5,
            data="digits",
            note="the paper's 51 x 51 points, 40 directions",
        ),
        "paper": Preset(
            {
                "model": RESNET,
                "depth": 56,
                "n": 0,
                "lr": 0.1,
                "decay": 0.985,
                "batch": 128,
                "epochs": 300,
                "stop": False,
                "samples": 10_000,
                "grid": 51,
                "pairs": 1,
            },
            seeds=3,
            data="cifar10",
            note="ResNet-56 with and without shortcuts, SGD with Nesterov's momentum, batches of 128, weight decay "
            "5e-4, 300 epochs, learning rate 0.1 and 0.01 without shortcuts, as in the paper, like the grid. Not as "
            "there: the rate falls smoothly instead of by 10 at epochs 150, 225 and 275; slices are taken on 10,000 "
            "of the training images, which are not augmented in training. After few epochs the picture is another one. "
            "Trained to the end, not to one loss: INCONCLUSIVE where the losses differ by more than 1.5 times",
            gpu="about 8 hours for 3 seeds and 8 GB",
        ),
    },
    data=("digits", "mnist1d", "fashion-mnist", "mnist5k", "mnist", "kmnist", "cifar10", "svhn"),
    refused={"cifar100": "narrow perceptrons do not reach the training loss at which slices are compared"},
    plan=plan,
    estimate=estimate,
    figures=figures,
    claims=claims,
    run=run,
    metrics=(Metric("train_loss", "training loss", log=True, higher_is_better=False, unit="nats"),),
    headline=(
        "median radius of the basin, with shortcuts over without",
        "share of slices without shortcuts that have 3 or more strict minima inside the basin",
    ),
    panels=("square-skip", "square-plain", "profile", "way-plain"),
)
