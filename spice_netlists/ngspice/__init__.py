"""Finding ngspice, running it, reading what it found."""

from .batch import Plots, run_batch
from .find import Found, find_ngspice
from .raw import Plot, read_raw

__all__ = ["Found", "Plot", "Plots", "find_ngspice", "read_raw", "run_batch"]
