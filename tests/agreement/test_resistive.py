"""Resistive networks: ngspice and the kernels find the same voltages, waveforms and energies."""

from itertools import pairwise

import numpy as np
import pytest

from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError, NetlistError
from ohmlearn.spice_netlists.networks.resistive import is_flat
from ohmlearn.spice_netlists.networks.resistive_deck import resistive_deck, saved
from ohmlearn.spice_netlists.networks.resistive_family import FAMILY
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.simulator import NgspiceSimulator

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]

KINDS = {
    "shockley": Diode(DIODES["shockley"]),
    "warm": Diode(DIODES["shockley"], i_s=3e-13, n=1.3, v_t=0.0285, gmin=1e-11),
    "piecewise": Diode(DIODES["piecewise"], v_on=0.1, r_on=1.0, r_off=1e9),
    "ideal": Diode(DIODES["ideal"]),
}


def network(sizes, kind="shockley", gain=1.0, seed=0) -> ResistiveNetwork:
    """Return a network whose hidden nodes clamp; some conductances are zero."""
    rng = np.random.default_rng(seed)
    g = [rng.uniform(1e-6, 1e-4, (a, b)) for a, b in pairwise(sizes)]
    for each in g:
        each[rng.random(each.shape) < 0.1] = 0.0
        each[0] += 1e-6
    hidden = len(g) - 1
    return ResistiveNetwork.build(
        g,
        low=[*([-0.1] * hidden), None],
        high=[*([np.where(rng.random(n) < 0.5, 0.1, 0.2) for n in sizes[1:-1]]), None],
        bias=[rng.uniform(-1e-6, 1e-6, n) for n in sizes[1:]],
        diode=KINDS[kind],
        gain=gain,
    )


def phases(network, batch=3, seed=1, duration=0.0):
    """Return a free phase, one nudged each way, one nudged by currents."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-0.4, 1.2, (batch, network.sizes[0]))
    y = rng.uniform(0, 1, (batch, network.sizes[-1]))
    return {
        "free": Phase(x, duration=duration),
        "nudged": Phase(x, 2e-5, y, duration=duration),
        "away": Phase(x, -1e-6, y, duration=duration),
        "current": Phase(x, current=1e-6 * y, duration=duration),
    }


def together(voltages):
    return np.concatenate(voltages, axis=-1)


@pytest.fixture
def shared(libngspice):
    return NgspiceSimulator("shared")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("sizes", "gain"), [((4, 4, 2), 1.0), ((16, 12, 4), 4.0), ((10, 8, 6, 3), 2.0), ((6, 3), 1.0)]
)
def test_steady_states_within_a_nanovolt(kind, sizes, gain):
    circuit = network(sizes, kind, gain)
    for name, phase in phases(circuit).items():
        wanted = NumbaSimulator().settle(circuit, phase)
        found = NgspiceSimulator().settle(circuit, phase)
        assert wanted.converged.all()
        assert found.converged.all(), found.message
        assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-9, name
        assert [v.shape for v in found.voltages] == [v.shape for v in wanted.voltages]


@pytest.mark.parametrize("kind", ["shockley", "piecewise"])
def test_in_process_within_a_nanovolt(shared, kind):
    circuit = network((16, 12, 4), kind, 4.0)
    for phase in phases(circuit, batch=10).values():
        wanted = NumbaSimulator().settle(circuit, phase)
        found = shared.settle(circuit, phase)
        assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-9


@pytest.mark.parametrize("kind", ["shockley", "piecewise"])
@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_128_by_128_within_a_nanovolt(kind, gain):
    circuit = network((128, 128, 10), kind, gain)
    every = phases(circuit, batch=1)
    for phase in (every["free"], every["nudged"]):
        wanted = NumbaSimulator().settle(circuit, phase)
        found = NgspiceSimulator().settle(circuit, phase)
        assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [784, 1568])
def test_as_many_inputs_as_an_image_has_pixels(inputs):
    circuit = network((inputs, 100, 10), "shockley", 4.0)
    phase = phases(circuit, batch=1)["nudged"]
    wanted = NumbaSimulator().settle(circuit, phase)
    found = NgspiceSimulator().settle(circuit, phase)
    assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-9


def test_a_circuit_with_too_many_terminals_for_a_subcircuit():
    circuit = network((1000, 3, 2), "piecewise", 4.0)
    assert is_flat(circuit)
    assert not is_flat(network((700, 3, 2)))
    phase = phases(circuit, batch=1)["nudged"]
    found = NgspiceSimulator().settle(circuit, phase)
    wanted = NumbaSimulator().settle(circuit, phase)
    assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-9


@pytest.mark.parametrize(("tight", "allowed"), [(False, 1e-3), (True, 1e-4)])
@pytest.mark.parametrize(
    ("kind", "sizes", "gain"),
    [("shockley", (8, 6, 3), 4.0), ("piecewise", (8, 6, 3), 1.0), ("ideal", (8, 6, 3), 4.0)],
)
def test_waveforms_and_what_the_netlist_measures(kind, sizes, gain, tight, allowed):
    circuit = network(sizes, kind, gain)
    every = [*phases(circuit, batch=2, duration=2e-8).values()]
    every[1] = Phase(every[0].inputs[:, ::-1], 2e-5, every[1].target, duration=1e-8)
    wanted = NumbaSimulator().transient(circuit, every, points=40)
    found = NgspiceSimulator(tight=tight).transient(circuit, every, points=40)
    np.testing.assert_allclose(found.t, wanted.t)
    difference = np.abs(together(found.voltages) - together(wanted.voltages))
    assert difference.max() < allowed
    assert found.settled == pytest.approx(wanted.settled, abs=2e-9 if not tight else 2e-10)
    assert found.energy.keys() <= wanted.energy.keys()
    scale = np.abs(wanted.energy["supplied inputs"])
    for name, joules in found.energy.items():
        off = np.abs(joules - wanted.energy[name])
        assert (off <= 0.01 * np.abs(wanted.energy[name]) + 1e-4 * scale).all(), name


def test_a_transient_from_a_state():
    circuit = network((8, 6, 3), "shockley", 4.0)
    phase = phases(circuit, batch=2, duration=1e-8)["free"]
    start = [np.full((2, 6), 0.05), np.array([[0.1, 0.2, 0.3], [0.0, -0.1, 0.2]])]
    wanted = NumbaSimulator().transient(circuit, [phase], start, points=20)
    found = NgspiceSimulator(tight=True).transient(circuit, [phase], start, points=20)
    assert np.abs(together(found.voltages) - together(wanted.voltages)).max() < 1e-4


def test_the_netlist_measures_when_its_outputs_have_settled():
    circuit = network((8, 6, 3), "shockley", 4.0)
    phase = phases(circuit, batch=1, duration=3e-8)["free"]
    waves = NumbaSimulator().transient(circuit, [phase], points=3000)
    output = waves.voltages[-1][:, 0]
    deck = resistive_deck(circuit, {"step": [phase]}, finals=output[-1:], tight=True)
    measured = run_batch(deck.flat()).measures["ns_settle_1"] * 1e-9
    off = np.abs(output - output[-1]).max(axis=1) > 1e-4
    assert measured == pytest.approx(waves.t[np.flatnonzero(off)[-1]], abs=2e-10)


def test_files_of_a_deck_run_by_themselves(tmp_path):
    circuit = network((4, 3, 2))
    every = phases(circuit, duration=1e-8)
    deck = resistive_deck(
        circuit, {"free": every["free"], "step": [every["free"], every["nudged"]]}, sample=2
    )
    deck.write(tmp_path)
    found = run_batch(tmp_path / "tb_free.sp")["op"].columns(saved(circuit))[0]
    wanted = NumbaSimulator().settle(circuit, every["free"])
    assert np.abs(found - together(wanted.voltages)[2]).max() < 1e-9
    assert run_batch(tmp_path / "tb_step.sp").measures.keys() >= {"e_inputs_1", "e_nudge_2"}


def test_the_map_leads_from_a_conductance_to_its_resistor():
    circuit = network((4, 3, 2), gain=4.0)
    told = resistive_deck(circuit, {"free": phases(circuit)["free"]}).map
    array = told["conductances"][1]
    assert (array["rows"], array["columns"]) == (3, 2)
    assert array["row_nodes"] == ["a1_0", "a1_1", "a1_2"]
    assert told["nodes"][1:] == [["h1_0", "h1_1", "h1_2"], ["out_0", "out_1"]]
    i, j = (int(k[0]) for k in np.nonzero(circuit.g[1]))
    element = array["element"].replace("{i//256}", "0").replace("{j//256}", "0")
    path = element.replace("{i}", str(i)).replace("{j}", str(j))
    deck = resistive_deck(circuit, {"free": phases(circuit)["free"]})
    name, resistor = path.rsplit(".", 1)
    assert name == "xnet.xg2_0_0"
    line = f"{resistor} i{i} j{j} {1 / circuit.g[1][i, j]!r}"
    assert line.replace("np.float64(", "").replace(")", "") in deck.files["weights.inc"]


def test_the_balance_notices_a_wrong_answer():
    circuit = network((4, 3, 2))
    phase = phases(circuit)["free"]
    right = together(NumbaSimulator().settle(circuit, phase).voltages)
    wrong = right.copy()
    wrong[1, 0] += 1e-6
    _, distance = FAMILY.imbalance(circuit, phase, wrong)
    assert distance[0].max() < 1e-9 < distance[1].max()


def test_what_does_not_fit_is_refused():
    circuit = network((4, 3, 2))
    phase = phases(circuit)["free"]
    with pytest.raises(ConfigError, match="5 columns"):
        NgspiceSimulator().settle(circuit, Phase(np.zeros((1, 5))))
    with pytest.raises(ConfigError, match="no sample 7"):
        resistive_deck(circuit, {"free": phase}, sample=7)
    with pytest.raises(NetlistError, match="durations above 0"):
        NgspiceSimulator().transient(circuit, [phase])
    with pytest.raises(ConfigError, match="no netlist of a dict"):
        NgspiceSimulator().settle({}, phase)
    with pytest.raises(ConfigError, match="did you mean 'batch'"):
        NgspiceSimulator("bath")
