"""The error tree.

::

    GeoAgentError
    ├── CoordinateError    (ValueError)      a coordinate that cannot be, or lat and lon swapped
    ├── ShapeError         (ValueError)      an array of another shape than the value needs
    ├── PhotoError         (ValueError)      a file that is no readable photo
    ├── ConfigError        (ValueError)      an unknown or malformed setting
    ├── InputError         (ValueError)      rows or options that cannot be used as given
    ├── ResourceError      (FileNotFoundError)  a data file of the package is missing or damaged
    ├── WorldError         (ValueError)      a world folder that does not fit together
    ├── WeightsError       (RuntimeError)    an encoder whose weights cannot be had or do not fit
    ├── OcrError           (RuntimeError)    an OCR engine that failed on a photo
    ├── ModelError         (RuntimeError)    a language model that gave nothing that can be used
    ├── MissingDependency  (ImportError)     an optional package that is not installed
    └── UnknownPlug        (LookupError)     no engine, encoder, source or refiner of that name

Every leaf is also the builtin that a caller would have caught anyway. A message says what was got, what was wanted and
what to do. Anything that is not a `GeoAgentError` is a defect of geoagent.
"""

from __future__ import annotations


class GeoAgentError(Exception):
    """Root of every error that geoagent raises on purpose."""


class CoordinateError(GeoAgentError, ValueError):
    """A latitude or longitude that is not finite, out of range, or looks swapped."""


class ShapeError(GeoAgentError, ValueError):
    """An array whose shape does not fit the value that it should become."""


class PhotoError(GeoAgentError, ValueError):
    """A file that cannot be read as one still photo."""


class ConfigError(GeoAgentError, ValueError):
    """A setting that is unknown or has an invalid value."""


class InputError(GeoAgentError, ValueError):
    """Input rows or options that cannot be used as given."""


class ResourceError(GeoAgentError, FileNotFoundError):
    """A data file that ships with geoagent is missing or damaged."""


class WorldError(GeoAgentError, ValueError):
    """A world folder that is missing, broken, or whose parts do not belong together."""


class WeightsError(GeoAgentError, RuntimeError):
    """Weights of an encoder that are not available or do not fit the model."""


class OcrError(GeoAgentError, RuntimeError):
    """An OCR engine that failed on a photo."""


class ModelError(GeoAgentError, RuntimeError):
    """A language model whose reply cannot be used."""


class MissingDependency(GeoAgentError, ImportError):
    """An optional package that is not installed; the message says which extra brings it."""


class UnknownPlug(GeoAgentError, LookupError):
    """No plug of that name in the slot; the message lists those that exist."""
