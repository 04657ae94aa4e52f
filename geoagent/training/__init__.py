"""Training a world on one's own photos; torch is imported where a head is trained."""

from geoagent.training.head import HeadSettings
from geoagent.training.table import Table, read_table
from geoagent.training.train import TrainSettings, train
from geoagent.training.tune import tune

__all__ = ["HeadSettings", "Table", "TrainSettings", "read_table", "train", "tune"]
