"""Circuits with several steady states: kernels and ngspice come to the same one."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from ohmlearn.circuits.leaky.network import LeakyNetwork
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.simulator import Phase
from ohmlearn.cosimulation.circuit import circuit_of
from ohmlearn.cosimulation.comparison import run_cosim
from ohmlearn.cosimulation.deck import deck_of
from ohmlearn.cosimulation.leaky import leaky_phases
from ohmlearn.errors import ConfigError
from ohmlearn.experiment import parse_experiment
from ohmlearn.spice_netlists.networks.leaky_deck import leaky_deck, saved
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.simulator import NgspiceSimulator, family_of

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

V_REF, LEAK = 0.2, 1e-4


def network(seed, scale, sizes=(3, 6, 4)):
    """Return a network with weights of standard deviation *scale*, thresholds in the middle."""
    rng, plus, minus = np.random.default_rng(seed), [], []
    for m, n in pairwise(sizes):
        w = rng.normal(0.0, scale, (m + 1, n)) * LEAK
        w[-1] = -0.25 * w[:-1].sum(axis=0)
        plus.append(1e-3 + 0.5 * w)
        minus.append(1e-3 - 0.5 * w)
    depth = len(plus)
    return LeakyNetwork(
        tuple(plus), tuple(minus), (LEAK,) * depth, (1e-12,) * depth, V_REF, "sigmoid"
    )


def phase(seed, batch=1):
    return Phase(V_REF * np.random.default_rng(seed + 100).random((batch, 3)))


def flat(voltages):
    return np.concatenate(voltages, axis=-1)


def alone(net, given):
    """Return the operating point that ngspice happens upon by itself."""
    deck = leaky_deck(net, {"rest": given})
    return run_batch(deck.flat(), vectors=saved(net), points=1)[0].columns(saved(net))[0]


@pytest.mark.parametrize("seed", [4, 7, 9, 13, 20, 29])
def test_from_zero_both_come_to_the_state_of_the_circuit(seed):
    net, given = network(seed, 2.0), phase(seed)
    ours = flat(NumbaSimulator().settle(net, given).voltages)[0]
    assert np.abs(alone(net, given) - ours).max() > 0.1
    found = NgspiceSimulator().settle(net, given)
    assert found.converged.all()
    assert np.abs(flat(found.voltages)[0] - ours).max() < 1e-9


@pytest.mark.parametrize("mode", ["batch", "shared"])
def test_each_sample_comes_to_the_state_beside_its_start(mode):
    net = network(17, 2.0)
    given = phase(17, batch=3)
    high = 1.5 * np.array([[0.0], [1.0], [-1.0]])
    start = tuple(np.repeat(high, n, axis=1) for n in net.sizes[1:])
    ours = NumbaSimulator().settle(net, given, start)
    found = NgspiceSimulator(mode=mode).settle(net, given, start)
    assert ours.converged.all()
    assert found.converged.all()
    assert np.abs(flat(found.voltages) - flat(ours.voltages)).max() < 1e-9
    again = NgspiceSimulator().settle(net, given)
    assert np.abs(flat(again.voltages) - flat(found.voltages)).max() > 0.1


def test_where_there_is_one_state_nothing_is_followed_and_the_start_does_not_matter():
    net, given = network(3, 0.2), phase(3, batch=2)
    follow = family_of(net).follow
    assert follow(net, given) == 0.0
    assert follow(network(3, 2.0), given) > 0.0
    far = tuple(np.full((2, n), 5.0) for n in net.sizes[1:])
    a, b = (flat(NumbaSimulator().settle(net, given, start).voltages) for start in (None, far))
    assert np.abs(a - b).max() < 1e-12
    found = NgspiceSimulator().settle(net, given, far)
    assert np.abs(flat(found.voltages) - a).max() < 1e-9


def test_one_state_is_claimed_only_where_it_is_so():
    """Two nodes that excite each other have one state up to a loop gain of 1, two beyond."""

    def flip_flop(weight):
        w = np.array([[weight], [0.5 - 0.5 * weight]]) * LEAK  # at rest in the middle
        drive = np.array([[0.0], [0.5 - 0.5 * weight]]) * LEAK
        arms = [(1e-3 + 0.5 * each, 1e-3 - 0.5 * each) for each in (drive, w)]
        plus, minus = zip(*arms, strict=True)
        return LeakyNetwork(plus, minus, (LEAK,) * 2, (1e-12,) * 2, V_REF, "sigmoid")

    given = Phase(np.zeros((1, 1)))
    for weight, several in ((0.95, False), (1.3, True)):
        net = flip_flop(weight)
        ends = [
            flat(NumbaSimulator().settle(net, given, [np.full((1, 1), v)] * 2).voltages)
            for v in (-1.0, 1.0)
        ]
        assert (np.abs(ends[0] - ends[1]).max() > 1e-3) == several
        assert (family_of(net).follow(net, given) > 0.0) == several


def test_a_start_that_does_not_fit_is_refused():
    net = network(4, 2.0)
    with pytest.raises(ConfigError, match="start has shapes"):
        NgspiceSimulator().settle(net, phase(4), [np.zeros((1, 6)), np.zeros((1, 3))])


TEXT = """
name = "strong"
[data]
name = "iris"
[network]
layers = [4, 6, 3]
[device]
preset = "HfO2-1T1R-demo"
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
"""


@pytest.fixture(scope="module")
def plain():
    return circuit_of(parse_experiment(TEXT, "strong.toml"))


def strong(circuit, factor, seed):
    """Return *circuit* with random couplings between its two layers, *factor* times the leak."""
    net = circuit.network
    w = factor * net.leak[1] * np.random.default_rng(seed).normal(0.0, 1.0, net.plus[1].shape)
    w[-1] = -0.4 * w[:-1].sum(axis=0)
    plus, minus = (net.plus[0], 1e-3 + 0.5 * w), (net.minus[0], 1e-3 - 0.5 * w)
    net = replace(net, plus=plus, minus=minus)

    def show(x, y):
        return leaky_phases(circuit.experiment, net, x, y)

    return replace(circuit, network=net, show=show)


@pytest.mark.parametrize("seed", [2, 3, 4, 7, 11])
def test_the_decks_of_the_verbs_lead_to_the_state_of_the_circuit(plain, seed):
    circuit = strong(plain, 3.0, seed)
    rows = [0, 20, 40]
    free, _ = circuit.phases(rows)
    ours = flat(NumbaSimulator().settle(circuit.network, free).voltages)
    lost = [
        np.abs(alone(circuit.network, circuit.phases([row])[0]) - ours[k]).max() > 0.1
        for k, row in enumerate(rows)
    ]
    assert any(lost)
    result = run_cosim(circuit, rows)
    assert result.passed, [(each.level, each.largest) for each in result.comparisons]


def test_the_hint_is_rough_and_there_only_where_it_is_needed(plain):
    deck = deck_of(strong(plain, 3.0, 2), 0)
    for bench in ("free", "nudged"):
        (hint,) = re.findall(r"(?m)^\.nodeset.*(?:\n\+.*)*", deck.flat(bench))
        values = re.findall(r"=(\S+)", hint)
        assert len(values) == 9
        assert all(len(value.strip("-0.").partition("e")[0]) <= 4 for value in values)
    assert "nodeset" not in deck.flat("step")
    assert "nodeset" not in deck_of(strong(plain, 0.05, 2), 0).flat("nudged")
