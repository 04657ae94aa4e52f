"""Evaluation of a world on photos with known places."""

from geoagent.worlds.evaluation.evaluate import evaluate
from geoagent.worlds.evaluation.report import Report

__all__ = ["Report", "evaluate"]
