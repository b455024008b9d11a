"""A memristor in series with its access transistor: the 1T1R cell, read and written."""
