"""Nearest training photos, inside chosen cells. A plug is one file with `build(assets, **options)`."""
