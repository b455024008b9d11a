"""Every device model in ngspice against the kernels' own current and rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ohmlearn.devices import contract
from ohmlearn.devices.contract import change_after
from ohmlearn.devices.registry import devices, presets
from ohmlearn.spice_netlists.names import number
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts.devices import instance, subcircuit

FULL_SCALE = 1e-4
OPTIONS = ".options temp=27 reltol=1e-7 vntol=1e-9 abstol=1e-15 trtol=1 chgtol=1e-18"
CELLS = {n: d.params() for n, d in devices().items()} | {
    n: preset.params for n, (_, preset) in presets().items()
}
# Models whose motion does not run away: their pulses may be made long enough to hit both bounds.
TAME = (
    *("ConstantStep", "ExpStep", "LinearStep", "NeuroSim", "PhaseChange", "PiecewiseStep"),
    *("PowStep", "SoftBounds"),
)


def simulated(p: Any, pulses: Any, x0: float = 0.5) -> tuple[NDArray, ...]:
    """Return time, state and current of one cell in ngspice."""
    corners = " ".join(f"{number(t)} {number(v)}" for t, v in zip(pulses.t, pulses.v, strict=True))
    step, end = number(pulses.width / 50), number(pulses.t[-1])
    deck = [
        "* one cell under pulses",
        subcircuit(p, label="cell"),
        f"vp a 0 pwl({corners})",
        instance("1", ("a", "0", "x"), "cell", x0=x0),
        OPTIONS,
        ".save v(x) i(vp)",
        f".tran {step} {end} 0 {step}",
        ".end",
    ]
    plot = run_batch("\n".join(deck) + "\n", timeout=60)["tran"]
    return plot["time"], plot["v(x)"], -plot["i(vp)"]


@pytest.mark.spice
@pytest.mark.parametrize("name", CELLS)
def test_state_and_current_follow_nominal_pulses(name: str, ngspice, pulse_train, from_kernels):
    p, pulses = CELLS[name], pulse_train(CELLS[name])
    state, current, moved = from_kernels(p, pulses, 0.5, simulated(p, pulses))
    assert state < FULL_SCALE
    assert current < FULL_SCALE
    assert state < 0.02 * moved  # a cell that stood still would not pass


@pytest.mark.spice
@pytest.mark.parametrize("name", TAME)
def test_long_pulses_drive_the_state_to_its_bounds_and_back(
    name: str, ngspice: str, pulse_train, from_kernels
):
    p = CELLS[name]
    slow = min(contract.potentiation(p, 0.5), contract.depression(p, 0.5))
    pulses = pulse_train(p, 1, stretch=2.0 / slow)
    state, current, moved = from_kernels(p, pulses, 0.5, simulated(p, pulses))
    assert moved > 0.4
    assert state < FULL_SCALE
    assert current < FULL_SCALE


@pytest.mark.spice
@pytest.mark.parametrize("name", ["StanfordPKU", "HfO2-1T1R", "FilamentGap", "VTEAM", "PCM"])
def test_an_operating_point_shows_the_programmed_state_under_any_bias(name: str, ngspice: str):
    p = CELLS[name]
    deck = ["* three cells", subcircuit(p, label="cell")]
    states = (0.0, 0.3, 1.0)
    bias = 0.9 * p.v_set
    for k, x0 in enumerate(states):
        deck += [f"v{k} a{k} 0 {bias!r}", instance(str(k), (f"a{k}", "0", f"x{k}"), "cell", x0=x0)]
    plot = run_batch("\n".join([*deck, OPTIONS, ".op", ".end", ""]))[0]
    for k, x0 in enumerate(states):
        assert plot[f"v(x{k})"][0] == pytest.approx(x0, abs=1e-9)
        assert -plot[f"i(v{k})"][0] == pytest.approx(contract.current(p, bias, x0), rel=1e-8)


@pytest.mark.spice
def test_a_cell_of_its_own_gives_only_what_differs(ngspice: str):
    nominal = CELLS["SoftBounds"]
    own = nominal._replace(g_max=80e-6, dg_up=1e-6)
    call = instance("1", ("a", "0", "x"), "cell", own, x0=0.25, nominal=nominal)
    assert call == "x1 a 0 x cell x0=0.25 g_max=8e-05 dg_up=1e-06"
    deck = ["* own", subcircuit(nominal, label="cell"), "v1 a 0 0.2", call, ".op", ".end", ""]
    plot = run_batch("\n".join(deck))[0]
    assert -plot["i(v1)"][0] == pytest.approx(contract.current(own, 0.2, 0.25), rel=1e-9)


def test_a_step_taken_continuously_differs_from_a_whole_one_in_its_square():
    p = CELLS["SoftBounds"]
    whole = contract.potentiation(p, 0.5)
    gap = abs(change_after(p, p.v_set, p.t_set, 0.5) - whole)
    assert gap == pytest.approx(whole * whole / 2 / 0.5, rel=0.01)
    assert gap < 7e-6


def test_a_nominal_reset_of_a_one_sided_cell_leaves_a_part_of_e():
    p = CELLS["PCM"]
    assert change_after(p, p.v_reset, p.t_reset, 0.8) == pytest.approx(0.8 * (np.exp(-1) - 1))
    assert 0.8 + change_after(p, p.v_reset, 10 * p.t_reset, 0.8) < 1e-4


@pytest.mark.spice
@pytest.mark.parametrize("exponent", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("x0", [0.0, 1.0])
def test_a_cell_may_start_on_a_bound_whatever_the_exponent(
    exponent: float, x0: float, ngspice, pulse_train, from_kernels
):
    p = CELLS["PowStep"]._replace(gamma_up=exponent, gamma_down=exponent)
    pulses = pulse_train(p, 3, stretch=100.0)
    state, current, moved = from_kernels(p, pulses, x0, simulated(p, pulses, x0))
    assert moved > 0.2
    assert state < FULL_SCALE
    assert current < FULL_SCALE
