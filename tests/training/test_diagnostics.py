"""The loop gain: its formula by hand, its warning, and that it tells stable from unstable."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.hopfield import HopfieldNetwork
from ohmlearn.training.diagnostics import WARN_ABOVE, LoopGain, diverged_in, loop_gain
from ohmlearn.training.ideal import IdealLearner, Schedule
from ohmlearn.training.rules import get_rule


def rho(v):
    return 1 / (1 + np.exp(-4 * (v - 0.5)))


def settled(network, theta, x, steps, dynamics):
    """Return what all layers send at the free state of one sample, in plain NumPy."""
    layout = network.layout
    s = [np.zeros(n) for n in layout.sizes[1:]]
    for _ in range(steps):
        r = [x, *(s if dynamics == "prototypical" else map(rho, s))]
        a = [
            r[k] @ layout.weight(theta, k + 1)
            + layout.bias(theta, k + 1)
            + (layout.weight(theta, k + 2) @ r[k + 2] if k + 1 < layout.depth else 0.0)
            for k in range(layout.depth)
        ]
        if dynamics == "prototypical":
            s = [rho(v) for v in a]
        else:
            s = [
                v + 0.2 * (4 * rho(v) * (1 - rho(v)) * pull - v)
                for v, pull in zip(s, a, strict=True)
            ]
    return [x, *(s if dynamics == "prototypical" else map(rho, s))]


@pytest.mark.parametrize("beta", [0.25, -0.25])
@pytest.mark.parametrize("dynamics", ["prototypical", "energy-based"])
def test_at_batch_one_the_gain_is_the_sum_by_hand(dynamics, beta):
    network = HopfieldNetwork.build(
        (6, 5, 4, 3), dynamics, time_step=0.2 if dynamics != "prototypical" else 1.0
    )
    theta = network.initial_parameters(np.random.default_rng(0))
    x, eta = np.random.default_rng(1).random(6), np.array([0.3, 0.2, 0.1])
    schedule = Schedule(37, 5, beta, eta)
    gain = loop_gain(network, theta, schedule, x[np.newaxis])
    signals = settled(network, theta, x, 37, dynamics)
    for k in range(3):
        bound = eta[k] / 0.25 * (np.sum(signals[k] ** 2) + 1)
        slope = np.mean(4 * signals[k + 1] * (1 - signals[k + 1]))
        assert gain.bound[k] == pytest.approx(bound, rel=1e-12)
        assert gain.mean[k] == pytest.approx(bound * slope, rel=1e-12)


def test_a_batch_of_equal_samples_has_the_gain_of_one():
    network = HopfieldNetwork.build((6, 5, 3))
    theta = network.initial_parameters(np.random.default_rng(0))
    x, schedule = (
        np.random.default_rng(1).random((1, 6)),
        Schedule(20, 5, 0.2, np.array([0.1, 0.1])),
    )
    one = loop_gain(network, theta, schedule, x)
    seven = loop_gain(network, theta, schedule, np.repeat(x, 7, axis=0))
    np.testing.assert_allclose(seven.mean, one.mean, rtol=1e-10)
    np.testing.assert_allclose(seven.bound, one.bound, rtol=1e-10)
    mixed = loop_gain(network, theta, schedule, np.random.default_rng(2).random((7, 6)))
    assert 0 < mixed.mean[0] < mixed.bound[0]


def test_the_warning_names_the_layer_and_comes_only_above_the_limit():
    assert LoopGain([0.1, 0.999 * WARN_ABOVE], [9.0, 9.0]).warning() == ""
    sentence = LoopGain([0.1, 0.7, 0.6], [1.0, 1.0, 1.0]).warning()
    assert "weight layer 2 is 0.7, above 0.5" in sentence
    assert "Lower learning.eta" in sentence


def test_a_gain_far_above_one_is_a_loop_that_feeds_on_itself():
    """The change of the weights stays in proportion to eta below the limit, and not above it."""
    network = HopfieldNetwork.build((20, 10, 3))
    theta = network.initial_parameters(np.random.default_rng(0))
    x, y = np.random.default_rng(1).random((1, 20)), np.eye(3)[:1]
    change = {}
    for limit in (0.01, 0.1, 10.0):
        base = Schedule(30, 15, 0.2, np.array([1.0, 0.0]))
        eta = limit / loop_gain(network, theta, base, x).mean[0]
        moved, schedule = theta.copy(), base._replace(eta=np.array([eta, 0.0]))
        IdealLearner(network, moved, get_rule("cep", True), schedule).train_batch(x, y, 1.0, 0)
        assert (loop_gain(network, theta, schedule, x).warning() != "") == (limit > WARN_ABOVE)
        change[limit] = np.linalg.norm(moved - theta) / eta
    assert change[0.1] / change[0.01] == pytest.approx(1.0, abs=0.5)
    assert change[10.0] > 3 * change[0.01]


def events(*accuracies):
    return [{"epoch": n, "train_accuracy": a} for n, a in enumerate(accuracies, start=1)]


def test_divergence_is_a_fall_below_half_of_the_best():
    assert diverged_in(events(0.5, 0.8, 0.95, 0.6, 0.97)) is None
    assert diverged_in(events(0.5, 0.98, 0.90, 0.12, 0.10)) == 4
    assert diverged_in([]) is None
