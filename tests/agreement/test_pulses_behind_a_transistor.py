"""What a narrow access transistor leaves of a pulse: told by the toolkit, found by ngspice."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.cosimulation import circuit
from ohmlearn.cosimulation.transistor import transistor_notes
from ohmlearn.crossbar import Crossbar
from ohmlearn.devices import Effects, get_device
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.reach import STATES, pulse_reach
from ohmlearn.experiment import Experiment, parse_experiment
from ohmlearn.spice_netlists.arrays import with_spice
from ohmlearn.training.datasets import load

TEXT = """
name = "behind"
[data]
name = "iris"
[network]
layers = [4, 3]
[device]
model = "VTEAM"
[access]
{width}
[learning]
rule = "cep"
beta = 0.5
eta = 0.02
free_steps = 10
nudged_steps = 3
[training]
epochs = 1
"""


def experiment(width: str = "") -> Experiment:
    return parse_experiment(TEXT.format(width=width), "test")


@pytest.mark.spice
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["VTEAM", "SoftBounds", "LinearIonDrift"])
def test_ngspice_moves_a_cell_by_the_part_that_is_told(name, sign, ngspice):
    device = get_device(name)
    p, states = device.params(), np.array(STATES)
    xbar = Crossbar.build(
        1, 3, device, p, Effects(), encoding="single", access=ACCESS, v_gate=3.3, seed=1
    )
    whole = Crossbar.build(1, 3, device, p, Effects(), encoding="single", seed=1)
    for each in (xbar, whole):
        each.bank.x[...] = states
    with_spice(xbar, ACCESS, 3.3).program(np.full((1, 3), sign))
    whole.program(np.full((1, 3), sign))
    part = (xbar.bank.x - states) / (whole.bank.x - states)
    told = pulse_reach(p, ACCESS, 3.3)
    # Pulses have edges in the netlist; the kernels' steps of a pulse response are not continuous.
    np.testing.assert_allclose(part, told.set if sign > 0 else told.reset, atol=0.04)
    assert told.least < 0.6


def entry(found: Experiment) -> dict:
    rows = circuit.build(found, load("iris")).effects
    return next(row for row in rows if row["name"] == "access_pulses")


def test_the_ledger_holds_what_is_left_out():
    told = pulse_reach(get_device("VTEAM").params(), ACCESS, 3.3)
    held = entry(experiment())
    assert held["on"] is False
    assert list(held["numbers"].values()) == [round(v, 3) for v in (*told.set, *told.reset)]
    assert next(iter(held["numbers"])) == "set_at_0.1"
    plain = parse_experiment(TEXT.replace("[access]\n", "").format(width=""), "test")
    assert entry(plain)["numbers"] == {}


def test_the_netlist_of_cells_says_so_where_it_matters():
    (note,) = transistor_notes(experiment(), cells=True)
    assert "SET pulse takes 81, 69, 24 % of its step at the states 0.1, 0.5, 0.9" in note
    assert "RESET pulse 58, 40, 5 %" in note
    assert transistor_notes(experiment("w = 1.0\nv_gate = 10.0"), cells=True) == ()
    assert transistor_notes(experiment(), cells=False) == ()
