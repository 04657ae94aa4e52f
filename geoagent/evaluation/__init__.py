"""Measuring a world on photos whose places are known."""

from geoagent.evaluation.evaluate import evaluate
from geoagent.evaluation.report import Report

__all__ = ["Report", "evaluate"]
