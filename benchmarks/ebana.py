"""The network with which EBANA learns Iris: time per sample, and its gradient.

EBANA (Watfa, Garcia-Ortiz, Sassatelli, Front. Comput. Neurosci. 17:1114651, 2023) runs equilibrium
propagation in ngspice, too. Its example for Iris is a resistive network 10-10-6 with
piecewise-linear clamps and amplifiers of gain 4; a training sample (free phase, nudged phase,
gradient) was measured at 17.7 ms of CPU time, on another day and not on this machine. Here the
same is done through ngspice, in batch and in process, and through the kernels.

The inputs are random numbers in the range of Iris' features, each fed twice, as +x and -x, beside
two bias rails. EBANA's second layer has two more rows of conductances, from bias rails.

Usage: ``python benchmarks/ebana.py [--samples 150] [--seed 0]``
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

from ohmlearn.circuits.numba_simulator import NumbaSimulator
from ohmlearn.circuits.resistive.energy import local_changes
from ohmlearn.circuits.resistive.network import DIODES, Diode, ResistiveNetwork
from ohmlearn.circuits.simulator import Phase
from ohmlearn.spice_netlists.simulator import NgspiceSimulator

SIZES, GAIN = (10, 10, 6), 4.0
BETA = 2e-9  # A per unit of the loss' derivative
EBANA_MS = 17.7
REPEATS = 5
PROBED = 12  # conductances per layer


def network_of(rng) -> ResistiveNetwork:
    """Return the network at its start: conductances of 1e-7 to 1e-5 S."""
    g = [rng.uniform(1e-7, 1e-5, shape) for shape in ((10, 10), (10, 6))]
    diode = Diode(DIODES["piecewise"], v_on=0.3, r_on=1.0, r_off=1e20)
    return ResistiveNetwork.build(
        g, low=[0.0, None], high=[0.0, None], diode=diode, gain=GAIN, back_gain=1.0 / GAIN
    )


def inputs_of(rng, samples: int):
    """Return inputs (samples, 10) [V]: four features as +x and -x, and two bias rails."""
    x = rng.uniform(-1.0, 1.0, (samples, 4))
    rails = np.tile([1.0, -1.0], (samples, 1))
    return np.concatenate([x, -x, rails], axis=1)


def probabilities(out):
    """Return the softmax of the difference of a class's two output nodes."""
    folded = out[:, :3] - out[:, 3:]
    grown = np.exp(folded - folded.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def loss(out, wanted):
    """Return the cross-entropy of each sample."""
    return -np.log((probabilities(out) * wanted).sum(axis=1))


def gradients(simulator, network, x, wanted, beta=BETA):
    """Return the gradient of the mean loss by equilibrium propagation: both phases, then V^2."""
    free = simulator.settle(network, Phase(x))
    error = probabilities(free.voltages[-1]) - wanted
    push = -beta * np.concatenate([error, -error], axis=1)
    nudged = simulator.settle(network, Phase(x, current=push), free.voltages)
    changes = local_changes(network, x, free.voltages, nudged.voltages)
    return [each / beta for each in changes]


def cpu_ms(work: Callable[[], object], samples: int) -> float:
    """Return CPU milliseconds per sample, children included, the best of some repeats."""
    work()
    best = np.inf
    for _ in range(REPEATS):
        start = time.process_time() + _children()
        work()
        best = min(best, time.process_time() + _children() - start)
    return 1e3 * best / samples


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def differences(network, x, wanted, rng):
    """Yield layer, indices and central difference of the loss for some conductances."""
    for layer, g in enumerate(network.g):
        for flat in rng.choice(g.size, PROBED, replace=False):
            at = np.unravel_index(flat, g.shape)
            step = 1e-4 * g[at]
            ends = []
            for sign in (1.0, -1.0):
                moved = [each.copy() for each in network.g]
                moved[layer][at] += sign * step
                other = ResistiveNetwork(tuple(moved), *_rest(network))
                ends.append(loss(NumbaSimulator().settle(other, Phase(x)).voltages[-1], wanted)[0])
            yield layer, at, (ends[0] - ends[1]) / (2.0 * step)


def _rest(n):
    return n.bias, n.low, n.high, n.diode, n.gain, n.back_gain, n.capacitance


def ratios(simulator, network, x, wanted, rng):
    """Return the median ratio of gradient to finite difference, of each layer."""
    by_propagation = gradients(simulator, network, x, wanted)
    found = [[] for _ in network.g]
    for layer, at, slope in differences(network, x, wanted, rng):
        if slope:
            found[layer].append(by_propagation[layer][at] / slope)
    return [float(np.median(each)) for each in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    network = network_of(rng)
    x = inputs_of(rng, given.samples)
    wanted = np.eye(3)[rng.integers(0, 3, given.samples)]
    print(f"EBANA, Iris 10-10-6      {EBANA_MS:9.4f} ms CPU per sample (measured elsewhere)")
    ways = {
        "ngspice, batch": (NgspiceSimulator("batch"), 1),
        "ngspice, in process": (NgspiceSimulator("shared"), 1),
        "kernels": (NumbaSimulator(), 40),
    }
    for name, (simulator, tiles) in ways.items():
        many, many_wanted = np.tile(x, (tiles, 1)), np.tile(wanted, (tiles, 1))
        spent = cpu_ms(
            lambda s=simulator, a=many, b=many_wanted: gradients(s, network, a, b),
            len(many),
        )
        print(f"{name:24} {spent:9.4f} ms CPU per sample, {EBANA_MS / spent:8.1f} times less")
    for name, (simulator, _) in ways.items():
        after = np.array(ratios(simulator, network, x[:1], wanted[:1], rng))
        raw = after / network.factors()
        print(
            f"{name:24} gradient / difference, hidden : output {raw[0] / raw[1]:.4f} raw, "
            f"{after[0]:.4f} : {after[1]:.4f} corrected"
        )


if __name__ == "__main__":
    main()
