"""Replicas: disjoint blocks of seeds judged apart, rates with Wilson's interval, and the command that makes them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from genlab_tui import replicas
from genlab_tui.cli import main
from genlab_tui.errors import BadValue
from genlab_tui.paths import lab_home
from genlab_tui.phenomenon import Arm, Claim, Criterion, Estimate, Phenomenon, Preset, Rule, Test
from genlab_tui.replicas import Rate
from genlab_tui.run import RunSpec, RunState
from genlab_tui.rundata import RunData
from genlab_tui.stats import wilson
from genlab_tui.verdict import Status
from jobs import runs
from jobs.request import build_spec


def test_wilson_is_the_published_interval() -> None:
    # Newcombe 1998, table I: 81 of 263 gives .2553 to .3662, 0 of 20 gives 0 to .1611, 1 of 29 gives .0061 to .1718.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)
    assert wilson(20, 20)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)


def accuracy(arm: str, low: float) -> Test:
    return Test(f"accuracy of {arm}", lambda data: data.measure("accuracy", arm), Rule(low=low), (arm,))


def phenomenon(*claims: Claim) -> Phenomenon:
    """A phenomenon with these claims that is never run: it judges data made by hand."""
    return Phenomenon(
        name="made-up",
        title="",
        group="",
        question="",
        explanation="",
        papers=(),
        config=Nothing,
        presets={"quick": Preset()},
        data=(),
        plan=lambda config, spec: (Arm("real"), Arm("null", control=True)),
        estimate=lambda config, spec: Estimate(0, 0.0, 0.0),
        figures=lambda data: (),
        claims=lambda config, spec: claims,
        run=lambda config, context: iter(()),
    )


@dataclass(frozen=True)
class Nothing:
    """A config without fields."""


def data_of(real: Sequence[float], null: Sequence[float], first: int = 0) -> RunData:
    spec = RunSpec(id="00000000", phenomenon="made-up", config={}, seeds=len(real), first_seed=first)
    values = {("real", first + i): v for i, v in enumerate(real)} | {("null", first + i): v for i, v in enumerate(null)}
    arms = (Arm("real"), Arm("null", control=True))
    return RunData(spec=spec, arms=arms, seeds=spec.seed_list, measures={"accuracy": values})


CLAIM = Claim("learns", "", (Criterion(accuracy("real", 0.9), control=accuracy("null", 0.9)),))
SIDE = Claim("by the way", "", (Criterion(accuracy("real", 2.0)),), main=False)


def test_every_block_is_judged_on_its_own_seeds_alone() -> None:
    real = [0.95] * 3 + [0.5] * 3 + [0.95] * 3
    null = [0.1] * 6 + [0.95] * 3  # in the third block the control fires
    judged = replicas.split(phenomenon(CLAIM, SIDE), data_of(real, null, first=100), 3)
    assert [r.seeds for r in judged] == [(100, 101, 102), (103, 104, 105), (106, 107, 108)]
    assert [r.verdict.status for r in judged] == [Status.SHOWN, Status.NOT_SHOWN, Status.INCONCLUSIVE]
    assert [r.control for r in judged] == [Status.NOT_SHOWN, Status.NOT_SHOWN, Status.SHOWN]
    assert replicas.positive(judged) == Rate(1, 1, 1)
    assert replicas.control(judged) == Rate(1, 2, 0)
    rates = replicas.claims(judged)
    assert rates["learns", True] == Rate(1, 1, 1)
    assert rates["by the way", False] == Rate(0, 3, 0)
    assert set(replicas.reasons(judged, "learns")) == {"accuracy of real", "the control 'accuracy of null' fired"}
    assert "3 seeds from 103" in judged[1].verdict.scope


def test_a_replica_equals_the_verdict_of_a_run_of_its_seeds() -> None:
    whole = data_of([0.95, 0.96, 0.97, 0.5, 0.4, 0.95], [0.1] * 6)
    alone = data_of([0.5, 0.4, 0.95], [0.1] * 3, first=3)
    second = replicas.split(phenomenon(CLAIM), whole, 3)[1]
    assert second.verdict == replicas.split(phenomenon(CLAIM), alone, 3)[0].verdict


def test_seeds_that_fill_no_block_are_left_out() -> None:
    assert len(replicas.split(phenomenon(CLAIM), data_of([0.95] * 8, [0.1] * 8), 3)) == 2


def test_a_control_that_nobody_measured_is_inconclusive() -> None:
    judged = replicas.split(phenomenon(CLAIM), data_of([0.95] * 3, [math.nan] * 0), 3)
    assert judged[0].control is Status.INCONCLUSIVE
    bare = replicas.split(phenomenon(SIDE), data_of([0.95] * 3, [0.1] * 3), 3)
    assert bare[0].control is Status.INCONCLUSIVE


def verify(*more: str) -> tuple[dict[str, object], str]:
    """Run `verify toy` with 4 replicas; return its document and what it said beside."""
    options = ["--replicas", "4", "--set", "steps=20", "--set", "seconds=0.2", "--json", *more]
    done = CliRunner().invoke(main, ["verify", "toy", *options])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), done.stderr


def test_the_command_trains_once_and_prints_the_rates(toy: None) -> None:
    first, said = verify()
    assert first["replicas"] == 4
    assert first["positive"]["n"] == first["control"]["n"] == 4  # type: ignore[index]
    counts = first["positive"]
    assert counts["shown"] + counts["not_shown"] + counts["inconclusive"] == 4  # type: ignore[index]
    blocks = [seed for one in first["each"] for seed in one["seeds"]]  # type: ignore[attr-defined]
    assert blocks == list(range(10_000, 10_000 + len(blocks)))
    assert "running" in said or "done" in said
    again, said = verify()
    assert again == first
    assert "already" in said
    assert verify("--first-seed", "500")[0]["run"] != first["run"]


def test_an_interrupted_verification_goes_on(toy: None) -> None:
    lab = lab_home()
    values = {"steps": 20, "seconds": 4.0}
    spec = build_spec("toy", lab=lab, values=values, seeds=4 * 3, first_seed=10_000)
    run = runs.submit(lab, spec)
    deadline = time.monotonic() + 30
    while runs.find_run(lab, run.id).state is not RunState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.05)
    runs.stop(lab, run.id)
    assert runs.wait(lab, run.id, timeout=30).state is RunState.STOPPED
    again, said = verify("--seeds", "3", "--set", "seconds=4")
    assert again["run"] == run.id
    assert "going on from where it was" in said
    assert again["positive"]["n"] == 4  # type: ignore[index]


def test_more_seeds_than_a_run_may_have_are_refused(toy: None) -> None:
    done = CliRunner().invoke(main, ["verify", "toy", "--replicas", "5000"])
    assert isinstance(done.exception, BadValue)
    assert done.exception.hint == "nearest valid value: --replicas 333"
