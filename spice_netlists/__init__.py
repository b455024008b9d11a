"""The place of SPICE netlists: the same networks, run by a circuit simulator.

Netlist export and the comparison with ngspice are not there yet; this room is empty. It may know
circuits and everything below, and shall not know training.
"""
