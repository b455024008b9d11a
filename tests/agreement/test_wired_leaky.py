"""The leaky network on tiles with wires: kernels against ngspice, segment by segment."""

import re

import numpy as np
import pytest

from leaky_circuits import TAU, V_REF, apart_at_rest, in_time, make_network, unequal_leaks
from ohmlearn.circuits.leaky.tiles import Tiling
from ohmlearn.circuits.simulator import Phase
from ohmlearn.crossbar.wires import Wires
from ohmlearn.errors import NetlistError
from ohmlearn.spice_netlists.networks import leaky_deck as decks
from ohmlearn.spice_netlists.networks.leaky_arrays import segments
from ohmlearn.spice_netlists.networks.leaky_deck import MEASURED_WITH_WIRES, leaky_deck, saved
from ohmlearn.spice_netlists.ngspice import run_batch
from ohmlearn.spice_netlists.parts import tiles
from ohmlearn.spice_netlists.simulator import NgspiceSimulator

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]


def network(wires, sizes=(20, 12, 4), tile=(8, 4), *, symmetric=True, paired=True):
    rng = np.random.default_rng(7)

    def arms(shape, _):
        return rng.uniform(5e-6, 1e-4, shape), rng.uniform(5e-6, 1e-4, shape)

    tiling = Tiling(wires, *tile, paired)
    return make_network(arms, sizes, unequal_leaks(sizes), symmetric=symmetric, tiling=tiling)


def phases(net, batch=1):
    rng = np.random.default_rng(8)
    x = V_REF * rng.random((batch, net.sizes[0]))
    y = V_REF * np.eye(net.sizes[-1])[:batch]
    free = Phase(x, target=y, duration=15 * TAU)
    return free, Phase(x, 0.5 * net.leak[-1], y, duration=10 * TAU)


@pytest.mark.parametrize(
    "wires", [Wires(1.0, 1.0), Wires(10.0, 7.0, 30.0, 20.0), Wires(0.0, 3.0, 5.0), Wires(2.0, 0.0)]
)
def test_steady_states_with_wires(wires):
    net = network(wires)
    for phase in phases(net):
        assert apart_at_rest(net, phase) < 1e-9


@pytest.mark.parametrize(
    ("sizes", "symmetric", "paired"),
    [((9, 7, 6, 4), True, True), ((9, 7, 6, 4), False, True), ((9, 7, 5), True, False),
     ((9, 7, 5), False, False), ((9, 5), True, True)],
)  # fmt: skip
def test_steady_states_of_other_arrays(sizes, symmetric, paired):
    net = network(Wires(10.0, 7.0, 30.0, 20.0), sizes, (4, 3), symmetric=symmetric, paired=paired)
    for phase in phases(net):
        assert apart_at_rest(net, phase) < 1e-9


def test_tiles_too_large_for_a_call_are_written_flat(monkeypatch):
    monkeypatch.setattr(tiles, "MOST_NODES", 20)
    net = network(Wires(2.0, 3.0))
    deck = leaky_deck(net, {"rest": phases(net)[0]})
    assert deck.files["weights.inc"].count(".subckt t") == 5 * 3 + 5 * 1  # the last rows
    assert apart_at_rest(net, phases(net)[1]) < 1e-9
    look_inside(deck, deck.map["tiles"][0], ("forward",))


def test_a_segment_in_the_netlist_is_one_of_the_kernels():
    """A resistance more by half, in one tile's bit lines, is seen."""
    net = network(Wires(2.0, 3.0))
    free, _ = phases(net)
    text = leaky_deck(net, {"rest": free}).flat("rest")
    changed = re.sub(r"(?m)^(rb_7_\d+ .* )3\.0$", r"\g<1>4.5", text)
    assert changed != text
    a, b = (run_batch(each)[0].columns(saved(net))[0] for each in (text, changed))
    assert np.abs(a - b).max() > 1e-6


@pytest.mark.parametrize(("tight", "within"), [(False, 1e-3), (True, 1e-4)])
def test_waveforms_and_energies_with_wires(tight, within):
    net = network(Wires(10.0, 7.0, 30.0, 20.0), (9, 7, 5), (4, 3))
    found = in_time(net, phases(net), MEASURED_WITH_WIRES, tight=tight)
    assert found.apart < within
    for name, (ours, measured) in found.energies.items():
        assert measured == pytest.approx(ours, rel=0.01, abs=1e-18), name
    energy = found.path.energy
    assert (energy["dissipated wires"] > 0.01 * energy["supplied inputs"]).all()


def test_too_many_wires_are_not_measured_and_nobody_claims_they_were(monkeypatch):
    net = network(Wires(2.0, 3.0), (9, 7, 5), (4, 3))
    free = phases(net)[0]
    energy = NgspiceSimulator().transient(net, [free], points=2).energy
    assert energy["dissipated wires"][0, 0] > 0
    monkeypatch.setattr(decks, "MOST_WIRES", len(list(segments(net))) - 1)
    energy = NgspiceSimulator().transient(net, [free], points=2).energy
    assert "dissipated wires" not in energy
    assert "supplied neurons" in energy


def test_the_map_names_the_nodes_of_every_tile():
    net = network(Wires(2.0, 3.0), (9, 7, 5), (4, 3))
    deck = leaky_deck(net, {"rest": phases(net)[0]})
    told = deck.map
    places = [(each["array"], each["word_lines"], each["columns"]) for each in told["tiles"]]
    covered = np.zeros((10, 7))
    for array, rows, columns in places:
        if array == 1:
            covered[slice(*rows), slice(*columns)] += 1
    assert (covered == 1).all()
    last = next(t for t in told["tiles"] if t["array"] == 2 and t["word_lines"][0] == 4)
    word, bit, word_back, bit_back = look_inside(deck, last, ("forward", "backward"))
    assert 0 < bit < word < V_REF  # read forward: word lines are driven, bit lines sensed
    assert 0 < word_back < bit_back < V_REF  # backward the other way round


def look_inside(deck, tile, ways):
    """Return the voltages at a cell of *tile* that its names in the map lead to."""
    names = [
        tile[way][line].format(i=2, j=4) for way in ways for line in ("word line", "bit line")
    ]
    text = deck.flat("rest").replace(".save ", f".save {' '.join(f'v({n})' for n in names)} ")
    plot = run_batch(text)[0]
    return [float(plot[f"v({n})"][0]) for n in names]


def test_other_dialects_and_wires_beyond_a_simulator():
    net = network(Wires(2.0, 3.0), (9, 7, 5), (4, 3))
    both = phases(net)
    for dialect in ("hspice", "ltspice", "spectre", "xyce"):
        deck = leaky_deck(net, {"step": both}, dialect=dialect)
        assert deck.files["weights.inc"].count(".subckt t1_") == 10 * 3
    with pytest.raises(NetlistError, match=r"wires\.r_word is 1e-09 ohm"):
        leaky_deck(network(Wires(1e-9, 3.0), (9, 7, 5), (4, 3)), {"free": both[0]})
