"""Refiners: from weighted candidates to one place. A plug is one file with `build(assets, **options)`.

The seam is `protocols.Refiner`.
"""
