"""The heat of thousands of segments of wires, by ``.meas`` and by the kernels."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.circuits.leaky.network import LeakyNetwork
from ohmlearn.circuits.leaky.tiles import Tiling
from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.simulator import Phase
from ohmlearn.crossbar.wires import Wires
from ohmlearn.spice_netlists.networks.leaky_arrays import segments
from ohmlearn.spice_netlists.simulator import NgspiceSimulator

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

V_REF, TAU, LEAK = 0.2, 1e-8, 1e-4


def network() -> LeakyNetwork:
    rng = np.random.default_rng(5)
    shapes = [(33, 14), (15, 6)]
    plus, minus = (tuple(rng.uniform(5e-6, 1e-4, s) for s in shapes) for _ in range(2))
    tiling = Tiling(Wires(2.0, 3.0, 10.0, 20.0), 17, 7)
    return LeakyNetwork(
        plus, minus, (LEAK,) * 2, (TAU * LEAK,) * 2, V_REF, "sigmoid", tiling=tiling
    )


def test_it_is_measured_as_the_kernels_find_it():
    net = network()
    assert len(list(segments(net))) > 2000
    x = V_REF * np.random.default_rng(6).random((1, 32))
    free = Phase(x, target=V_REF * np.eye(6)[:1], duration=6 * TAU)
    ours = NumbaSimulator().transient(net, [free], points=2).energy
    theirs = NgspiceSimulator().transient(net, [free], points=2).energy
    for name in ("dissipated wires", "supplied inputs", "supplied neurons", "supplied bias"):
        assert theirs[name][0, 0] == pytest.approx(ours[name][0, 0], rel=0.01), name
    assert theirs["dissipated wires"][0, 0] > 0.01 * theirs["supplied inputs"][0, 0]
