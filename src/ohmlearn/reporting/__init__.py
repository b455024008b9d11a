"""Energy, latency, area and wear of a run, from its record alone.

=================  ==============================================================================
``constants``      what the periphery costs: published numbers and our choices, with ranges
``subject``        what is reported on: read from a record, or assumed before anything is run
``reads``          power of array reads, in closed form
``budget``         energy and duration of every phase, by class of element
``latency``        what follows what, and which step is on the critical path
``area``           cells and periphery
``endurance``      pulses against what a cell endures
``advice``         what dominates, and what would halve it
``report``         all of it, as plain values
``text``, ``plain``, ``html``, ``report_figures``  the same for people and programs
=================  ==============================================================================

Nothing here imports a simulator or Numba; Matplotlib is imported by ``report_figures`` on use.
"""
