"""The leaky network: kernels against ngspice, steady states, waveforms and energies."""

import numpy as np
import pytest

from leaky_circuits import TAU, V_REF, apart_at_rest, in_time, make_network, unequal_leaks
from ohmlearn.circuits.activation import ACTIVATIONS
from ohmlearn.circuits.leaky.network import LeakyNetwork
from ohmlearn.circuits.simulator import Phase
from ohmlearn.errors import ConfigError, NetlistError
from ohmlearn.spice_netlists.networks.leaky_deck import MEASURED, leaky_deck, saved
from ohmlearn.spice_netlists.ngspice import run_batch

pytestmark = [pytest.mark.spice, pytest.mark.usefixtures("ngspice")]


def network(sizes, activation="sigmoid", *, symmetric=True, seed=7):
    rng = np.random.default_rng(seed)

    def arms(shape, leak):
        w = 0.5 * leak * rng.uniform(-1, 1, shape) / np.sqrt(shape[0])
        return 5e-5 + w, 5e-5 - w

    return make_network(arms, sizes, unequal_leaks(sizes), activation, symmetric=symmetric)


def phases(net, *, beta=0.5, batch=1, current=None, free=15 * TAU, nudged=10 * TAU):
    rng = np.random.default_rng(8)
    x = V_REF * rng.random((batch, net.sizes[0]))
    y = V_REF * np.eye(net.sizes[-1])[:batch]
    pushed = None if current is None else np.full((batch, net.sizes[-1]), current)
    nudge = Phase(x, beta * net.leak[-1], y, pushed, duration=nudged)
    return Phase(x, target=y, duration=free), nudge


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("sizes", "symmetric"), [((7, 5), True), ((6, 9, 7, 5), False)])
def test_steady_states_of_every_activation(activation, sizes, symmetric):
    net = network(sizes, activation, symmetric=symmetric)
    for beta, current in ((0.5, None), (-0.4, 1e-6)):
        for phase in phases(net, beta=beta, current=current):
            assert apart_at_rest(net, phase) < 1e-9


def test_steady_states_of_a_network_of_128_128_10():
    net = network((128, 128, 10))
    for phase in phases(net, batch=2):
        assert apart_at_rest(net, phase, sample=1) < 1e-9


def test_the_conductances_reach_the_netlist():
    # One cell more by a tenth moves a node by what the kernels say, not by rounding.
    net = network((4, 6, 3))
    more = net.plus[0].copy()
    more[2, 4] *= 1.1
    other = LeakyNetwork(
        (more, net.plus[1]), net.minus, net.leak, net.capacitance, V_REF, net.activation
    )
    free, _ = phases(net)
    a = run_batch(leaky_deck(net, {"rest": free}).flat())[0].columns(saved(net))[0]
    b = run_batch(leaky_deck(other, {"rest": free}).flat())[0].columns(saved(net))[0]
    assert np.abs(a - b).max() > 1e-4
    assert apart_at_rest(other, free) < 1e-9


@pytest.mark.parametrize(("tight", "within"), [(False, 1e-3), (True, 1e-4)])
@pytest.mark.parametrize(
    ("sizes", "activation", "symmetric"),
    [((6, 9, 5), "sigmoid", True), ((5, 7, 6, 4), "hard-sigmoid", False)],
)
def test_waveforms_and_energies(sizes, activation, symmetric, tight, within):
    net = network(sizes, activation, symmetric=symmetric)
    both = phases(net, batch=2, current=5e-7)
    start = tuple(np.full((2, n), 0.03 * k) for k, n in enumerate(sizes[1:], start=1))
    found = in_time(net, both, MEASURED, sample=1, start=start, tight=tight)
    assert found.apart < within
    for name, (ours, measured) in found.energies.items():
        assert measured == pytest.approx(ours, rel=0.01, abs=1e-18), name


def test_the_deck_is_the_same_text_every_time_and_maps_every_node():
    net = network((4, 6, 3))
    free, nudged = phases(net)
    made = [leaky_deck(net, {"free": free, "step": [free, nudged]}, seed=3) for _ in range(2)]
    assert made[0].files == made[1].files
    names = made[0].map["nodes"]
    assert [len(layer) for layer in names] == [6, 3]
    assert saved(net) == [f"v({node})" for layer in names for node in layer]


def test_other_dialects_are_written_and_say_that_they_were_not_run():
    net = network((4, 6, 3))
    both = phases(net)
    for dialect in ("hspice", "ltspice", "spectre", "xyce"):
        deck = leaky_deck(net, {"step": both}, dialect=dialect)
        assert "not run here" in deck.files["tb_step.sp"]
        assert ".save" not in deck.files["tb_step.sp"]
        quoted = dialect in ("hspice", "spectre")
        assert ("vol='" in deck.files["dut.sp"]) == quoted
        braces = dialect in ("ltspice", "xyce")
        assert ("{" in deck.files["dut.sp"]) == braces
    with pytest.raises(NetlistError, match="dialect"):
        leaky_deck(net, {"free": both[0]}, dialect="spice3")


def test_what_cannot_be_a_netlist_is_refused():
    free, _ = phases(network((4, 6, 3)))
    with pytest.raises(ConfigError, match="inputs"):
        leaky_deck(network((5, 6, 3)), {"free": free})
    wide = network((900, 2))
    with pytest.raises(NetlistError, match="905 terminals"):
        leaky_deck(wide, {"free": Phase(np.zeros((1, 900)))})
    net = network((4, 6, 3))
    net.plus[0][0, 0] = -1e-6
    with pytest.raises(NetlistError, match="negative"):
        leaky_deck(net, {"free": free})
    with pytest.raises(NetlistError, match="durations"):
        leaky_deck(network((4, 6, 3)), {"step": [Phase(free.inputs)]})
