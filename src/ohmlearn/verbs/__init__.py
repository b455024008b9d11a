"""One file per verb of the command line; :mod:`ohmlearn.cli` registers them."""
