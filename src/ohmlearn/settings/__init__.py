"""What an experiment file may say, what that means, and how a wrong one is explained.

Sections and their fields are in :mod:`.sections` and the files named after them; :mod:`.conflicts`
says what does not fit together. :mod:`.overrides` and :mod:`.own_presets` change a file's content
before it is checked, and :mod:`.cell` finds the cell that it asks for.
"""
