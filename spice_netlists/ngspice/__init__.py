"""Finding ngspice, running it, reading what it found."""
