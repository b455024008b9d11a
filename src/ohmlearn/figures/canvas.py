"""What all figures share: colours, style, an empty figure, and files of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..storage import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "GREY",
    "ORANGE",
    "canvas",
    "save_figure",
    "save_figures",
    "style",
]

# Okabe and Ito's palette: distinct for colour-blind readers and in grey.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6E6E6E"
COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""For one curve after the other."""

FORMATS = (".png", ".pdf", ".svg")

_STYLE: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 144.0,
}


def save_figure(path: Path, figure: Figure) -> Path:
    """Write *figure* to *path* in the format of its ending, whole or not at all.

    Raises
    ------
    ConfigError
        The ending is not .png, .pdf or .svg.
    RecordError
        The file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"{path}: a figure's name must end in {', '.join(FORMATS)}.")
    picture = io.BytesIO()
    with style():
        figure.savefig(picture, format=path.suffix.lower()[1:])
    write_file(path, lambda file: file.write(picture.getbuffer()))
    return path


def save_figures(folder: Path, drawings: Mapping[str, Figure]) -> list[Path]:
    """Write each drawing to *folder* as NAME.png, whole or not at all; return the paths."""
    return [save_figure(folder / f"{name}.png", figure) for name, figure in drawings.items()]


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of all figures while the context lasts."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        yield


def canvas(rows: int = 1, columns: int = 1, *, width: float = 6.4, height: float = 4.0) -> Figure:
    """Return a figure of *rows* by *columns* axes that belongs to no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        figure.subplots(rows, columns, squeeze=False)
    return figure
