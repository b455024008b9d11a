"""Cells as subcircuits: memristor with access transistor, memristor alone, and pairs of either.

==================  =======================  ================================================
cell                pins                     between the bit line and the source line
==================  =======================  ================================================
:func:`cell_1t1r`   ``bl wl sl x``           memristor, then an NMOS with its gate at ``wl``
:func:`cell_1r`     ``bl sl x``              memristor
==================  =======================  ================================================

The names of the pins are those of a memory: ``wl`` is the gate line. A cell has the parameters of
its memristor and its start value ``x0``. A model whose SET voltage is negative is mounted the
other way round, so that a positive bit line always means SET. The body of the transistor is at 0.

A *pair* is two cells side by side on one bit line and one gate line, with source lines of their
own: the currents out of ``slp`` and ``slm`` are subtracted. Cells of fixed conductance are plain
resistors and need no subcircuit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from os.path import isfile
from pathlib import Path
from typing import Any, NamedTuple

from ...devices.cell.access import Nmos
from ...devices.contract import device_of
from ...errors import NetlistError
from ..names import name, number
from .cards import label_of, node, wrapped
from .devices import subcircuit
from .dialects import Dialect, dialect_of
from .words import parameter_names

__all__ = ["UserNmos", "cell_1r", "cell_1t1r", "library", "nmos_model", "pair", "transistor"]

# What a file name may not hold, since simulators would read it as something else.
_FILE = re.compile(r"[A-Za-z0-9_./+\- ]+\Z")
_JUNCTION = "1e-30"


class UserNmos(NamedTuple):
    """A transistor of the user's own library.

    Attributes
    ----------
    model : str
        Name of the model or subcircuit in the library.
    file : Path
        The library; it is included only because it is named here.
    w, l : float
        Channel width and length [m].
    section : str
        Section of the library, such as ``tt``; without one the file is included whole.
    subckt : bool
        Whether the transistor is a subcircuit with pins d g s b.
    """

    model: str
    file: Path
    w: float
    l: float  # noqa: E741, the field's own letter
    section: str = ""
    subckt: bool = False


def library(transistor: UserNmos) -> str:
    """Return the line that reads the user's library.

    Raises
    ------
    NetlistError
        If the file does not exist, or its name holds what a netlist cannot.
    """
    path = Path(transistor.file)
    if not _FILE.match(str(path)) or str(path) != str(path).strip():
        raise NetlistError(
            f"model library {str(path)!r}: allowed in its name are letters, digits, spaces and "
            "the characters _ . / + -; copy it to such a place."
        )
    if not isfile(path):
        raise NetlistError(f"model library {str(path)!r}: there is no such file.")
    if transistor.section:
        return f'.lib "{path}" {_word(transistor.section, "section")}\n'
    return f'.include "{path}"\n'


def nmos_model(access: Nmos, label: str) -> str:
    """Return the ``.model`` card of the access transistor, an NMOS of level 1.

    Its junctions are left out: their saturation current is 1e-30 A.
    """
    card = {
        "vto": access.vto, "kp": access.kp, "gamma": access.gamma, "phi": access.phi,
        "lambda": access.lam,
    }  # fmt: skip
    pairs = (f"{n}={number(v, n)}" for n, v in card.items())
    return wrapped([".model", name(label), "nmos", "level=1", *pairs, f"is={_JUNCTION}"])


def transistor(label: str, pins: Sequence[str], access: Nmos | UserNmos, model: str) -> str:
    """Return the card of a transistor.

    Parameters
    ----------
    label : str
        Name of the instance, without the leading letter.
    pins : sequence of str
        Nodes of drain, gate, source and body.
    access : Nmos or UserNmos
    model : str
        Name of the model card of an `Nmos`; a `UserNmos` brings its own.

    Raises
    ------
    NetlistError
        If a number is not finite, or the name of the user's model is no plain word.
    """
    kind = "m"
    if isinstance(access, UserNmos):
        kind, model = ("x" if access.subckt else "m"), _word(access.model, "model")
    size = (f"w={number(access.w, 'w')}", f"l={number(access.l, 'l')}")
    return wrapped([f"{kind}{name(label)}", *map(node, pins), model, *size])


def cell_1t1r(
    params: Any,
    access: Nmos | UserNmos,
    dialect: str = "ngspice",
    *,
    label: str = "cell_1t1r",
    with_device: bool = True,
) -> str:
    """Return the subcircuit of a memristor in series with its access transistor.

    Parameters
    ----------
    params : parameter tuple
        The nominal memristor.
    access : Nmos or UserNmos
        The transistor: of level 1, or of a library; then the netlist also needs :func:`library`.
    dialect : str
    label : str
        Name of the subcircuit.
    with_device : bool
        Whether the memristor's own subcircuit comes first, called *label* with ``_device``.

    Raises
    ------
    NetlistError, DeviceError
        As for :func:`~.devices.subcircuit`.
    """
    label, way = label_of(label, "cell"), dialect_of(dialect)
    model = f"{label}_nmos"
    head = [] if isinstance(access, UserNmos) else [nmos_model(access, model)]
    gate = transistor("t", ("n", "wl", "sl", "0"), access, model)
    body = [*head, _memristor(params, label, "bl", "n", way), gate]
    return _cell(params, label, ("bl", "wl", "sl", "x"), body, dialect, with_device)


def cell_1r(
    params: Any, dialect: str = "ngspice", *, label: str = "cell_1r", with_device: bool = True
) -> str:
    """Return the subcircuit of a memristor between bit line and source line; see `cell_1t1r`."""
    label = label_of(label, "cell")
    body = [_memristor(params, label, "bl", "sl", dialect_of(dialect))]
    return _cell(params, label, ("bl", "sl", "x"), body, dialect, with_device)


def pair(
    params: Any, cell: str, dialect: str = "ngspice", *, gate: bool = True, label: str = "pair"
) -> str:
    """Return the subcircuit of two cells with a bit line (and a gate line) in common.

    Parameters
    ----------
    params : parameter tuple
        The nominal memristor.
    cell : str
        Name of the cell's subcircuit.
    dialect : str
    gate : bool
        Whether the cells have a transistor.
    label : str
        Name of the subcircuit. Its pins are ``bl wl slp slm xp xm``, without ``wl`` for cells
        without a gate; its parameters those of the memristor, for both cells, and the start
        values ``x0p`` and ``x0m``.
    """
    way, label = dialect_of(dialect), label_of(label, "pair")
    wl = ("wl",) if gate else ()
    fields = parameter_names(params._fields)
    defaults = [f"{fields[f]}={number(v, f)}" for f, v in params._asdict().items()]
    handed = _handed(list(fields.values()), way)
    lines = [wrapped([".subckt", label, "bl", *wl, "slp", "slm", "xp", "xm", *defaults,
                      "x0p=0.5", "x0m=0.5"])]  # fmt: skip
    for arm in "pm":
        start = f"x0={way.value.format(text=f'x0{arm}')}"
        pins = ("bl", *wl, f"sl{arm}", f"x{arm}")
        lines.append(wrapped([f"x{arm}", *pins, label_of(cell), *handed, start]))
    return "\n".join([*lines, f".ends {label}"]) + "\n"


def _memristor(params: Any, label: str, te: str, be: str, dialect: Dialect) -> str:
    """Return the call of the memristor, its terminals so that SET is positive."""
    top, bottom = (te, be) if params.v_set > 0.0 else (be, te)
    fields = [*parameter_names(params._fields).values(), "x0"]
    return wrapped(
        ["xm", top, bottom, "x", label_of(f"{label}_device"), *_handed(fields, dialect)]
    )


def _handed(fields: list[str], dialect: Dialect) -> list[str]:
    """Return the assignments that hand parameters on to an inner subcircuit."""
    return [f"{f}={dialect.value.format(text=f)}" for f in fields]


def _cell(
    params: Any, label: str, pins: tuple[str, ...], body: list[str], dialect: str, device: bool
) -> str:
    own = subcircuit(params, dialect, label=f"{label}_device")
    fields = parameter_names(params._fields)
    defaults = [f"{fields[f]}={number(v, f)}" for f, v in params._asdict().items()]
    head = wrapped([".subckt", label, *pins, *defaults, "x0=0.5"])
    kind = device_of(type(params)).name
    text = "\n".join([f"* {name(kind)} cell", head, *body, f".ends {label}", ""])
    return own + text if device else text


def _word(text: str, what: str) -> str:
    """Return the user's own *text* as it stands, if it is one plain word."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", text):
        raise NetlistError(
            f"{what} of the transistor {text[:60]!r}; allowed are letters, digits, _ and ."
        )
    return text
