"""The circuit of an experiment or a run, by the kernels and by ngspice, side by side."""
