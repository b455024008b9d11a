"""Figures. Matplotlib is imported on use, and draws without a display.

Those of a device are in :mod:`.device`, which imports the device models.
"""

from .canvas import BLUE, COLOURS, GREEN, GREY, ORANGE, canvas, save_figure, save_figures, style
from .run import draw_figures, run_drawings

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "ORANGE",
    "canvas",
    "draw_figures",
    "run_drawings",
    "save_figure",
    "save_figures",
    "style",
]
