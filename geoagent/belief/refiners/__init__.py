"""Refiners reduce weighted candidates to one place. A plug is one file with `build(assets, **options)`.

The interface is `protocols.Refiner`.
"""
