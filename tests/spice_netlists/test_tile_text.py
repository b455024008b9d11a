"""Tiles and cells as text: parts, names, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from ohmlearn.crossbar.wires import Wires
from ohmlearn.devices.cell.access import ACCESS
from ohmlearn.devices.registry import devices
from ohmlearn.errors import DeviceError, NetlistError
from ohmlearn.spice_netlists.parts import (
    FrozenCells,
    MemristorCells,
    instance,
    label_of,
    subcircuit,
    tile,
)

SOFT = devices()["SoftBounds"].params()
G = np.full((3, 2), 20e-6)


def test_weights_stand_in_their_own_part_with_all_digits():
    g = np.array([[1.0 / 3.0, 2.0 / 3.0]]) * 1e-4
    t = tile(FrozenCells(g), Wires(2.0, 2.0))
    for value in g.ravel().tolist():
        assert repr(1.0 / value) in t.weights
        assert repr(1.0 / value) not in t.text + t.call + t.devices
    assert t.netlist == t.devices + t.weights + t.text + t.call


def test_the_same_tile_is_the_same_text():
    cells = MemristorCells(SOFT, np.full((3, 2), 0.5), ACCESS)
    assert tile(cells, Wires(1.0)).netlist == tile(cells, Wires(1.0)).netlist


def test_an_open_cell_leaves_its_place():
    g = G.copy()
    g[1, 1] = 0.0
    t = tile(FrozenCells(g))
    assert t.weights.count("rc_") == 5
    assert "c_1 is open" in t.weights


def test_no_call_has_more_nodes_than_ngspice_takes():
    for shape in ((895, 3), (3, 895), (300, 300), (400, 200)):
        t = tile(FrozenCells(np.full(shape, 1e-5)))
        longest = 0
        for line in t.netlist.replace("\n+ ", " ").splitlines():
            if line.startswith((".subckt", "x")):
                longest = max(longest, len(line.split()))
        assert longest < 1000
        assert t.flat == (shape == (895, 3) or shape == (3, 895) or shape == (400, 200))


def test_terminals_are_those_given():
    t = tile(FrozenCells(G), rows=["In 1", "in_2", "in_3"], columns=["0", "out"], label="L1")
    assert t.nodes.row == ("in_1", "in_2", "in_3")
    assert t.nodes.column == ("0", "out")
    assert t.call.split() == ["xl1", "in_1", "in_2", "in_3", "0", "out", "l1"]


@pytest.mark.parametrize(
    ("cells", "options", "sentence"),
    [
        (
            FrozenCells(-G),
            {},
            r"hold -2e-05 at cell \(0, 0\); allowed is 0 to 1e\+06",
        ),
        (FrozenCells(G * np.nan), {}, "conductances hold nan"),
        (FrozenCells(G * 1e-20), {}, r"allowed is 0 \(open\), or 1e-18 to 1e\+06 S"),
        (FrozenCells(G[0]), {}, r"conductances of shape \(2,\)"),
        (FrozenCells(G), {"wires": Wires(1e-9)}, "wires.r_word is 1e-09 ohm; allowed is 0"),
        (FrozenCells(G), {"rows": ["a"]}, "1 nodes for 3 terminals of kind 'row'"),
        (FrozenCells(G), {"dialect": "spice"}, "unknown netlist dialect 'spice'"),
        (MemristorCells(SOFT, G + 1.0), {}, "states hold 1.00002 at cell"),
        (MemristorCells(SOFT, G, table=G), {}, "parameters of shape"),
    ],
)
def test_what_is_no_tile_is_refused(cells, options, sentence):
    with pytest.raises(NetlistError, match=sentence):
        tile(cells, **options)


def test_what_is_no_device_is_refused():
    with pytest.raises(DeviceError, match="g_max"):
        subcircuit(SOFT._replace(g_max=1e-6))
    with pytest.raises(NetlistError, match=r"the state x0 is 1\.5; allowed is 0 to 1"):
        instance("1", ("a", "0", "x"), "softbounds", x0=1.5)


def test_long_labels_stay_apart_and_keep_their_parts_apart():
    one, two = (label_of("layer" + "x" * 80 + str(k)) for k in (1, 2))
    assert one != two
    assert label_of(one) == one
    assert len(label_of(f"{one}_device")) <= 40
    assert label_of(f"{one}_device") != one
