"""Energy, latency, area and wear of a run, from its record alone.

==================  =============================================================================
``constants``       what the periphery costs: published numbers and our choices, with ranges
``subject``         what is reported on: ``recorded`` by a run, or ``assumed`` before there is one
``reads``           power of array reads, in closed form
``budget``          energy and duration of every phase, by class of element
``latency``         what follows what, and which step is on the critical path
``area``            cells and periphery
``endurance``       pulses against what a cell endures
``advice``          what dominates, and what would halve it
``report``          all of it, as plain values
``text``            the same for the terminal, ``plain`` for programs, ``html`` as a page
``comparison``      runs side by side, with the numbers of their presets from ``resolved``
``report_figures``  the figures of the page, with ``timeline_figure`` and ``run_figures``
==================  =============================================================================

Nothing here imports a simulator or Numba; Matplotlib is imported on use, by the page alone.
"""
