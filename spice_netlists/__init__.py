"""The same networks as SPICE: written as netlists, run by ngspice, held against the kernels.

:mod:`.parts` writes what a circuit is made of (devices, cells, tiles, pulses), :mod:`.networks`
whole networks with their test benches, :mod:`.ngspice` finds and runs the simulator. This room
knows circuits and everything below, not training.
"""
