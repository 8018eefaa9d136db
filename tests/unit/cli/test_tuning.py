"""gatepostd tune: the search, without a server."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from gatepost_server.cli.tuning import race as racing
from gatepost_server.cli.tuning.plan import NETS, Plan, Share, neighbours
from gatepost_server.cli.tuning.race import Race, race
from gatepost_server.cli.tuning.run import CALLS, Bounds, tune
from gatepost_server.cli.tuning.search import climb, enough_calls, places


def plan(*shares: tuple[int, int]) -> Plan:
    """Of (instances, threads) of the first nets; the others have one of one."""
    given = tuple(Share(*each) for each in shares)
    return Plan(given + (Share(),) * (len(NETS) - len(given)))


class Machine:
    """Rates by plan; remembers what runs."""

    def __init__(self, rates, default=10.0):
        self.rates, self.default = rates, default
        self.running, self.most = [], 0

    @contextmanager
    def start(self, each):
        self.running.append(each)
        self.most = max(self.most, len(self.running))
        try:
            yield Running(self.rates.get(each, self.default))
        finally:
            self.running.remove(each)


class Running:
    def __init__(self, full):
        self.full = full

    def rate(self, calls, seconds):
        assert seconds > 0
        return self.full * min(1.0, calls / 8)


BOUNDS = Bounds(minutes=1.0, turn_s=1.0, deadline_s=10.0, cores=2)


def test_a_plan_says_what_triton_needs_to_know():
    made = plan((2, 1), (1, 4))
    assert made.instances() == {"ocr_detect": 2, "clip": 1, "ocr_recognize": 1, "text_toxicity": 1}
    assert made.parameters()["clip_threads"] == "4"
    assert str(made).startswith("ocr_detect 2x1, clip 1x4")


def test_no_net_gets_more_threads_than_there_are_cores():
    for cores in (1, 2, 4):
        for each in neighbours(plan((2, 1)) if cores > 1 else Plan(), cores):
            assert all(share.instances * share.threads <= cores for share in each.shares)


def test_one_core_leaves_nothing_to_try():
    assert list(neighbours(Plan(), 1)) == []


def test_what_was_doubled_can_be_halved_again():
    assert Plan() in neighbours(plan((2, 1)), 2)
    assert Plan() in neighbours(plan((1, 2)), 2)


def test_both_take_the_same_number_of_turns_and_take_turns_to_begin():
    order = []
    race(lambda: order.append("champion") or 1.0, lambda: order.append("challenger") or 2.0, 3)
    assert order == ["champion", "challenger", "challenger", "champion", "champion", "challenger"]


def test_a_race_without_hope_ends_after_one_pair():
    assert race(lambda: 10.0, lambda: 10.0 * racing.HOPELESS - 0.1, 3).ratios == pytest.approx((0.89,))


def test_a_gain_in_the_median_alone_is_not_won():
    assert Race((1.1, 1.1, 1.05)).won(1.03)
    assert not Race((1.1, 1.1, 0.99)).won(1.03)
    assert not Race((1.01, 1.01, 1.02)).won(1.03)


def test_the_search_goes_on_from_each_winner_and_tries_nothing_twice():
    tried = []

    def challenge(best, challenger):
        tried.append((best, challenger))
        return Race((1.5,) if challenger in (plan((2, 1)), plan((2, 1), (2, 1))) else (0.8,))

    steps = list(climb(Plan(), lambda each: neighbours(each, 2), challenge, lambda: True))
    assert [step.plan for step in steps if step.won] == [plan((2, 1)), plan((2, 1), (2, 1))]
    assert len({challenger for _, challenger in tried}) == len(tried)
    assert tried[-1][0] == plan((2, 1), (2, 1))


def test_the_search_ends_with_the_time():
    left = iter([True, True, False])
    steps = list(climb(Plan(), lambda each: neighbours(each, 2), lambda *_: Race((0.8,)), lambda: next(left)))
    assert len(steps) == 2


def test_the_fewest_calls_that_give_nearly_everything_are_enough():
    assert enough_calls({1: 3.0, 2: 4.8, 4: 4.9, 8: 5.0}) == 2
    assert enough_calls({1: 1.0, 2: 2.0, 4: 4.0}) == 4


def test_so_many_are_let_in_as_are_judged_in_half_the_time_that_callers_wait():
    assert places(calls=4, rate=5.0, deadline_s=10.0) == 25
    assert places(calls=16, rate=1.0, deadline_s=10.0) == 16


def test_the_best_plan_is_found_and_its_gain_told():
    machine = Machine({plan((2, 1)): 12.0, plan((2, 1), (2, 1)): 15.0})
    told = []
    found = tune(machine.start, BOUNDS, lambda line, gone: told.append((line, gone)))
    assert found.plan == plan((2, 1), (2, 1))
    assert found.gain is not None
    assert found.gain.gain == pytest.approx(1.5)
    assert found.rates == {calls: 15.0 * min(1.0, calls / 8) for calls in CALLS}
    assert (found.calls, found.places) == (8, 75)
    assert any("better" in line for line, _ in told)
    assert all(0.0 <= gone <= 1.0 for _, gone in told)
    assert machine.most == 2, "the best so far and its challenger, no more"
    assert machine.running == []


def test_where_nothing_is_better_the_defaults_stay():
    machine = Machine({}, default=4.0)
    found = tune(machine.start, BOUNDS, lambda *_: None)
    assert (found.plan, found.gain) == (Plan(), None)
    assert found.calls == 8


def test_a_gain_that_does_not_come_again_is_not_believed():
    lucky = plan((1, 2), (1, 2), (1, 2), (1, 2))

    class Fickle(Machine):
        defaults = 0

        def start(self, each):
            self.defaults += each == Plan()
            self.default = 10.0 if self.defaults < 2 else 20.0  # all but the lucky plan are faster the second time
            return super().start(each)

    machine = Fickle({lucky: 15.0})
    found = tune(machine.start, BOUNDS, lambda *_: None)
    assert (found.plan, found.gain) == (Plan(), None)
    assert found.rates[64] == 20.0, "measured with the defaults, not with what was not believed"
    assert machine.running == []


def test_a_failure_ends_whatever_runs():
    class Broken(Machine):
        def start(self, each):
            if each != Plan():
                raise RuntimeError("no memory")
            return super().start(each)

    machine = Broken({})
    with pytest.raises(RuntimeError, match="no memory"):
        tune(machine.start, BOUNDS, lambda *_: None)
    assert machine.running == []
