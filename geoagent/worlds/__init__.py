"""Worlds: geocells with a prior and, optionally, a head and a gallery; training and evaluation."""
