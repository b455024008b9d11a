"""Programming pulses on the lines of a tile."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.crossbar.writing.half_select import SCHEMES as HALF_SELECT
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.programming import program_cell
from ohmlearn.devices.registry import get_device
from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import (
    CellPulse,
    Lines,
    MemristorCells,
    programming_sources,
    programming_waveforms,
    tile,
)

SHAPE = (3, 4)
SET = CellPulse(10e-9, 1, 2, 1, 2.0, 100e-9, 1.4)
RESET = CellPulse(200e-9, 0, 3, -1, 1.5, 50e-9, 3.0)


def voltages(pulses, scheme, t, shape=SHAPE, edge=1e-9):
    """Return row, column and gate voltages at time *t*."""
    waves = programming_waveforms(pulses, shape, scheme, edge=edge)
    lines = []
    for kind, count in (("row", shape[0]), ("col", shape[1]), ("gate", shape[0])):
        waves_of = [waves.get((kind, k), ((0.0, 0.0),)) for k in range(count)]
        lines.append(np.array([np.interp(t, *np.array(w).T) for w in waves_of]))
    return lines


@pytest.mark.parametrize("pulse", [SET, RESET])
def test_with_transistors_only_the_selected_cell_sees_a_voltage(pulse: CellPulse):
    row, column, gate = voltages([SET, RESET], "1T1R", pulse.time + pulse.width / 2)
    across = row[:, None] - column[None, :]
    on = np.where(gate > 0.0)[0]
    assert on.tolist() == [pulse.row]
    assert gate[pulse.row] == pulse.v_gate
    seen = across[pulse.row]
    assert seen[pulse.column] == pulse.polarity * pulse.amplitude
    assert not np.delete(seen, pulse.column).any()
    assert min(row.min(), column.min()) >= 0.0


@pytest.mark.parametrize("scheme", HALF_SELECT)
@pytest.mark.parametrize("pulse", [SET, RESET])
def test_half_selection_is_that_of_the_crossbar(scheme: str, pulse: CellPulse):
    row, column, _ = voltages([pulse], scheme, pulse.time + pulse.width / 2)
    across = (row[:, None] - column[None, :]) / (pulse.polarity * pulse.amplitude)
    fractions = HALF_SELECT[scheme]
    expected = np.full(SHAPE, fractions.unselected)
    expected[pulse.row, :] = fractions.row
    expected[:, pulse.column] = fractions.column
    expected[pulse.row, pulse.column] = 1.0
    np.testing.assert_allclose(across, expected, atol=1e-15)


def test_a_pulse_is_its_width_long_at_half_its_height_and_inside_its_gate():
    t = np.linspace(0.0, 150e-9, 15001)
    waves = programming_waveforms([SET], SHAPE)
    v = np.interp(t, *np.array(waves["row", 1]).T)
    gate = np.interp(t, *np.array(waves["gate", 1]).T)
    inhibited = np.interp(t, *np.array(waves["col", 0]).T)
    assert np.sum(v >= 1.0) * (t[1] - t[0]) == pytest.approx(100e-9, abs=2e-11)
    assert v[t < 10e-9].max() == 0.0
    assert np.all(gate[v > 0.0] == SET.v_gate)
    assert np.array_equal(v, inhibited)
    assert ("col", 2) not in waves


def test_pulses_of_one_slot_share_a_row():
    both = [SET, SET._replace(column=0)]
    row, column, _ = voltages(both, "1T1R", 50e-9)
    assert (row[1] - column).tolist() == [2.0, 0.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("pulses", "sentence"),
    [
        ([SET._replace(time=1e-9)], "begins before"),
        ([SET, SET._replace(time=113e-9)], "begins before the one before it"),
        ([SET, SET._replace(row=0)], "are no slot"),
        ([SET, SET], "are no slot"),
        ([SET._replace(row=3)], r"cell \(3, 2\) of an array of 3 x 4"),
        ([SET._replace(column=-1)], r"cell \(1, -1\)"),
        ([SET._replace(polarity=0)], "polarity 0; allowed is 1 or -1"),
        ([SET._replace(amplitude=-1.0)], "an amplitude > 0"),
        ([SET._replace(amplitude=float("nan"))], "allowed are finite numbers"),
        ([SET._replace(width=1e-9)], "at least two edges"),
        ([SET._replace(v_gate=float("inf"))], "allowed are finite numbers"),
    ],
)
def test_pulses_that_cannot_be_are_refused(pulses, sentence):
    with pytest.raises(NetlistError, match=sentence):
        programming_waveforms(pulses, SHAPE)


def test_schemes_edges_and_gates_that_do_not_fit_are_refused():
    lines = Lines(["a", "b", "c"], ["d", "e", "f", "g"])
    with pytest.raises(NetlistError, match="programming scheme 'V/4'"):
        programming_waveforms([SET], SHAPE, "V/4")
    with pytest.raises(NetlistError, match=r"edge is 0\.0 s"):
        programming_waveforms([SET], SHAPE, edge=0.0)
    with pytest.raises(NetlistError, match="0 gate lines for 3 rows under scheme '1T1R'"):
        programming_sources([SET], lines)
    with pytest.raises(NetlistError, match="3 gate lines for 3 rows under scheme 'V/2'"):
        programming_sources([SET], lines._replace(gates=["h", "i", "j"]), "V/2")


def test_pulses_may_follow_each_other_at_once():
    later = SET._replace(time=SET.time + SET.width + 5e-9, column=0)
    waves = programming_waveforms([later, SET], SHAPE)
    for wave in waves.values():
        assert np.all(np.diff([t for t, _ in wave]) > 0.0)


@pytest.mark.spice
@pytest.mark.parametrize("scheme", ["1T1R", "V/2"])
def test_a_tile_is_programmed_cell_by_cell(scheme: str, ngspice: str):
    p = get_device("SoftBounds").params()._replace(dg_up=10e-6, dg_down=10e-6)
    x0 = np.array([[0.2, 0.5], [0.9, 0.6]])
    access = ACCESS if scheme == "1T1R" else None
    # The array needs more than the nominal 2 V, part of which the transistor takes.
    set_, reset = (4.0, 3.0) if access else (2.0, 2.0)
    pulses = [
        CellPulse(20e-9, 0, 0, 1, set_, 100e-9, 4.5), CellPulse(20e-9, 0, 1, 1, set_, 100e-9, 4.5),
        CellPulse(200e-9, 1, 1, -1, reset, 100e-9, 4.5),
    ]  # fmt: skip
    t = tile(MemristorCells(p, x0, access), label="t")
    lines = Lines(t.nodes.row, t.nodes.column, t.nodes.gate)
    deck = ["* programming", t.netlist, programming_sources(pulses, lines, scheme)]
    deck += [".options reltol=1e-6 trtol=1 chgtol=1e-18", ".tran 1n 400n 0 0.5n", ".end", ""]
    plot = run_batch("\n".join(deck))["tran"]
    after = np.array([[plot[f"v({n})"][-1] for n in row] for row in t.nodes.state])
    v_gate = 4.5 if access else 0.0
    ours = x0.copy()
    for i, j in ((0, 0), (0, 1)):
        ours[i, j] = program_cell(p, access, v_gate, set_, 100e-9, x0[i, j])
    ours[1, 1] = program_cell(p, access, v_gate, -reset, 100e-9, x0[1, 1])
    moved = np.abs(ours - x0)
    assert moved[0, 0] > 0.05
    assert moved[1, 1] > 0.05
    # Half an edge of 100 is above the threshold.
    assert np.abs(after - ours).max() < 0.02 * moved.max()
    assert after[1, 0] == pytest.approx(x0[1, 0], abs=1e-9)
