"""From measured pulse traces to the parameters of a device model.

Importing this package imports neither Numba nor SciPy; the functions below do when called through
their modules: :mod:`.traces` reads, :mod:`.estimate` fits one model, :mod:`.compare` several,
:mod:`.noise` explains the rest, :mod:`.presets` makes a preset of it.
"""
