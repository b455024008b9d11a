"""Many runs of one experiment: designs, points, a log that survives kills, engines, results.

:mod:`.design` says which points, :mod:`.plan` turns them into jobs of plain data,
:mod:`.points` and :mod:`.reading` compute one, :mod:`.engine` and :mod:`.cluster` compute many,
:mod:`.store` keeps what is done, :mod:`.tidy` writes the table and :mod:`.figures` draws it.
:mod:`.tolerance` asks for the largest spread that still meets an accuracy.
"""
