"""Plugs that stand in for slow ones, by their dotted path."""
