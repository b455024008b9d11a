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
    conductance_step,
    current,
    depression,
    nominal_step,
    potentiation,
    rate,
)
from .effects import CycleToCycle, Effects, Stuck, merge
from .effects.fluctuations import FlickerNoise, RandomTelegraph
from .effects.ledger import ledger
from .effects.retention import Line, Logarithmic, PowerLaw, Relaxation
from .effects.wear import Endurance, ReadDisturb
from .parameters import check_params, make_params, window_of, with_window
from .registry import devices, get_device, get_preset, presets

__all__ = [
    "CycleToCycle",
    "Device",
    "Effects",
    "Endurance",
    "Field",
    "FlickerNoise",
    "Line",
    "Logarithmic",
    "PowerLaw",
    "Preset",
    "Pulse",
    "RandomTelegraph",
    "ReadDisturb",
    "Relaxation",
    "Stuck",
    "check_params",
    "conductance",
    "conductance_step",
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
    "window_of",
    "with_window",
]
