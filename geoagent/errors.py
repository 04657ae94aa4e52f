"""The error tree.

::

    GeoAgentError
    ├── CoordinateError    (ValueError)      an invalid coordinate, or lat and lon swapped
    ├── ShapeError         (ValueError)      an array of the wrong shape
    ├── PhotoError         (ValueError)      a file that is not a readable photo
    ├── ConfigError        (ValueError)      an unknown or malformed setting
    ├── InputError         (ValueError)      rows or options that cannot be used as given
    ├── ResourceError      (FileNotFoundError)  a data file of the package is missing or damaged
    ├── WorldError         (ValueError)      a world folder that is missing, broken or inconsistent
    ├── WeightsError       (RuntimeError)    encoder weights that are unavailable or do not fit
    ├── DownloadError      (RuntimeError)    a download that was refused, cut or damaged
    ├── OcrError           (RuntimeError)    an OCR engine that failed on a photo
    ├── ModelError         (RuntimeError)    a language model that returned nothing usable
    ├── MissingDependency  (ImportError)     an optional package that is not installed
    └── UnknownPlug        (LookupError)     no engine, encoder, source or refiner of that name

Every leaf also derives from the matching builtin exception. A message states what was received, what was expected and
what to do. Any other exception is a bug in geoagent.
"""

from __future__ import annotations


class GeoAgentError(Exception):
    """Base class of all errors that geoagent raises deliberately."""


class CoordinateError(GeoAgentError, ValueError):
    """A latitude or longitude that is not finite, out of range, or looks swapped."""


class ShapeError(GeoAgentError, ValueError):
    """An array of the wrong shape for the value built from it."""


class PhotoError(GeoAgentError, ValueError):
    """A file that cannot be read as a single still photo."""


class ConfigError(GeoAgentError, ValueError):
    """A setting that is unknown or has an invalid value."""


class InputError(GeoAgentError, ValueError):
    """Input rows or options that cannot be used as given."""


class ResourceError(GeoAgentError, FileNotFoundError):
    """A data file that ships with geoagent is missing or damaged."""


class WorldError(GeoAgentError, ValueError):
    """A world folder that is missing, broken, or whose parts do not match."""


class WeightsError(GeoAgentError, RuntimeError):
    """Weights of an encoder that are not available or do not fit the model."""


class DownloadError(GeoAgentError, RuntimeError):
    """A download that was refused, cut, stalled or damaged; the message says how to go on."""


class OcrError(GeoAgentError, RuntimeError):
    """An OCR engine that failed on a photo."""


class ModelError(GeoAgentError, RuntimeError):
    """A language model whose reply cannot be used."""


class MissingDependency(GeoAgentError, ImportError):
    """An optional package that is not installed; the message names the extra that provides it."""


class UnknownPlug(GeoAgentError, LookupError):
    """No plug of that name in the slot; the message lists the available ones."""
