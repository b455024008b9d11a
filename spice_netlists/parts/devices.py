"""A device model as a subcircuit: terminals ``te`` and ``be``, and its state on the node ``x``.

1 V on the node is x = 1. It is held by a capacitor of 1 nF, into which dx/dt times 1e-9 flows:
with 1 F the current of the last bit of a voltage would exceed the tolerance of currents, and
ngspice creep. The other end of the capacitor is at -0.1 V, since a tolerance relative to a charge
of zero would stop the steps. The leak of the node, 1e18 ohm, takes 30 years.

At time 0, and so in an operating point and in sweeps, the state rests at its start value ``x0``;
for a transient with ``uic`` there is ``.ic``. The current and the rate see it clamped to [0, 1].
At a bound the rate towards the outside falls to zero over :data:`STOP` beyond it.

Every parameter of the model is a parameter of the subcircuit, with the numbers of the nominal cell
as defaults: a cell of its own gives those that differ (:func:`instance`).

A pulse-response model moves at the rate that :func:`ohmlearn.devices.contract.rate` gives it, the
step of a nominal pulse over its width. That step is taken continuously as the state changes, and
so differs from one whole step in the square of the step: for steps of 1/400 of the window with
soft bounds by 6e-6 at mid-window. Where one RESET pulse erases the cell (``one_sided``), a nominal
RESET leaves 1/e of the state here, and a pulse ten times as wide erases it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ...devices.contract import Device, device_of
from ...devices.parameters import check_params
from ...errors import NetlistError
from ..names import comment, name, number
from .cards import label_of, node, wrapped
from .dialects import Dialect, dialect_of
from .expressions import Language, write
from .physics import Body, Physics, names_in, physics_of
from .unfolding import in_full
from .words import parameter_names

__all__ = ["STOP", "instance", "subcircuit"]

STOP = 1e-6
"""Distance beyond a bound of the state over which its motion stops."""

_FARAD, _LEAK, _ZERO = "1e-09", "1e+18", "-0.1"
_V, _X = "v(te, be)", "min(max(v(x), 0.0), 1.0)"


def subcircuit(params: Any, dialect: str = "ngspice", *, label: str | None = None) -> str:
    """Return the subcircuit of a device model.

    Parameters
    ----------
    params : parameter tuple
        The nominal cell; its numbers are the subcircuit's defaults.
    dialect : str
        A name of :data:`~.dialects.DIALECTS`.
    label : str, optional
        Name of the subcircuit; that of the model if left out.

    Returns
    -------
    str
        Lines of the netlist. Pins are ``te``, ``be`` and ``x``; the start value is ``x0``.

    Raises
    ------
    NetlistError
        If the dialect is unknown, or the model has no form in a circuit.
    DeviceError
        If the parameters describe no cell of the model.
    """
    device = device_of(type(params))
    check_params(device, params)
    way = dialect_of(dialect)
    text = _Text(label_of(label or device.name, "device"), way, parameter_names(params._fields))
    defaults = {text.parameters[f]: number(v, f) for f, v in params._asdict().items()}
    lines = [*_heading(device, way), *text.subcircuit(physics_of(device), defaults)]
    return "\n".join(lines) + "\n"


def instance(
    label: str,
    nodes: Iterable[str],
    subckt: str,
    params: Any = None,
    *,
    x0: float | None = None,
    nominal: Any = None,
) -> str:
    """Return the call of a device's subcircuit (or of a cell's, which has the same parameters).

    Parameters
    ----------
    label, subckt : str
        Name of the instance, without the leading ``x``, and of the subcircuit.
    nodes : iterable of str
    params : parameter tuple, optional
        This cell.
    x0 : float, optional
        Its state at the start, 0 to 1.
    nominal : parameter tuple, optional
        The cell whose numbers are the subcircuit's defaults: equal numbers are left out.

    Raises
    ------
    NetlistError
        If a number is not finite or the state outside [0, 1].
    """
    given = {}
    if x0 is not None:
        if not 0.0 <= x0 <= 1.0:
            raise NetlistError(f"{name(label)}: the state x0 is {x0}; allowed is 0 to 1.")
        given["x0"] = number(x0)
    if params is not None:
        names = parameter_names(params._fields)
        for field, value in params._asdict().items():
            if nominal is None or value != getattr(nominal, field):
                given[names[field]] = number(value, field)
    pins = (node(n) for n in nodes)
    pairs = (f"{n}={v}" for n, v in given.items())
    return wrapped([name(f"x{label}"), *pins, label_of(subckt), *pairs])


def _heading(device: Device, dialect: Dialect) -> Iterator[str]:
    kind = "equation of motion" if device.dynamical else "pulse response, as a rate"
    yield comment(f"{device.name}: {kind}; state x in [0, 1] as the voltage of node x")
    yield comment(f"source: {device.reference}")
    if not dialect.run_here:
        yield comment(f"written for {dialect.title} by its manual; not run by the authors")


class _Text(NamedTuple):
    """Writes one subcircuit."""

    label: str
    dialect: Dialect
    parameters: Mapping[str, str]

    def subcircuit(self, physics: Physics, defaults: Mapping[str, str]) -> Iterator[str]:
        if self.dialect.spectre:
            functions, current, drift = [], *self._in_full(physics)
        else:
            functions = [*self._functions(physics)]
            current = self._call(physics.current, "current")
            drift = f"{self.label}_drift({self._call(physics.rate, 'rate')}, v(x))"
        yield from self._opening(defaults)
        yield from functions
        source = self.dialect.source
        yield source.format(name="bi", a="te", b="be", text=current)
        moving = f"({self.dialect.time} > 0.0)"
        motion = self.dialect.choice.format(test=moving, then=f"{_FARAD}*{drift}", other="x0-v(x)")
        yield source.format(name="bx", a="0", b="x", text=motion)
        yield from self._integrator()

    def _opening(self, defaults: Mapping[str, str]) -> Iterator[str]:
        pairs = [*(f"{n}={v}" for n, v in defaults.items()), "x0=0.5"]
        if self.dialect.spectre:
            yield "simulator lang=spectre"
            yield f"subckt {self.label} (te be x)"
            yield wrapped(["parameters", *pairs])
        else:
            yield wrapped([".subckt", self.label, "te", "be", "x", *pairs])

    def _integrator(self) -> Iterator[str]:
        start = self.dialect.value.format(text="x0")
        if self.dialect.spectre:
            yield f"vx (xr 0) vsource dc={_ZERO}"
            yield f"cx (x xr) capacitor c={_FARAD} ic=x0-({_ZERO})"
            yield f"rx (x 0) resistor r={_LEAK}"
            yield from (f"ends {self.label}", "simulator lang=spice")
            return
        yield from (f"vx xr 0 {_ZERO}", f"cx x xr {_FARAD}", f"rx x 0 {_LEAK}")
        yield from (f".ic v(x)={start}", f".ends {self.label}")

    def _functions(self, physics: Physics) -> Iterator[str]:
        """Yield a function for every helper and every intermediate quantity."""
        for helper in physics.helpers:
            yield from self._of_body(helper.name, helper.body, helper.body.arguments, physics)
        yield from self._of_body("current", physics.current, ("vm", "xs"), physics)
        yield from self._of_body("rate", physics.rate, ("vm", "xs"), physics)
        yield self._function("drift", "r, s", _drift("r", "s"))

    def _of_body(
        self, what: str, body: Body, arguments: tuple[str, ...], physics: Physics
    ) -> Iterator[str]:
        texts = dict(zip(body.arguments, arguments, strict=True))
        language = self._language(texts, physics)
        for let in body.lets:
            given = ", ".join(self._given(body, let.name, dict(texts)))
            yield self._function(let.name, given, write(let.value, language))
            texts[let.name] = f"{self.label}_{let.name}({given})"
        given = ", ".join(self._given(body, "", dict(zip(body.arguments, arguments, strict=True))))
        yield self._function(what, given, write(body.result, language))

    def _given(self, body: Body, let: str, texts: Mapping[str, str]) -> list[str]:
        """Return the texts of the arguments that a quantity (the result if '') depends on."""
        values = {k.name: k.value for k in body.lets}
        open_, seen = {let}, set[str]()
        while open_:
            current = open_.pop()
            if current in body.arguments:
                seen.add(current)
                continue
            open_ |= names_in(values[current] if current else body.result)
        return [texts[a] for a in body.arguments if a in seen] or [texts[body.arguments[-1]]]

    def _call(self, body: Body, what: str) -> str:
        given = self._given(body, "", {"v": _V, "x": _X})
        return f"{self.label}_{what}({', '.join(given)})"

    def _function(self, what: str, arguments: str, text: str) -> str:
        return self.dialect.function.format(
            name=f"{self.label}_{what}", arguments=arguments, text=text
        )

    def _language(self, texts: Mapping[str, str], physics: Physics) -> Language:
        helpers = {h.name: f"{self.label}_{h.name}" for h in physics.helpers}
        return Language(self.dialect, texts, self.parameters, helpers)

    def _in_full(self, physics: Physics) -> tuple[str, str]:
        """Return the text of the current, and of the rate with its stops, without functions."""
        texts = {"v": _V, "x": _X}
        language = self._language(texts, physics)
        current = write(in_full(physics.current, physics), language)
        rate = write(in_full(physics.rate, physics), language)
        return current, f"({_drift(f'({rate})', 'v(x)')})"


def _drift(r: str, s: str) -> str:
    """Return the text of the rate *r* with a stop at the bounds of the state *s*."""
    up = f"min(max(({1.0 + STOP!r}-{s})/{STOP!r}, 0.0), 1.0)"
    down = f"min(max(({s}+{STOP!r})/{STOP!r}, 0.0), 1.0)"
    return f"max({r}, 0.0)*{up}+min({r}, 0.0)*{down}"
