"""Test benches of the resistive network: sources, options, analyses, measurements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from numpy.typing import NDArray

from ...circuits.resistive.network import BOLTZMANN, CHARGE, DIODES, ResistiveNetwork
from ...circuits.simulator import Phase
from ...errors import ConfigError
from ..deck import Deck
from ..names import number
from ..parts.cards import wrapped
from .behavioural import current_source, integral, parameter, voltage_source
from .bench import Steps, meters, saving, starting
from .resistive import (
    CIRCUIT,
    INSTANCE,
    devices,
    dut,
    is_flat,
    node_map,
    nodes_of,
    parameters,
    ports,
    rails_of,
    weights,
)
from .resistive_power import measured

__all__ = ["resistive_deck", "saved", "sources"]

_TOLERANCES = {
    # A relative tolerance of 1e-3 would leave microvolts.
    "op": "reltol=1e-11 vntol=1e-14 abstol={abstol} itl1=1000 itl2=1000",
    "default": "reltol=1e-4 vntol=1e-7 abstol={abstol} itl1=1000",
    "tight": "reltol=1e-6 vntol=1e-9 abstol={abstol} chgtol=1e-18 trtol=1 itl1=1000",
}
_STEPS = {"default": 100, "tight": 400}  # per phase, at least
_AT_CORNERS = 4  # steps are smaller where diodes have a corner, which no step control sees
_EDGE = 1e-6  # of the shortest phase
_NEVER_BELOW = 1e-15  # A
_SETTLED = 1e-4  # V
_ZERO_CELSIUS = 273.15


def resistive_deck(
    network: ResistiveNetwork,
    benches: Mapping[str, Phase | Sequence[Phase]],
    *,
    sample: int = 0,
    start: Sequence[NDArray] | None = None,
    near: Mapping[str, Sequence[NDArray]] | None = None,
    metered: bool = True,
    tight: bool = False,
    finals: NDArray | None = None,
    dialect: str = "ngspice",
    title: str = "resistive network",
    seed: int | None = None,
    experiment: str = "",
) -> Deck:
    """Return the deck of *network*.

    Parameters
    ----------
    network
        The circuit.
    benches
        Test benches by name: an operating point for one phase, a transient for several one after
        the other, also if it is only one in a list.
    sample
        Row of the phases' inputs, targets and currents.
    start : sequence of (batch, n_l), optional
        Node voltages [V] at time 0 of transients; 0 V where left out.
    near : mapping of str to sequence of (batch, n_l), optional
        Node voltages [V] near which an operating point is looked for, by name of its bench
        (``.nodeset``): of several steady states the one there is found.
    metered
        Whether transients measure energies.
    tight
        Whether transients take small steps, for waveforms within 1e-4 V instead of 1e-3 V.
    finals : (phases, n_N), optional
        Voltages [V] of the output nodes at the end of each phase, as a simulator found them: with
        them transients measure ``ns_settle_<phase>``, the time [ns] from a phase's start after
        which all of these nodes stay within 0.1 mV of them.
    dialect, title, seed, experiment
        See :meth:`~..deck.Deck.build`.

    Raises
    ------
    NetlistError
        If a value is not finite, or a transient has a phase without duration.
    ConfigError
        If a phase does not fit the network.
    """
    moving = not all(isinstance(bench, Phase) for bench in benches.values())
    bodies = {
        "params.inc": "\n".join(parameters(network)),
        "devices.lib": "\n".join(devices(network, dialect, moving)),
        "weights.inc": "\n".join(weights(network)),
        "dut.sp": "\n".join(dut(network, dialect)),
    }
    for name, bench in benches.items():
        for phase in [bench] if isinstance(bench, Phase) else bench:
            _check(network, phase, sample)
        if isinstance(bench, Phase):
            lines = _operating_point(network, bench, sample, (near or {}).get(name), dialect)
        else:
            lines = _transient(network, bench, sample, start, metered, tight, finals, dialect)
        bodies[f"tb_{name}.sp"] = "\n".join(lines)
    return Deck.build(
        bodies,
        title=title,
        nodes=node_map(network),
        dialect=dialect,
        seed=seed,
        experiment=experiment,
    )


def saved(network: ResistiveNetwork) -> list[str]:
    """Return the vectors that hold the voltages of layers 1 to N."""
    return [f"v({node})" for layer in nodes_of(network)[1:] for node in layer]


def sources(network: ResistiveNetwork, phase: Phase) -> dict[str, NDArray]:
    """Return what differs between samples: values (batch,) by name of the source."""
    inputs, *_, outputs = nodes_of(network)
    found = dict(zip((f"v{node}" for node in inputs), phase.inputs.T, strict=True))
    numbers = range(len(outputs))
    if phase.nudge and phase.target is not None:
        found |= zip((f"vtarget_{k}" for k in numbers), phase.target.T, strict=True)
    if phase.current is not None:
        found |= zip((f"inudge_{k}" for k in numbers), phase.current.T, strict=True)
    return found


def _check(network: ResistiveNetwork, phase: Phase, sample: int) -> None:
    inputs, outputs = network.sizes[0], network.sizes[-1]
    if not 0 <= sample < phase.batch:
        raise ConfigError(f"netlist: there is no sample {sample} among {phase.batch}.")
    for what, values, width in (
        ("inputs", phase.inputs, inputs),
        ("target", phase.target, outputs),
        ("current", phase.current, outputs),
    ):
        if values is not None and values.shape[1] != width:
            raise ConfigError(
                f"netlist: {what} of a phase has {values.shape[1]} columns; the network has "
                f"{width} such nodes."
            )


def _circuit(network: ResistiveNetwork, dialect: str) -> Iterator[str]:
    yield ".include params.inc"
    yield ".include dut.sp"
    if not is_flat(network):
        yield wrapped([INSTANCE, *ports(network), CIRCUIT])
    for name, _ in rails_of(network).all():
        yield f"v{name} {name} 0 dc {parameter(dialect, f'v_{name}')}"


def _operating_point(
    network: ResistiveNetwork,
    phase: Phase,
    sample: int,
    near: Sequence[NDArray] | None,
    dialect: str,
) -> Iterator[str]:
    yield from _circuit(network, dialect)
    for name, values in sources(network, phase).items():
        yield f"{name} {_ends(name)} dc {number(values[sample])}"
    yield from _into(network, [phase])
    if phase.nudge and phase.target is not None:
        r = number(1.0 / phase.nudge)
        for k, node in enumerate(nodes_of(network)[-1]):
            yield f"rnudge_{k} {node} target_{k} {r}"
    yield from _settings(network, "op", dialect)
    if near is not None:
        yield starting(saved(network), sample, near, ".nodeset")
    yield ".op"
    yield saving(saved(network), dialect)


def _ends(source: str) -> str:
    """Return the nodes of a source of a phase, by its name."""
    kind, node = source[0], source[1:]
    return f"{node} 0" if kind == "v" else f"0 {node.replace('nudge', 'into')}"


def _into(network: ResistiveNetwork, phases: Sequence[Phase]) -> Iterator[str]:
    """Yield ammeters between nudging current sources and output nodes."""
    if any(phase.current is not None for phase in phases):
        for k, node in enumerate(nodes_of(network)[-1]):
            yield f"vinto_{k} into_{k} {node} dc 0"


def _transient(
    network: ResistiveNetwork,
    phases: Sequence[Phase],
    sample: int,
    start: Sequence[NDArray] | None,
    metered: bool,
    tight: bool,
    finals: NDArray | None,
    dialect: str,
) -> Iterator[str]:
    steps = Steps(phases, _EDGE)
    yield from _circuit(network, dialect)
    yield from steps.sources([sources(network, phase) for phase in phases], sample, _ends)
    yield from _into(network, phases)
    yield from _nudge(network, phases, steps, dialect)
    level = "tight" if tight else "default"
    yield from _settings(network, level, dialect)
    corners = level == "tight" and network.diode.kind != DIODES["shockley"]
    step = steps.shortest / _STEPS[level] / (_AT_CORNERS if corners else 1)
    yield f".tran {number(step)} {number(steps.ends[-1])} 0 {number(step)} uic"
    yield starting(saved(network), sample, start)
    powers = measured(network, phases, dialect) if metered else {}
    yield from meters(dialect, powers, steps.ends)
    kept = [*saved(network), *(f"v(w_{name})" for name in powers)]
    if finals is not None:
        yield "* clocks that stand at zero while the outputs are settled: 1 V stands for 1 ns"
        yield from _settling(network, steps.ends, finals, dialect)
        kept += [f"v(settle_{k})" for k in range(1, len(steps.ends))]
    yield saving(kept, dialect)


def _settling(
    network: ResistiveNetwork, ends: list[float], finals: NDArray, dialect: str
) -> Iterator[str]:
    for k, (a, b) in enumerate(pairwise(ends), 1):
        worst = "0"
        for node, value in zip(nodes_of(network)[-1], finals[k - 1].tolist(), strict=True):
            worst = f"max({worst},abs(v({node})-({number(value)})))"
        clock = f"1e9*(time-{number(a)})*max(sgn({worst}-{number(_SETTLED)}),0)"
        yield voltage_source(dialect, f"settle_{k}", f"settle_{k}", "0", clock)
        whole = integral(dialect, f"ns_settle_{k}", f"settle_{k}", number(a), number(b))
        yield whole.replace(" integ ", " max ", 1)


def _nudge(
    network: ResistiveNetwork, phases: Sequence[Phase], steps: Steps, dialect: str
) -> Iterator[str]:
    """Yield the nudging conductances, which a source of 1 V for 1 S sets."""
    if not any(phase.nudge for phase in phases):
        return
    yield steps.source("vnudge", "nudge 0", [phase.nudge for phase in phases])
    for k, node in enumerate(nodes_of(network)[-1]):
        across = f"v({node},target_{k})"
        yield current_source(dialect, f"nudge_{k}", node, f"target_{k}", f"v(nudge)*{across}")


def _settings(network: ResistiveNetwork, level: str, dialect: str) -> Iterator[str]:
    if dialect == "xyce":
        yield "* tolerances and temperature: set .options NONLIN, TIMEINT and DEVICE as you need"
        return
    diode, celsius, gmin = network.diode, 27.0, 1e-12
    abstol = _NEVER_BELOW
    if diode.kind == DIODES["shockley"]:
        # TNOM moves along with TEMP, so that the simulator leaves IS as it stands
        celsius = round(diode.v_t * CHARGE / BOLTZMANN - _ZERO_CELSIUS, 9)
        gmin = diode.gmin
    elif diode.kind == DIODES["ideal"]:
        abstol = 1e-6  # 1e-14 V across the stiff resistance that stands for the diode
    tolerances = _TOLERANCES[level].format(abstol=number(abstol))
    place = f"temp={number(celsius)} tnom={number(celsius)} gmin={number(gmin)}"
    yield f".options {place} {tolerances}"
