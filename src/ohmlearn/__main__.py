"""``python -m ohmlearn``."""

from .cli import main

main()
