"""Block coordinate descent: the golden network, its laws, and agreement with Newton's method."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.descent import descend, sweeps
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.resistive.packed import make_rails, node_totals, pack, source_currents
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError, SimulationError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "drn_4_4_2.json").read_text())


def bounds(values, default):
    return np.array([default if v is None else v for v in values], float)


@pytest.fixture(scope="module")
def network():
    given = GOLDEN["inputs"]
    return ResistiveNetwork.build(
        [np.array(given["G1"]), np.array(given["G2"])],
        bias=[np.array(given["b_h"]), np.array(given["b_o"])],
        low=[bounds(given["hidden_lower"], -np.inf), None],
        high=[bounds(given["hidden_upper"], np.inf), None],
    )


X = np.array([GOLDEN["inputs"]["v_in"]])
TARGET = np.array([GOLDEN["inputs"]["target"]], float)


def random_network(rng, sizes, gain):
    low = [np.where(np.arange(n) % 2, -0.2, -np.inf) for n in sizes[1:-1]] + [None]
    high = [np.where(np.arange(n) % 3, 0.1, np.inf) for n in sizes[1:-1]] + [None]
    return ResistiveNetwork.build(
        [rng.uniform(0, 1, shape) for shape in pairwise(sizes)],
        bias=[rng.normal(0, 0.1, n) for n in sizes[1:]],
        low=low,
        high=high,
        gain=gain,
    )


def test_the_golden_free_state(network):
    found = descend(network, Phase(X))
    assert found.converged.all()
    np.testing.assert_allclose(found.voltages[0][0], GOLDEN["free_state"]["h"], atol=1e-9)
    np.testing.assert_allclose(found.voltages[1][0], GOLDEN["free_state"]["o"], atol=1e-9)


@pytest.mark.parametrize("key", list(GOLDEN["nudged_states"]))
def test_the_golden_nudged_states(network, key):
    found = descend(network, Phase(X, float(key.removeprefix("beta=")), TARGET))
    expected = GOLDEN["nudged_states"][key]
    np.testing.assert_allclose(found.voltages[0][0], expected["h"], atol=1e-9)
    np.testing.assert_allclose(found.voltages[1][0], expected["o"], atol=1e-9)


def test_every_sweep_is_as_good_as_published(network):
    errors = GOLDEN["sweep_max_abs_error"]["hidden_then_output"]
    for count, expected in enumerate(errors, 1):
        found = descend(network, Phase(X), count=count, tolerance=0.0)
        got = max(
            np.abs(found.voltages[layer][0] - GOLDEN["free_state"][name]).max()
            for layer, name in enumerate("ho")
        )
        assert got == pytest.approx(expected, rel=0.01)
        assert found.iterations == count


def test_few_sweeps_are_not_called_converged(network):
    found = descend(network, Phase(X), count=2)
    assert not found.converged.any()
    assert "sweeps" in found.message


def test_a_warm_start_stays(network):
    first = descend(network, Phase(X))
    again = descend(network, Phase(X), first.voltages)
    assert again.iterations <= 2


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_it_agrees_with_newton(gain):
    rng = np.random.default_rng(3)
    network = random_network(rng, (7, 6, 5, 4, 3), gain)
    u, target = rng.normal(size=(9, 7)), rng.normal(size=(9, 3))
    for phase in (Phase(u), Phase(u, 0.3, target), Phase(u, current=0.2 * target)):
        ours, other = descend(network, phase), NumbaSimulator().settle(network, phase)
        assert ours.converged.all()
        for a, b in zip(ours.voltages, other.voltages, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-9)


def test_nodes_at_a_bound_carry_off_their_current():
    rng = np.random.default_rng(4)
    network = random_network(rng, (5, 8, 2), 1.0)
    found = descend(network, Phase(rng.normal(size=(4, 5))))
    held = (found.voltages[0] == network.high[0]) | (found.voltages[0] == network.low[0])
    assert held.any()
    assert found.residual < 1e-10


def test_a_sample_does_not_depend_on_its_batch():
    rng = np.random.default_rng(5)
    network = random_network(rng, (6, 7, 3), 1.0)
    u = rng.normal(size=(5, 6))
    together = descend(network, Phase(u), count=30, tolerance=0.0)
    alone = descend(network, Phase(u[2:3]), count=30, tolerance=0.0)
    for a, b in zip(together.voltages, alone.voltages, strict=True):
        np.testing.assert_allclose(a[2], b[0], atol=1e-14)


def test_single_precision_gives_the_same_to_its_digits(network):
    layout, theta = pack(network, np.float32)
    rails = make_rails(network, np.float32)
    total, state = np.empty(layout.units, np.float32), np.zeros(layout.units, np.float32)
    drive, none = np.empty((1, 4), np.float32), np.empty((0, 2), np.float32)
    node_totals(layout, rails, theta, total)
    source_currents(layout, theta, X.astype(np.float32), drive)
    sweeps(20, 0.0, layout, rails, theta, total, drive, 0.0, none, none, state)
    expected = [*GOLDEN["free_state"]["h"], *GOLDEN["free_state"]["o"]]
    np.testing.assert_allclose(state, expected, atol=3e-7)


def test_real_diodes_are_refused():
    network = ResistiveNetwork.build([np.ones((1, 1))], diode=Diode(DIODES["shockley"]))
    with pytest.raises(ConfigError, match=r"not ideal; use Newton"):
        descend(network, Phase(np.ones((1, 1))))


def test_a_nudge_that_leaves_no_conductance_is_refused(network):
    with pytest.raises(SimulationError, match=r"conductance of 1\.154 .* nudged with -1\.2"):
        descend(network, Phase(X, -1.2, TARGET))
