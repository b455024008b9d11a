"""Names in netlists: of one alphabet, not too long, and different where long texts differ."""

from __future__ import annotations

import re

from ohmlearn.spice_netlists.names import name


def test_long_texts_that_differ_at_their_ends_have_different_names():
    found = [name("a" * 300 + end) for end in ("", "b", "0", "ä", "\ud800")]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch("[a-z][a-z0-9_]{1,59}", one) for one in found)


def test_a_name_of_sixty_letters_stays_as_it_is():
    assert name("A" * 60) == "a" * 60
    assert name("1" * 58) == "n_" + "1" * 58
