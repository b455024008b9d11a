"""The device models, one file each; a file that defines ``DEVICE`` is found by itself."""
