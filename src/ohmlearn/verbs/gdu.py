"""The verb ``gdu``: print and draw the check of Theorem 1. Everything heavy is imported on use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..exits import explained_errors
from ..terminal import empty_table, print_json, print_parts
from .options import DataDir, json_option, out_option, path_argument

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..gradients.process import GduResult

__all__ = ["gdu"]

_COLUMNS = 4  # of RelMSE in one table of 80 characters
_LEGEND = (
    "RelMSE over the slots, mean of a layer (s: neurons; w, back: weights; 1 is next to the "
    "input); eta of the fastest layer; angle between the total updates of all weights; fraction "
    "of weights whose total update has the right sign.\n"
)


def gdu(
    experiment: Annotated[
        Path | None,
        path_argument("EXPERIMENT", "A TOML file; without one, a small random network."),
    ] = None,
    out: Annotated[Path | None, out_option("Folder of the figures; else runs/gdu-NAME.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights, sample and curves.")] = None,
    beta: Annotated[
        list[float] | None, typer.Option(help="Nudging strength to check; repeatable.")
    ] = None,
    eta: Annotated[
        list[float] | None, typer.Option(help="Learning rate to check; repeatable.")
    ] = None,
    free_steps: Annotated[
        int | None, typer.Option(min=1, help="Time steps T of the free phase.")
    ] = None,
    nudged_steps: Annotated[
        int | None, typer.Option(min=1, help="Slots K of the nudged phase.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, json_option("the numbers")] = False,
) -> None:
    """Compare every slot's updates with backpropagation through time (Theorem 1)."""
    with explained_errors():
        from ..experiment import load_experiment
        from ..gradients.figures import draw_gdu
        from ..gradients.process import run_gdu

        chosen = None if experiment is None else load_experiment(experiment)
        result = run_gdu(
            chosen,
            seed=seed,
            betas=beta or (),
            etas=eta or (),
            free_steps=free_steps,
            nudged_steps=nudged_steps,
            data_dir=data_dir,
        )
        figures = draw_gdu(out or Path("runs") / f"gdu-{result.problem.name}", result)
    if as_json:
        content = {**result.as_dict(), "figures": [str(path) for path in figures]}
        print_json(content)
        return
    print_parts(_report(result, figures))


def _report(result: GduResult, figures: Sequence[Path]) -> Iterator[RenderableType]:
    from rich.text import Text

    yield from _tables(result)
    yield Text(_LEGEND)
    problem = result.problem
    if not result.settled:
        yield Text(
            f"The free phase has not settled: within its last {problem.nudged_steps} of "
            f"{problem.free_steps} steps a state still moves by {result.residual:.2g}. The "
            "theorem assumes a settled state: raise --free-steps.",
            style="yellow",
        )
    if result.checks:
        yield _check_table(result)
    else:
        yield Text(_why_no_checks(result))
    for path in figures:
        yield Text(f"figure: {path}")


def _tables(result: GduResult) -> Iterator[RenderableType]:
    """Yield one table, or several where it would be too wide for a terminal."""
    problem = result.problem
    sizes = "-".join(str(n) for n in problem.network.layout.sizes)
    title = f"Distance from BPTT: {sizes}, T {problem.free_steps}, K {problem.nudged_steps}"
    names = list(result.rows[0].distance.error)
    for first in range(0, len(names), _COLUMNS):
        yield _table(result, names[first : first + _COLUMNS], title)
        title = ""


def _table(result: GduResult, names: Sequence[str], title: str) -> RenderableType:
    table = empty_table(title or None)
    for heading in ("beta", "eta", "eta/beta", *names, "angle °", "sign %"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in result.rows:
        table.add_row(
            _short(row.beta),
            _short(max(row.eta)),
            _short(row.ratio),
            *(_short(row.distance.error[name][0]) for name in names),
            _short(row.distance.angle),
            f"{100 * row.distance.sign_agreement:.1f}",
        )
    return table


def _short(value: float) -> str:
    """Return two digits in at most seven characters, as 0.11 or 1.3e-4."""
    if value == 0 or not 1e-99 < abs(value) < 0.01:
        return f"{value:.2g}"
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def _check_table(result: GduResult) -> RenderableType:
    table = empty_table("Theorem 1: ratios of RelMSE")
    for heading in ("between", "measured", "allowed", ""):
        table.add_column(heading)
    for check in result.checks:
        table.add_row(
            check.what,
            _range(check.measured),
            _range(check.allowed),
            "pass" if check.passed else "FAIL",
            style="" if check.passed else "bold red",
        )
    return table


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.3g} to {ends[1]:.3g}"


def _why_no_checks(result: GduResult) -> str:
    problem = result.problem
    if problem.exact:
        return "No two rows differ tenfold in beta or eta/beta: nothing to check."
    return (
        "No ratios are checked: Theorem 1 is exact only for energy-based dynamics without clamp, "
        "with output_slope and shared weights; elsewhere a distance remains at any beta."
    )
