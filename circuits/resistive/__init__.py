"""Resistive energy networks: nodes, conductances, diodes to rails, bidirectional amplifiers.

Their steady state minimises the co-content, so equilibrium propagation trains their conductances
with what each one sees itself: the voltage across it.
"""
