"""Sample-wise double descent of networks (Nakkiran et al. 2020): one width, ever more training samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial

from genlab_tui import data
from genlab_tui import events as ev
from genlab_tui.figure import Figure, Line, Reference
from genlab_tui.measures import at_least_seeds, mean, over_factor
from genlab_tui.peaks import Legs, in_standard_errors, largest_rise, legs, profile
from genlab_tui.phenomena._double_descent import networks
from genlab_tui.phenomena._double_descent.config import BASE, LABELS, Config, check_fits, chosen, known, of_kind
from genlab_tui.phenomena._double_descent.epochs import LEG, LEGS, SEEDS, leg_test
from genlab_tui.phenomena._double_descent.network_claims import NEAR, spans
from genlab_tui.phenomenon import Arm, Claim, Context, Criterion, Estimate, PerSeed, Rule, Test
from genlab_tui.run import RunSpec
from genlab_tui.rundata import RunData
from genlab_tui.training import cost


def plan(config: Config, spec: RunSpec) -> tuple[Arm, ...]:
    """Return an arm per kind of labels and number of samples. Raises BadValue."""
    check_fits(spec, "samples", max(config.samples))
    networks.check_network(config, spec, "size")
    words = {"noise": "", "clean": " clean" * bool(config.noise), "decay": " weight decay"}
    return tuple(
        Arm(
            f"{kind}-{n}",
            f"n {n}{words[kind]}",
            networks.factors(config, kind, config.size) | {"n": n},
            control=networks.is_control(config, kind),
        )
        for kind in networks.labels(config)
        for n in sorted(set(config.samples))
    )


def _steps(config: Config) -> int:
    """Return the steps that all take: few samples are not trained less than many."""
    return config.epochs * math.ceil(max(config.samples) / config.batch)


def estimate(config: Config, spec: RunSpec) -> Estimate:
    """Return networks, seconds and memory. Networks of other numbers of samples train one after another."""
    arms = chosen(plan(config, spec), spec)
    one = int(networks.parameters_of(config, spec, arms[:1]))
    seconds = cost.START
    for n in {int(arm.factors["n"]) for arm in arms}:
        size = one * sum(arm.factors["n"] == n for arm in arms) * spec.seeds
        epochs = _steps(config) / math.ceil(n / config.batch)
        seconds += cost.seconds(size, n, config.batch, [epochs], spec.device, spec.regularisers) - cost.START
    each = networks.seed_bytes(config, spec, max(config.samples), float(one * len(arms)))
    return Estimate(len(arms) * spec.seeds, seconds, BASE + each * min(spec.seeds, cost.at_once(each, spec.device)))


def run(config: Config, context: Context) -> Iterator[ev.Event]:
    """Train the networks of all numbers of samples and seeds."""
    spec = context.spec
    arrays = data.load(spec.data, context.data_dir)
    parameters = networks.parameters_of(config, spec, context.arms)
    groups = networks.seed_groups(context, networks.seed_bytes(config, spec, max(config.samples), parameters))
    for at, (name, seeds) in enumerate(groups):
        yield from context.stage(name, partial(_train, config, context, arrays, seeds, name, at, len(groups)))


def _train(
    config: Config, context: Context, arrays: data.Arrays, seeds: Sequence[int], name: str, at: int, groups: int
) -> Generator[ev.Event, None, networks.Ends]:
    from genlab_tui.training.train import Share, train

    recipe = networks.recipe_of(config, context.spec, steps=_steps(config))
    members, samples = networks.draw(config, context, arrays, context.arms, seeds, recipe, max(config.samples))
    state = yield from train(members, samples, recipe, context, cohort=name, share=Share(at / groups, 1 / groups))
    return state.ends


# --- figures ----------------------------------------------------------------------------------------------------------


def last_fit(run_data: RunData, arms: Sequence[Arm]) -> float:
    """Return the largest number of samples that networks fit on the mean; NaN where they fit none."""
    found = profile(run_data, "train_accuracy", arms, "n")
    return max((x for x, a in zip(found.x, found.mean, strict=False) if 1 - a <= networks.FITS), default=math.nan)


def figures(config: Config, run_data: RunData) -> tuple[Figure, ...]:
    """Return test error and training error over the number of samples, also of data still coming."""
    kinds = {kind: of_kind(run_data.arms, kind) for kind in networks.labels(config)}
    at = last_fit(run_data, next(iter(kinds.values())))
    marks: tuple[Reference, ...] = ()
    if math.isfinite(at):
        marks = (Reference(at, f"training error ≤ {networks.FITS:.0%} up to n = {at:g}", "x"),)
    guessing = Reference(1 - 1 / known(run_data.spec).classes, "guessing")
    note = f"networks of width {config.size}, all as many steps; line: mean over seeds, band: 1 standard deviation"

    def lines(of: Callable[[str], PerSeed]) -> tuple[Line, ...]:
        return tuple(line for k, arms in kinds.items() for line in over_factor(LABELS[k], arms, "n", of))

    return (
        Figure("error", "Test error over the number of samples", "training samples n", "test error",
               lines(partial(run_data.measure, "test_error")), (*marks, guessing), log_x=True, note=note),
        Figure("fit", "Training error over the number of samples", "training samples n", "training error",
               lines(partial(networks.train_error, run_data)), marks, log_x=True, note=note),
    )  # fmt: skip


# --- claims -----------------------------------------------------------------------------------------------------------


def claims(config: Config, spec: RunSpec) -> tuple[Claim, ...]:
    """Return the claims that more data hurts where the network just fits, and that yet more heals it."""
    arms = plan(config, spec)
    kind, control = networks.labels(config)
    own, others = of_kind(arms, kind), of_kind(arms, control)
    needs = tuple(arm.name for arm in own)

    def hurts(run_data: RunData, which: Sequence[Arm] = own) -> dict[int, float]:
        """How much higher the error is at the most samples that are fitted than at half of them.

        Training error says which numbers those are: none is picked for its test error.
        """
        seen, most = profile(run_data, "test_error", which, "n"), last_fit(run_data, own)
        half = max((place for place, n in enumerate(seen.x) if n <= most / 2), default=None)
        if half is None:
            return {}
        at = seen.x.index(most)
        return {seed: row[at] - row[half] for seed, row in seen.per_seed.items()}

    def curve(run_data: RunData) -> dict[int, Legs]:
        return legs(profile(run_data, "test_error", own, "n"))

    def offset(run_data: RunData) -> float:
        seen = profile(run_data, "test_error", own, "n")
        if not seen.mean:
            return math.nan
        ratio = seen.x[largest_rise(seen.mean)[2]] / last_fit(run_data, own)
        return max(ratio, 1 / ratio)

    span = spans(own, "n", fits_first=True)

    def standardised(words: str, which: Sequence[Arm], needs: tuple[str, ...]) -> Test:
        def measure(run_data: RunData) -> dict[int, float]:
            return in_standard_errors(hurts(run_data, which))

        # Which samples are fitted is read off the noisy arms, whatever is judged.
        return Test(words, measure, Rule(low=LEG, strict=True), needs, lambda d: mean(measure(d)))

    words = "test error at the most samples that are fitted, above that at half of them"
    rise = standardised(words, own, needs)
    quiet = standardised(f"the same, {LABELS[control]}", others, (*needs, *(arm.name for arm in others)))
    place = Test(
        "place of the peak: factor from the most samples that are fitted",
        hurts,
        Rule(high=NEAR),
        needs,
        offset,
    )
    whole = leg_test("weakest of fall, rise and second fall", curve, LEGS, needs)
    enough = at_least_seeds(SEEDS, "test_error", needs[-1])
    return (
        Claim(
            f"more data hurts a network that just fits, {LABELS[kind]}",
            "At one width, test error rises as samples are added, near the number that the network can just fit.",
            (
                Criterion(rise, span, quiet, unit="standard errors"),
                Criterion(place, enough, unit="times"),
            ),
            paper="Nakkiran et al. 2020",
        ),
        Claim(
            f"sample-wise double descent, {LABELS[kind]}, networks",
            "Test error falls, rises and falls again over the number of samples.",
            (Criterion(whole, span, unit="standard errors"),),
            main=False,
        ),
    )
