"""Arrays programmed by ngspice against arrays programmed by the kernels."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.crossbar import Crossbar
from ohmlearn.devices import Effects, get_device, merge
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.cell.dispatch import read_conductance
from ohmlearn.devices.dispatch import cell
from ohmlearn.errors import ConfigError
from ohmlearn.jit import kernel
from ohmlearn.spice_netlists.arrays import SpiceCrossbar, programming_deck, with_spice
from ohmlearn.spice_netlists.ngspice import run_batch

WIDE = ACCESS._replace(w=20e-6)  # hardly any of a pulse is lost in it
SOFT = get_device("SoftBounds")


def build(encoding="single", effects=None, access=None, shape=(4, 5)) -> Crossbar:
    xbar = Crossbar.build(
        *shape, SOFT, SOFT.params(), merge(Effects(), effects or {}), encoding=encoding,
        seed=3, access=access, v_gate=5.0,
    )  # fmt: skip
    xbar.set_weights(np.random.default_rng(0).uniform(-0.4, 0.4, shape))
    xbar.meter()
    return xbar


def counts(shape=(4, 5)):
    asked = np.random.default_rng(1).integers(-2, 3, shape)
    asked[2] = 0
    return asked


@pytest.mark.spice
@pytest.mark.parametrize("encoding", ["single", "pair"])
@pytest.mark.parametrize("transistor", [None, WIDE])
def test_pulses_in_ngspice_move_the_cells_as_those_of_the_kernels(encoding, transistor, ngspice):
    spread = {"device_to_device": {"step": 0.2, "g_max": 0.1}}
    ours, theirs = (build(encoding, spread, transistor) for _ in range(2))
    spice = with_spice(theirs, transistor, 5.0)
    before = ours.bank.x.copy()
    assert spice.program(counts()) == ours.program(counts()) > 0
    moved = ours.bank.x - before
    # Pulses have edges here, on which they are below the threshold for part of the time.
    np.testing.assert_allclose(spice.bank.x - before, moved, rtol=0.03, atol=1e-5)
    assert np.abs(spice.bank.x - before)[moved == 0].max() < 1e-5
    np.testing.assert_array_equal(spice.bank.meter.pulses, ours.bank.meter.pulses)
    np.testing.assert_allclose(spice.bank.meter.energy, ours.bank.meter.energy, rtol=0.02)


@pytest.mark.spice
@pytest.mark.parametrize("shape", [(1, 1), (2, 2)])
def test_the_energy_of_programming_is_what_the_netlist_measures(shape, ngspice):
    """All that the lines supply goes into the memristors and the transistors in series."""
    asked = np.array([[2, -1], [0, 1]])[: shape[0], : shape[1]]
    ours, theirs = (build(access=WIDE, shape=shape) for _ in range(2))
    ours.program(asked)
    taken = ours.written(np.zeros(2))
    expected = taken["set_energy"] + taken["reset_energy"] + taken["transistor_energy"]
    deck, _ = programming_deck(with_spice(theirs, WIDE, 5.0), asked[..., np.newaxis])
    lines = [f"row_{i}" for i in range(shape[0])] + [f"col_{j}" for j in range(shape[1])]
    meters = [f"bw{n} w{n} 0 v=-v({n})*i(vp_{n})" for n in lines]
    end = next(line for line in deck.splitlines() if line.startswith(".tran")).split()[2]
    measured = [f".meas tran e_{n} integ v(w{n}) from=0 to={end}" for n in lines]
    text = "\n".join(
        line for line in deck.splitlines() if not line.startswith((".save", ".end\n"))
    )
    text = text.removesuffix(".end").rstrip() + "\n" + "\n".join([*meters, *measured, ".end", ""])
    found = run_batch(text).measures
    assert sum(found.values()) == pytest.approx(expected, rel=0.01)
    assert len(found) == len(lines)


@pytest.mark.spice
def test_what_is_shown_is_the_conductance_of_the_state(ngspice):
    spice = with_spice(build(access=WIDE), WIDE, 5.0)
    spice.program(counts())

    @kernel
    def shown(bank, out):
        for c in range(out.size):
            p = cell(bank.like, bank.table, c)
            out[c] = read_conductance(p, bank.channel, bank.v_read, bank.x[c])

    expected = np.empty(spice.cells)
    shown(spice.bank, expected)
    np.testing.assert_allclose(spice.bank.g, expected, rtol=1e-12)


@pytest.mark.spice
def test_a_narrow_transistor_takes_the_pulse_away(ngspice):
    """The kernels keep the nominal step; in the circuit the memristor sees what is left."""
    narrow = ACCESS._replace(w=0.1e-6)
    spice = with_spice(build(access=narrow), narrow, 1.2)
    before = spice.bank.x.copy()
    spice.program(np.ones((4, 5), np.int64))
    assert np.abs(spice.bank.x - before).max() < 1e-6


@pytest.mark.spice
def test_stuck_cells_stay(ngspice):
    spice = with_spice(build())
    spice.bank.stuck[:] = 1
    before = spice.bank.x.copy()
    assert spice.program(counts()) > 0
    np.testing.assert_array_equal(spice.bank.x, before)


def test_no_pulses_need_no_simulator(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert with_spice(build()).program(np.zeros((4, 5), np.int64)) == 0


@pytest.mark.parametrize(
    "effects",
    [{"cycle_to_cycle": 0.3}, {"write_noise": 0.1}, {"levels": 16},
     {"endurance": {"pulses": 1e6}}, {"retention": "ReRamCMO"}],
)  # fmt: skip
def test_noise_that_ngspice_does_not_know_is_refused(effects):
    with pytest.raises(ConfigError, match=f"{next(iter(effects))}.* = false"):
        with_spice(build(effects=effects))


def test_wrong_counts_are_refused():
    spice = with_spice(build())
    assert isinstance(spice, SpiceCrossbar)
    with pytest.raises(ConfigError, match="shape"):
        spice.program(np.ones((2, 2), np.int64))
