"""The trainer is honest: every row once, no test row ever, the nudge descends what is reported."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from ohmlearn.circuits.dynamics import step
from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.errors import DataError
from ohmlearn.training.ideal import IdealLearner, Schedule
from ohmlearn.training.rules import get_rule
from ohmlearn.training.samples import Dataset
from ohmlearn.training.trainer import (
    Plan,
    Position,
    accuracy,
    epoch_order,
    epoch_signs,
    squared_loss,
    train,
)

CLASSES = 3


def a_dataset(rows: int, tests: int = 6) -> Dataset:
    """Return rows whose only feature is their own number; test rows count from 1000 on."""

    def part(first: int, count: int):
        x = np.arange(first, first + count, dtype=np.float64)[:, None]
        return x, np.arange(count, dtype=np.int64) * 2 % CLASSES

    return Dataset(
        "numbers", *part(0, rows), *part(1000, tests), CLASSES, (1,), licence="", source=""
    )


class Recorder:
    """A learner that only writes down what it is given and answers with known numbers."""

    cells, pulses, write_energy = 0, 0, 0.0

    def __init__(self):
        self.rows: list[list[int]] = []
        self.targets: list[np.ndarray] = []
        self.signs: list[float] = []
        self.steps: list[int] = []
        self.rates: list[float] = []

    def answer(self, x):
        return np.cos(x + np.arange(CLASSES))

    def train_batch(self, x, target, sign, step, rate):
        self.rows.append([int(v) for v in x[:, 0]])
        self.targets.append(target.copy())
        self.signs.append(float(sign))
        self.steps.append(step)
        self.rates.append(rate)
        return self.answer(x)

    def outputs(self, x, first, step):
        assert x[0, 0] == 1000 + first
        return self.answer(x)

    def state(self):
        return {}

    def restore(self, arrays):
        del arrays


def trained(rows: int, batch: int, epochs: int = 1, seed: int = 5, **plan):
    learner, position = Recorder(), Position()
    messages = list(train(learner, a_dataset(rows), Plan(epochs, batch, seed, **plan), position))
    return learner, position, messages


def per_epoch(learner: Recorder, epochs: int) -> list[list[int]]:
    size = len(learner.rows) // epochs
    parts = [learner.rows[e * size : (e + 1) * size] for e in range(epochs)]
    return [[row for rows in part for row in rows] for part in parts]


@pytest.mark.parametrize(("rows", "batch"), [(12, 4), (10, 3), (7, 1), (5, 8), (1, 1), (250, 20)])
def test_every_row_is_used_exactly_once_in_every_epoch(rows, batch):
    learner, position, messages = trained(rows, batch, epochs=3)
    for used in per_epoch(learner, 3):
        assert sorted(used) == list(range(rows))
    sizes = [len(b) for b in learner.rows[: len(learner.rows) // 3]]
    assert all(size == min(batch, rows) for size in sizes[:-1])
    assert sizes[-1] == (rows % batch or batch)  # the smaller rest is learned too
    assert sum(message.rows for message in messages) == 3 * rows
    assert [event["epoch"] for event in position.events] == [1, 2, 3]


def test_each_row_comes_with_its_own_label():
    data = a_dataset(50)
    learner, _, _ = trained(50, 7)
    for rows, target in zip(learner.rows, learner.targets, strict=True):
        np.testing.assert_array_equal(target, np.eye(CLASSES)[data.y_train[rows]])


def test_order_is_fresh_in_every_epoch_and_for_every_seed():
    orders = [tuple(epoch_order(seed, epoch, 100)) for seed in range(4) for epoch in range(4)]
    assert len(set(orders)) == 16
    assert tuple(range(100)) not in orders
    learner, _, _ = trained(100, 10, epochs=2)
    first, second = per_epoch(learner, 2)
    assert first != second
    assert first == list(epoch_order(5, 0, 100))
    assert second == list(epoch_order(5, 1, 100))


def test_order_is_a_fair_shuffle():
    # Each row is equally likely at each place: chi-square over place x row, 81 free cells.
    count, draws = np.zeros((10, 10)), 2000
    for epoch in range(draws):
        count[np.arange(10), epoch_order(0, epoch, 10)] += 1
    statistic = ((count - draws / 10) ** 2 / (draws / 10)).sum()
    assert 81 - 5 * np.sqrt(2 * 81) < statistic < 81 + 5 * np.sqrt(2 * 81)


def test_test_rows_never_train():
    learner, _, _ = trained(30, 4, epochs=4)
    assert max(max(rows) for rows in learner.rows) < 1000


def test_steps_count_samples_so_that_no_two_batches_share_random_numbers():
    learner, _, _ = trained(10, 4, epochs=3)
    assert learner.steps == [0, 4, 8, 10, 14, 18, 20, 24, 28]


def test_reported_numbers_are_those_of_the_outputs():
    data = a_dataset(11)
    _, position, _ = trained(11, 4)
    event = position.events[0]
    for which, x, y in (
        ("train", data.x_train, data.y_train),
        ("test", data.x_test, data.y_test),
    ):
        out = Recorder().answer(x)
        errors = np.eye(CLASSES)[y] - out
        assert event[f"{which}_loss"] == pytest.approx(np.mean(0.5 * np.sum(errors**2, axis=1)))
        assert event[f"{which}_accuracy"] == np.mean(out.argmax(axis=1) == y)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_evaluation_does_not_depend_on_the_threads(threads):
    data = a_dataset(5, tests=1111)  # several chunks and a rest
    single = accuracy(Recorder(), data.x_test, data.y_test, 0, 1)
    assert accuracy(Recorder(), data.x_test, data.y_test, 0, threads) == single
    out = Recorder().answer(data.x_test)
    assert single[0] == np.mean(out.argmax(axis=1) == data.y_test)


def test_random_signs_are_fair_and_reproducible():
    signs = epoch_signs(3, 0, 10_000)
    assert set(signs) == {-1.0, 1.0}
    assert abs(signs.sum()) < 4 * np.sqrt(10_000)
    assert abs(np.sum(signs[1:] * signs[:-1])) < 4 * np.sqrt(10_000)
    np.testing.assert_array_equal(signs, epoch_signs(3, 0, 10_000))
    for other in (epoch_signs(3, 1, 10_000), epoch_signs(4, 0, 10_000)):
        assert abs(np.sum(signs * other)) < 4 * np.sqrt(10_000)


def test_signs_reach_the_learner_only_where_they_are_asked_for():
    learner, _, _ = trained(40, 2, epochs=2, random_sign=True)
    assert learner.signs == [*epoch_signs(5, 0, 20), *epoch_signs(5, 1, 20)]
    learner, _, _ = trained(40, 2)
    assert learner.signs == [1.0] * 20


def test_learning_rate_decays_by_its_factor_after_each_epoch():
    learner, _, _ = trained(6, 3, epochs=4, decay=0.5)
    assert learner.rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


@pytest.mark.parametrize("stop", range(1, 9))
def test_stopped_anywhere_it_goes_on_as_if_it_had_not_been(stop):
    plan = Plan(epochs=2, batch_size=4, seed=5, random_sign=True, decay=0.5)
    whole, at_end, _ = trained(10, 4, epochs=2, random_sign=True, decay=0.5)
    first, second, position = Recorder(), Recorder(), Position()
    for count, _ in enumerate(train(first, a_dataset(10), plan, position), start=1):
        if count == stop:
            break
    list(train(second, a_dataset(10), plan, Position(**asdict(position))))
    for name in ("rows", "signs", "steps", "rates"):
        assert getattr(first, name) + getattr(second, name) == getattr(whole, name)
    resumed = Position(**asdict(position))
    list(train(Recorder(), a_dataset(10), plan, resumed))
    for a, b in zip(resumed.events, at_end.events, strict=True):
        assert {**a, "cpu_seconds": 0} == {**b, "cpu_seconds": 0}


@pytest.mark.parametrize("when", ["train", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_not_finite_end_the_run(when, value):
    class Diverging(Recorder):
        def train_batch(self, x, target, sign, step, rate):
            out = super().train_batch(x, target, sign, step, rate)
            out[0, 0] = value if when == "train" else 0.0
            return out

        def outputs(self, x, first, step):
            out = self.answer(x)
            out[0, 0] = value if when == "test" else 0.0
            return out

    position = Position()
    with pytest.raises(DataError, match=r"not finite after epoch 1; lower learning\.eta"):
        list(train(Diverging(), a_dataset(8), Plan(1, 4, 0), position))
    assert position.events == []


# ---- the loss that is reported is the one whose derivative drives the output


def network_at(dynamics: str, activation: str, **physics):
    network = HopfieldNetwork.build([4, 5, CLASSES], dynamics, activation, **physics)
    rng = np.random.default_rng(2)
    theta = network.initial_parameters(rng)
    batch = 3
    # States strictly inside the window, so that a clamp at its ends does not act.
    state = rng.uniform(0.3, 0.7, batch * network.layout.units)
    drive = rng.uniform(-0.2, 0.8, (batch, 5))
    target = np.eye(CLASSES)[rng.integers(0, CLASSES, batch)]
    return network, theta, state, drive, target


def advanced(network, theta, state, drive, beta, target):
    new, scratch = np.empty_like(state), np.empty((3, state.size))
    layout, dynamics = network.layout, network.dynamics
    step(theta, layout, dynamics, drive, beta, target.ravel(), state, new, scratch)
    return new


@pytest.mark.parametrize("beta", [1e-3, 0.2, -0.5])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard-sigmoid"])
@pytest.mark.parametrize(
    ("dynamics", "physics"),
    [
        ("prototypical", {}),
        ("energy-based", {"time_step": 0.2}),
        ("energy-based", {"time_step": 0.1, "clamp": True, "output_slope": False}),
    ],
)
def test_nudge_is_minus_the_derivative_of_the_reported_loss(dynamics, physics, activation, beta):
    network, theta, state, drive, target = network_at(dynamics, activation, **physics)
    batch = len(target)

    def loss(flat):
        return squared_loss(network.layout.split(flat, batch)[-1], target)

    small = 1e-5
    slope = np.empty_like(state)
    for i in range(state.size):
        shift = np.zeros_like(state)
        shift[i] = small
        slope[i] = (loss(state + shift) - loss(state - shift)) / (2 * small)
    free = advanced(network, theta, state, drive, 0.0, target)
    nudged = advanced(network, theta, state, drive, beta, target)
    nudge = (nudged - free) / (beta * physics.get("time_step", 1.0))
    np.testing.assert_allclose(nudge, -slope, rtol=1e-7, atol=1e-8)
    assert np.count_nonzero(slope) == batch * CLASSES


def test_reported_training_outputs_are_those_before_the_update():
    network, theta, _, _, target = network_at("prototypical", "sigmoid")
    x = np.random.default_rng(4).random((3, 4))
    schedule = Schedule(30, 8, 0.2, np.array([0.5, 0.5]))
    learner = IdealLearner(network, theta.copy(), get_rule("cep", True), schedule)
    before = learner.outputs(x)
    np.testing.assert_array_equal(learner.train_batch(x, target, 1.0, 0), before)
    assert np.abs(learner.outputs(x) - before).max() > 1e-6


def test_rate_scales_the_update():
    network, theta, _, _, target = network_at("prototypical", "sigmoid")
    x = np.random.default_rng(4).random((3, 4))
    schedule = Schedule(30, 8, 0.2, np.array([0.1, 0.3]))
    moved = []
    for rate in (1.0, 0.25):
        learner = IdealLearner(network, theta.copy(), get_rule("ep", True), schedule)
        learner.train_batch(x, target, 1.0, 0, rate)
        moved.append(learner.theta - theta)
    assert np.abs(moved[0]).max() > 1e-6
    np.testing.assert_allclose(moved[1], 0.25 * moved[0], atol=1e-15)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "hard-sigmoid", "half-hard-sigmoid"])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_network_with_a_nan_weight_is_never_reported_as_fine(dynamics, activation):
    network = HopfieldNetwork.build([1, 5, CLASSES], dynamics, activation, clamp=True)
    theta = network.initial_parameters(np.random.default_rng(0))
    network.layout.weight(theta, 1)[0, 2] = np.nan
    schedule = Schedule(10, 4, 0.2, np.array([0.1, 0.1]))
    learner = IdealLearner(network, theta, get_rule("ep", True), schedule)
    with pytest.raises(DataError, match="not finite"):
        list(train(learner, a_dataset(8), Plan(1, 4, 0), Position()))
