"""Colours and sizes that the figures of a report share."""

from __future__ import annotations

from ..figures import GREY
from .budget import ELEMENTS

__all__ = ["ELEMENT_COLOURS", "FAINT", "INK", "PHASES", "WIDTH"]

# Paul Tol's "muted" and Okabe-Ito colours: distinct for colour-blind readers, one per element.
ELEMENT_COLOURS: dict[str, str] = dict(
    zip(
        ELEMENTS,
        (
            "#0072B2", "#56B4E9", "#999933", "#D55E00", "#009E73",
            "#CC79A7", "#882255", "#F0E442", "#E69F00", "#7F7F7F",
        ),
        strict=True,
    )
)  # fmt: skip
INK, FAINT = "#222222", GREY
WIDTH = 8.6

PHASES = {
    "settle": "#0072B2",
    "read-out": "#E69F00",
    "nudge": "#009E73",
    "decide": "#7F7F7F",
    "switch": "#BBBBBB",
    "SET": "#D55E00",
    "RESET": "#882255",
    "verify": "#CC79A7",
    "idle": "#DDDDDD",
}
