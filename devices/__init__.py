"""What one memristor cell does: models, presets and non-idealities.

Importing this room does not import Numba. The parts that do, and that array kernels use, are
imported by name: :mod:`.dispatch`, :mod:`.counter_rng` and :mod:`.variability`.
"""

from .contract import (
    Device,
    Field,
    Preset,
    Pulse,
    conductance,
    current,
    depression,
    nominal_step,
    potentiation,
    rate,
)
from .effects import CycleToCycle, Effects, Stuck, ledger, merge
from .parameters import check_params, make_params, with_window
from .registry import devices, get_device, get_preset, presets

__all__ = [
    "CycleToCycle",
    "Device",
    "Effects",
    "Field",
    "Preset",
    "Pulse",
    "Stuck",
    "check_params",
    "conductance",
    "current",
    "depression",
    "devices",
    "get_device",
    "get_preset",
    "ledger",
    "make_params",
    "merge",
    "nominal_step",
    "potentiation",
    "presets",
    "rate",
    "with_window",
]
