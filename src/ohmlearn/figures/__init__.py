"""Figures. Matplotlib is imported on use, and draws without a display."""

from .canvas import BLUE, COLOURS, GREEN, GREY, ORANGE, canvas, save_figures, style
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
    "save_figures",
    "style",
]
