"""Measuring a world on photos whose places are known."""

from geoagent.worlds.evaluation.evaluate import evaluate
from geoagent.worlds.evaluation.report import Report

__all__ = ["Report", "evaluate"]
