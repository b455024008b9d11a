"""The Hopfield-type network as a circuit in time: leaky integrators coupled by crossbars.

docs/circuit.md says which circuit this is; the clocked form of it is in :mod:`..dynamics`.
"""
