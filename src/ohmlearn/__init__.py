"""Ohmlearn: memristor crossbars that learn, from algorithm to device.

The names below are what a program usually needs. Each is imported when it is first used, because
importing Numba takes seconds and ``import ohmlearn`` should not. The rooms behind them
(:mod:`ohmlearn.devices`, :mod:`ohmlearn.crossbar`, :mod:`ohmlearn.circuits`,
:mod:`ohmlearn.training`, :mod:`ohmlearn.spice_netlists`) are reached in the same way.

====================  ==========================================================================
``load_experiment``   read an experiment file; ``None`` is the default experiment
``parse_experiment``  the same from a string
``Experiment``        what they return
``run_experiment``    train an experiment and write its record
``read_record``       read the record of a finished run, a ``Record``
``run_gdu``           compare the updates with backpropagation through time (Theorem 1)
``load_data``         a data set by name, as arrays
``get_device``        a device model by name; ``ohmlearn.devices.devices()`` lists them
``get_preset``        a device model and a parameter set of it, by name
``Effects``           what makes real cells differ from the model
``Crossbar``          an array of cells that holds signed weights
``TiledCrossbar``     the same on tiles with wires and converters
``Wires``             resistances of an array's lines
``Converters``        DAC and ADC of a tile
``HopfieldNetwork``   structure and dynamics of a layered network
``OhmlearnError``     base of every error raised on purpose; ``UserError``: the input is wrong
====================  ==========================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import circuits, crossbar, devices, spice_netlists, training
    from .circuits import HopfieldNetwork
    from .crossbar import Converters, Crossbar, TiledCrossbar, Wires
    from .devices import Effects, get_device, get_preset
    from .errors import OhmlearnError, UserError
    from .experiment import Experiment, load_experiment, parse_experiment
    from .gradients.process import run_gdu
    from .record import Record, read_record
    from .run import run as run_experiment
    from .training import load as load_data

__version__ = "0.1.0"

__all__ = [
    "Converters",
    "Crossbar",
    "Effects",
    "Experiment",
    "HopfieldNetwork",
    "OhmlearnError",
    "Record",
    "TiledCrossbar",
    "UserError",
    "Wires",
    "__version__",
    "circuits",
    "crossbar",
    "devices",
    "get_device",
    "get_preset",
    "load_data",
    "load_experiment",
    "parse_experiment",
    "read_record",
    "run_experiment",
    "run_gdu",
    "spice_netlists",
    "training",
]

_ROOMS = frozenset({"circuits", "crossbar", "devices", "spice_netlists", "training"})

_HOMES = {  # public name: (module, name there)
    "Converters": ("crossbar", "Converters"),
    "Crossbar": ("crossbar", "Crossbar"),
    "Effects": ("devices", "Effects"),
    "Experiment": ("experiment", "Experiment"),
    "HopfieldNetwork": ("circuits", "HopfieldNetwork"),
    "OhmlearnError": ("errors", "OhmlearnError"),
    "Record": ("record", "Record"),
    "TiledCrossbar": ("crossbar", "TiledCrossbar"),
    "UserError": ("errors", "UserError"),
    "Wires": ("crossbar", "Wires"),
    "get_device": ("devices", "get_device"),
    "get_preset": ("devices", "get_preset"),
    "load_data": ("training", "load"),
    "load_experiment": ("experiment", "load_experiment"),
    "parse_experiment": ("experiment", "parse_experiment"),
    "read_record": ("record", "read_record"),
    "run_experiment": ("run", "run"),
    "run_gdu": ("gradients.process", "run_gdu"),
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    module, attribute = _HOMES[name]
    value = getattr(import_module(f".{module}", __name__), attribute)
    globals()[name] = value  # the next access finds it without coming here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
