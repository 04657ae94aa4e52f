"""Constraint sources: turn cues into soft constraints over places. Each is one file with `build(assets, **options)`."""
