"""What is judged: the ticket at about a fifth of the weights against the dense network and its controls."""

from __future__ import annotations

import math
from collections.abc import Callable

from genlab_tui.measures import difference, least
from genlab_tui.phenomena._lottery_ticket.rounds import ACCURACY, START, STEP, Config, cells, judged_arms, levels
from genlab_tui.phenomenon import Claim, Criterion, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training.tickets import DENSE, ONE_SHOT, RANDOM, REINIT, REWOUND, TICKET, TUNED

# Thresholds, fixed before any run that is judged by them.
LOSS = 0.01  # how much less accurate than the dense network a ticket may be
LATER = 1.5  # how much later than the dense network a ticket may reach its early stop, as a factor
GAIN = 0.03  # over a control: more accurate by this ...
EARLIER = 1.5  # ... or earlier at its early stop by this factor
SHARE = 0.8  # of the seeds must show it all
LEARNT = 0.4  # test accuracy of the dense network: more than a linear model has on the hardest data here
FEW = (0.1, 0.25)  # shares of weights left of the side claim about accuracy
COLLAPSE = 0.1  # accuracy that pruning alone costs at the fewest weights

PAPER = "Frankle & Carbin 2019"
SOURCE = "Frankle & Carbin 2019, arXiv v5"
HIGHER = {
    "lenet-300-100": "0.3 points or more above dense, at 13.5 %",
    "conv-2": "3.4 points above dense, at 4.6 %",
    "conv-4": "3.5 points above dense, at 11.1 %",
    "conv-6": "3.3 points above dense, at 26.4 %",
}
SOONER = {
    "lenet-300-100": "0.62 (38 % earlier), at 21 %",
    "conv-2": "0.29 (3.5x earlier), at 8.8 %",
    "conv-4": "0.29 (3.5x earlier), at 9.2 %",
    "conv-6": "0.4 (2.5x earlier), at 15.1 %",
}
BEATS_REINIT = {"lenet-300-100": "2.51x earlier and 0.5 points above, at 21 %"}


def later(run_data: RunData, arm: str, base: str) -> dict[int, float]:
    """Return the early-stop step of an arm over that of another, for every seed that has both."""
    top, bottom = run_data.measure(STEP, arm), run_data.measure(STEP, base)
    shared = sorted(top.keys() & bottom.keys())
    return {seed: top[seed] / bottom[seed] if bottom[seed] else math.inf for seed in shared}


def advantage(run_data: RunData, ticket: str, control: str) -> dict[int, float]:
    """Return, per seed, the larger of accuracy gained over `GAIN` and of steps saved over `EARLIER`: 1 is enough."""
    gain = difference(run_data, ACCURACY, ticket, control)
    steps = later(run_data, control, ticket)
    both = {seed: (gain[seed] / GAIN, steps[seed] / EARLIER) for seed in gain if seed in steps}
    return {seed: math.nan if any(map(math.isnan, pair)) else max(pair) for seed, pair in both.items()}


def most(name: str, measure: Callable[[RunData], PerSeed], rule: Rule, *arms: str, statement: str = "") -> Test:
    """Make a test that four of five seeds must pass: its number is what at least that many of them reach."""

    def reached(run_data: RunData) -> float:
        sign = -1.0 if rule.low is not None else 1.0
        values = [math.inf if math.isnan(v) else sign * v for v in measure(run_data).values()]
        return sign * sorted(values)[math.ceil(SHARE * len(values) - 1e-9) - 1] if values else math.nan

    return Test(name, measure, rule, arms, reached, statement)


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claim about tickets (main) and what else the arms of this config allow to say (side)."""
    arms = judged_arms(config, spec)
    found = [_winning(config, arms), _sooner(config, arms), _few(config, spec)]
    if config.one_shot:
        found.append(_as_good("one blow finds tickets too", "One-shot tickets", arms[ONE_SHOT], ONE_SHOT_PUBLISHED))
    if config.rewind:
        name = "rewound tickets are as good"
        found.append(_as_good(name, f"Tickets reset to step {config.rewind}", arms[REWOUND], ""))
    if config.magnitude:
        found.append(_magnitude(config, spec, arms))
    if {*config.sizes} != {1.0}:
        found.append(_larger(config, spec, arms))
    return tuple(found)


def _winning(config: Config, arms: dict[str, str]) -> Claim:
    ticket, reinit, random = arms[TICKET], arms[REINIT], arms[RANDOM]

    def accuracy(run_data: RunData) -> PerSeed:
        return difference(run_data, ACCURACY, ticket, DENSE)

    def speed(run_data: RunData) -> PerSeed:
        return later(run_data, ticket, DENSE)

    def sooner_control(run_data: RunData) -> PerSeed:
        one, other = later(run_data, reinit, DENSE), later(run_data, random, DENSE)
        return {seed: least((one[seed], other[seed])) for seed in one if seed in other}

    def together(run_data: RunData) -> PerSeed:
        numbers = (
            (accuracy(run_data), Rule(low=-LOSS)),
            (speed(run_data), Rule(high=LATER)),
            (advantage(run_data, ticket, reinit), Rule(low=1.0)),
            (advantage(run_data, ticket, random), Rule(low=1.0)),
        )
        seeds = set.intersection(*(set(found) for found, _ in numbers))
        return {seed: float(all(rule.passes(found[seed]) for found, rule in numbers)) for seed in sorted(seeds)}

    learnt = most("test accuracy of the dense network", lambda d: d.measure(ACCURACY, DENSE), Rule(low=LEARNT), DENSE)
    room = most(
        "early stop of the dense network, as a share of its budget",
        lambda d: {seed: step / d.measure("steps", DENSE)[seed] for seed, step in d.measure(STEP, DENSE).items()},
        Rule(high=1 / LATER),
        DENSE,
        statement="Else no ticket could be too late.",
    )
    control = most(
        "early stop of the better of both controls / of the dense network",
        sooner_control,
        Rule(high=LATER),
        *(DENSE, reinit, random),
        statement="A mask alone, with other weights, or weights alone, under another mask, must not do.",
    )
    either = f"more accurate by {100 * GAIN:g} points or earlier by {EARLIER:g}x: the larger, 1 is enough"
    criteria = (
        Criterion(
            Test("share of seeds in which all of this holds", together, Rule(low=SHARE), (DENSE, *_trio(arms))),
        ),
        Criterion(
            most("test accuracy, ticket minus dense network", accuracy, Rule(low=-LOSS), DENSE, ticket),
            learnt,
            published=HIGHER[config.network],
            published_source=SOURCE,
        ),
        Criterion(
            most("early stop of the ticket / of the dense network", speed, Rule(high=LATER), DENSE, ticket),
            room,
            control,
            published=SOONER[config.network],
            published_source=SOURCE,
            unit="times",
        ),
        Criterion(
            most(
                "ticket over the same mask re-initialised",
                lambda d: advantage(d, ticket, reinit),
                Rule(low=1.0),
                *(ticket, reinit),
                statement=either,
            ),
            published=BEATS_REINIT.get(config.network),
            published_source=SOURCE if config.network in BEATS_REINIT else "",
        ),
        Criterion(
            most(
                "ticket over a random mask",
                lambda d: advantage(d, ticket, random),
                Rule(low=1.0),
                *(ticket, random),
                statement=either,
            ),
        ),
    )
    return Claim(
        "winning tickets",
        "About a fifth of the weights, reset to where they began, learn as well as the whole network, in at most half "
        "as many steps again; with other initial weights, or at random places, they do not.",
        criteria,
        paper=PAPER,
    )


def _trio(arms: dict[str, str]) -> tuple[str, ...]:
    """Return the judged ticket and its two controls."""
    return arms[TICKET], arms[REINIT], arms[RANDOM]


def _sooner(config: Config, arms: dict[str, str]) -> Claim:
    effect = Test(
        "early stop of the ticket / of the dense network",
        lambda d: later(d, arms[TICKET], DENSE),
        Rule(high=1.0, strict=True),
        (DENSE, arms[TICKET]),
    )
    return Claim(
        "tickets learn faster",
        "A ticket reaches its early stop before the dense network does.",
        (Criterion(effect, published=SOONER[config.network], published_source=SOURCE, unit="times"),),
        main=False,
        paper=PAPER,
    )


def _few(config: Config, spec: RunSpec) -> Claim:
    low, high = FEW
    _, shares, _ = levels(config, spec)
    tickets = [c.arm for c in cells(config, spec) if (c.kind, c.size) == (TICKET, 1) and low <= shares[c.round] <= high]

    def worst(run_data: RunData) -> PerSeed:
        gaps = [difference(run_data, ACCURACY, arm, DENSE) for arm in tickets]
        return {seed: least(gap[seed] for gap in gaps) for seed in sorted(set.intersection(*map(set, gaps)))}

    name = f"test accuracy, worst ticket of {low:.0%} to {high:.0%} of the weights minus dense network"
    return Claim(
        f"accuracy at {low:.0%} to {high:.0%} of the weights",
        f"Every ticket in that range ({len(tickets)} here) is as accurate as the dense network.",
        (Criterion(most(name, worst, Rule(low=-LOSS), DENSE, *tickets)),),
        main=False,
        paper=PAPER,
    )


ONE_SHOT_PUBLISHED = "more accurate from 95 % to 5.17 %, faster from 67.5 % to 17.6 %"


def _as_good(name: str, what: str, arm: str, published: str) -> Claim:
    accuracy = most(
        "test accuracy minus dense network", lambda d: difference(d, ACCURACY, arm, DENSE), Rule(low=-LOSS), DENSE, arm
    )
    speed = most("early stop / of the dense network", lambda d: later(d, arm, DENSE), Rule(high=LATER), DENSE, arm)
    given = (published, f"{SOURCE}, LeNet on MNIST") if published else (None, "")
    return Claim(
        name,
        f"{what}, with as many weights as those judged above, learn as well as the dense network in at most half as "
        "many steps again.",
        (Criterion(accuracy, published=given[0], published_source=given[1]), Criterion(speed, unit="times")),
        main=False,
        paper=PAPER if published else "Frankle et al. 2020",
    )


def _magnitude(config: Config, spec: RunSpec, arms: dict[str, str]) -> Claim:
    fewest = min((c for c in cells(config, spec) if c.kind == TUNED), key=lambda c: sum(c.counts)).arm
    holds = most(
        "test accuracy, fine-tuned minus dense network",
        lambda d: difference(d, ACCURACY, arms[TUNED], DENSE),
        Rule(low=-LOSS),
        *(DENSE, arms[TUNED]),
    )

    def fall(run_data: RunData) -> PerSeed:
        raw, whole = run_data.measure(START, fewest), run_data.measure("test_accuracy", DENSE)
        return {seed: whole[seed] - raw[seed] for seed in raw if seed in whole}

    collapse = most(
        f"test accuracy that pruning alone costs ({fewest.removeprefix(TUNED + '-')} % left)",
        fall,
        Rule(low=COLLAPSE),
        *(DENSE, fewest),
    )
    return Claim(
        "magnitude pruning needs fine-tuning",
        "Trained weights that are pruned hold their accuracy after more training, at the share judged above; without "
        "it, accuracy falls once few weights are left.",
        (Criterion(holds), Criterion(collapse)),
        main=False,
    )


def _larger(config: Config, spec: RunSpec, arms: dict[str, str]) -> Claim:
    ends = {1.0: arms[TICKET]} | {c.size: c.arm for c in cells(config, spec) if c.size != 1}
    largest, smallest = ends[max(ends)], ends[min(ends)]
    effect = Test(
        "test accuracy, ticket of the largest network minus that of the smallest",
        lambda d: difference(d, ACCURACY, largest, smallest),
        Rule(low=0.0, strict=True),
        (largest, smallest),
        statement="Both have as many weights left. The paper's conjecture; this criterion is not the paper's.",
    )
    return Claim(
        "larger networks hold better tickets",
        "Of two tickets with equally many weights, the one found in a larger network is more accurate.",
        (Criterion(effect),),
        main=False,
        paper=PAPER,
    )
