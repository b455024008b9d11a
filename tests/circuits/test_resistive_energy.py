"""Co-content and power of resistive networks: variational and conservation laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ohmlearn.circuits.resistive.energy import co_content, local_products, node_currents, power
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.newton import settle
from ohmlearn.circuits.simulator import Phase

KINDS = {
    "ideal": Diode(),
    "shockley": Diode(DIODES["shockley"], 2.52e-9, 1.752),
    "piecewise": Diode(DIODES["piecewise"], v_on=0.05, r_on=100.0, r_off=1e9),
}
GAINS = [(1.0, None), (4.0, 0.25), (2.0, 2.0), ((3.0, 2.0), (0.5, 4.0))]


def problem(kind, gain, back, batch=4):
    rng = np.random.default_rng(7)
    sizes = (6, 5, 4, 3)
    g = [rng.uniform(1e-6, 3e-5, pair) for pair in pairwise(sizes)]
    net = ResistiveNetwork.build(
        g,
        low=[-0.2, -0.3, None],
        high=[0.1, 0.3, 0.4],
        bias=[rng.normal(0.0, 1e-6, n) for n in sizes[1:]],
        diode=KINDS[kind],
        gain=gain,
        back_gain=back,
    )
    phase = Phase(
        rng.uniform(-1, 1, (batch, 6)),
        2e-6,
        rng.uniform(-0.5, 0.5, (batch, 3)),
        rng.normal(0.0, 1e-6, (batch, 3)),
    )
    return net, phase, rng


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("gain", "back"), GAINS)
def test_tellegen_supplied_equals_dissipated(kind, gain, back):
    net, phase, _ = problem(kind, gain, back)
    found = power(net, phase, settle(net, phase).voltages)
    supplied = sum(p for name, p in found.items() if name.startswith("supplied"))
    dissipated = sum(p for name, p in found.items() if name.startswith("dissipated"))
    np.testing.assert_allclose(supplied, dissipated, rtol=1e-12)
    assert len(found) == 7 + net.depth
    if np.allclose(net.gain, net.back_gain):
        np.testing.assert_array_equal(found["supplied amplifiers"], 0.0)
    else:
        assert (np.abs(found["supplied amplifiers"]) > 1e-9).all()


def test_power_of_one_node_by_hand():
    net = ResistiveNetwork.build([np.array([[3e-6], [1e-6]])], bias=[1e-6], low=[None], high=[0.5])
    phase = Phase(np.array([[2.0, -1.0]]), 1e-6, np.array([[1.5]]), np.array([[2e-6]]))
    found = power(net, phase, settle(net, phase).voltages)
    # the node is held at 0.5 V, and the diode carries the rest
    into = 3e-6 * 1.5 + 1e-6 * -1.5 + 1e-6 + 1e-6 * 1.0 + 2e-6
    expected = {
        "supplied inputs": 2.0 * 4.5e-6 + -1.0 * -1.5e-6,
        "supplied rails": -0.5 * into,
        "supplied bias": 0.5e-6,
        "supplied nudge": 1.5 * 1e-6 + 0.5 * 2e-6,
        "supplied amplifiers": 0.0,
        "dissipated diodes": 0.0,
        "dissipated nudge": 1e-6,
        "dissipated conductances 1": 3e-6 * 1.5**2 + 1e-6 * 1.5**2,
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, rel=1e-12, abs=1e-20)


@pytest.mark.parametrize("kind", ["shockley", "piecewise"])
@pytest.mark.parametrize(("gain", "back"), GAINS)
def test_currents_are_minus_the_weighted_gradient_of_the_co_content(kind, gain, back):
    net, phase, rng = problem(kind, gain, back)
    v = [rng.uniform(-0.4, 0.5, (4, n)) for n in net.sizes[1:]]
    into, step = node_currents(net, phase, v), 1e-6
    for layer, factor in enumerate(net.factors()):
        for j in range(net.sizes[layer + 1]):
            ends = []
            for sign in (-1, 1):
                moved = [each.copy() for each in v]
                moved[layer][:, j] += sign * step
                ends.append(co_content(net, phase, moved))
            slope = (ends[1] - ends[0]) / (2 * step)
            scale = np.abs(into[layer]).max() * factor
            np.testing.assert_allclose(slope, -factor * into[layer][:, j], atol=2e-6 * scale)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("gain", "back"), GAINS)
def test_the_steady_state_has_the_least_co_content(kind, gain, back):
    net, phase, rng = problem(kind, gain, back)
    found = settle(net, phase).voltages
    least = co_content(net, phase, found)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(20):
            moved = [v + rng.normal(0.0, size, v.shape) for v in found]
            if kind == "ideal":
                rails = zip(moved, net.low, net.high, strict=True)
                moved = [np.clip(v, low, high) for v, low, high in rails]
            assert (co_content(net, phase, moved) > least).all()


@pytest.mark.parametrize(("gain", "back"), GAINS)
def test_local_products_are_the_derivatives_of_the_co_content(gain, back):
    net, phase, rng = problem("shockley", gain, back)
    v = [rng.uniform(-0.4, 0.5, (4, n)) for n in net.sizes[1:]]
    products = local_products(net, phase.inputs, v)
    base = co_content(net, phase, v).mean()
    for layer, g in enumerate(net.g):
        for at in ((0, 0), (2, 1), (g.shape[0] - 1, g.shape[1] - 1)):
            changed = g.copy()
            changed[at] += 1e-6
            layers = [*net.g[:layer], changed, *net.g[layer + 1 :]]
            other = ResistiveNetwork(
                tuple(layers), net.bias, net.low, net.high, net.diode, net.gain, net.back_gain,
                net.capacitance,
            )  # fmt: skip
            slope = (co_content(other, phase, v).mean() - base) / 1e-6
            assert products[layer][at] == pytest.approx(slope, rel=1e-6)
