"""Reader of administrative units from a file: geoBoundaries, GADM, Overture, Natural Earth, or custom data.

The only module in this package that needs geopandas.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geoagent.errors import InputError
from geoagent.optional import needs
from geoagent.places.gazetteer.country_codes import iso2_of_iso3
from geoagent.places.geo import latlon_from_lonlat
from geoagent.places.geocells.units import Units

if TYPE_CHECKING:
    from geoagent.places.gazetteer import Gazetteer

COUNTRY = (
    "country", "country_code", "countrycode", "iso_a2", "iso2", "iso_3166_1", "adm0_iso2", "shapegroup", "gid_0",
    "iso_a3", "iso3", "adm0_a3", "adm0_iso", "adm0_pcode", "iso", "adm0", "admin0", "name_0", "admin", "sovereign",
    "adm0_name",
)  # fmt: skip
ADMIN1 = (
    "admin1", "admin_1", "gid_1", "adm1_code", "adm1_pcode", "adm1", "name_1", "adm1_name", "region", "state",
    "province",
)  # fmt: skip
ADMIN2 = (
    "admin2", "admin_2", "gid_2", "adm2_code", "adm2_pcode", "adm2", "name_2", "adm2_name", "county", "district",
    "shapeid", "shapename", "id", "name",
)  # fmt: skip
"""Common column names, most specific first; case-insensitive."""


def read_units(
    path: str | Path,
    *,
    country: str | None = None,
    admin1: str | None = None,
    admin2: str | None = None,
    layer: str | None = None,
    gazetteer: Gazetteer | None = None,
) -> Units:
    """Read administrative units from GeoPackage, GeoJSON, Shapefile, GeoParquet or any other format that GDAL reads.

    Columns are detected by the names used in geoBoundaries (shapeGroup, shapeName), GADM (GID_0, GID_1, NAME_2),
    Overture (country, region) and Natural Earth (iso_a2, adm1_code). A file may contain several levels: where polygons
    overlap, the land belongs to the smaller one. Maritime areas (Overture's `class`) are skipped. GeoNames admin-1
    codes, which the rest of geoagent uses, are determined by each unit's location.

    Args:
        path: the file.
        country: column of the country: ISO alpha-2, alpha-3 or name; without one, the units' locations are used.
        admin1: column of the admin-1 unit, which keeps its parts together when cells are merged.
        admin2: column of the unit's own name or code, for messages.
        layer: layer of a file with several layers.
        gazetteer: gazetteer for the countries; by default the one that ships with geoagent.

    Raises:
        MissingDependency: geopandas is not installed.
        InputError: the file cannot be read, has no polygons, a column is missing, or a country is unknown.
    """
    from geoagent.places.gazetteer import Gazetteer

    frame = _frame(Path(path), layer)
    gazetteer = gazetteer or Gazetteer.load()
    by_lower = {str(name).lower(): str(name) for name in frame.columns if name != frame.geometry.name}
    geometry = frame.geometry.to_numpy()
    keep = np.array([g is not None and g.geom_type in ("Polygon", "MultiPolygon") and not g.is_empty for g in geometry])
    if "class" in by_lower:
        keep &= np.array([str(value).lower() != "maritime" for value in frame[by_lower["class"]]])
    if not keep.any():
        raise InputError(f"{path} has no polygons; units must be polygons or multipolygons")
    frame, geometry = frame[keep], geometry[keep]
    columns = {
        kind: _column(kind, asked, aliases, by_lower, path)
        for kind, asked, aliases in (
            ("country", country, COUNTRY),
            ("admin1", admin1, ADMIN1),
            ("admin2", admin2, ADMIN2),
        )
    }

    def values(kind: str) -> list[str]:
        name = columns[kind]
        return [""] * len(frame) if name is None else [_text(value) for value in frame[name]]

    import shapely

    lonlat = shapely.get_coordinates(shapely.point_on_surface(shapely.force_2d(geometry)))
    if (np.abs(lonlat[:, 0]) > 180).any() or (np.abs(lonlat[:, 1]) > 90).any():
        raise InputError(f"{path}: coordinates are beyond ±180° and ±90°; reproject the file to EPSG:4326")
    ours = Units.from_gazetteer(gazetteer)
    here = ours.cover.index(latlon_from_lonlat(lonlat))
    codes = _countries(values("country"), ours.country[here].tolist(), gazetteer, path)
    first = [code if code[:2] == own else "" for code, own in zip(ours.admin1[here].tolist(), codes, strict=True)]
    groups = values("admin1")
    group = [f"{own}/{name}" if name else code for own, name, code in zip(codes, groups, first, strict=True)]
    names = values("admin2")
    labels = [name or grp or f"{own} {i}" for i, (name, grp, own) in enumerate(zip(names, groups, codes, strict=True))]
    return Units.make(labels, codes, list(geometry), admin1=first, group=group)


def _frame(path: Path, layer: str | None) -> Any:
    with needs("geo", "geopandas", "pyogrio", "pyarrow"):
        import geopandas

        if not path.is_file():
            raise InputError(f"{path} is not an existing file; expected a GeoPackage, GeoJSON or GeoParquet file")
        try:
            if path.suffix.lower() in (".parquet", ".geoparquet", ".pq"):
                frame = geopandas.read_parquet(path)
            else:
                frame = geopandas.read_file(path, **({} if layer is None else {"layer": layer}))
        except ModuleNotFoundError:
            raise
        except Exception as error:  # GDAL, Arrow and pandas raise different types for a damaged file
            raise InputError(f"{path} cannot be read as a file of polygons: {error}") from error
    if not isinstance(frame, geopandas.GeoDataFrame) or not len(frame):
        raise InputError(f"{path} has no rows with a geometry; expected polygons of administrative units")
    if frame.crs is not None and not frame.crs.is_geographic:
        frame = frame.to_crs(4326)
    return frame


def _column(kind: str, asked: str | None, aliases: Sequence[str], by_lower: dict[str, str], path: Any) -> str | None:
    if asked is not None:
        if asked.lower() not in by_lower:
            raise InputError(f"{path} has no column {asked!r} for {kind}; it has {', '.join(by_lower.values())}")
        return by_lower[asked.lower()]
    return next((by_lower[alias] for alias in aliases if alias in by_lower), None)


def _text(value: Any) -> str:
    # Missing values are None, NaN or pandas' NA; NaN and NA do not compare equal to themselves.
    text = "" if value is None or (isinstance(value, float) and np.isnan(value)) else str(value).strip()
    return "" if text in ("<NA>", "nan", "None", "-1", "-99") else text


def _countries(values: list[str], there: list[str], gazetteer: Gazetteer, path: Any) -> list[str]:
    """Return the alpha-2 code of each unit from the column's value, else from the unit's location."""
    three = iso2_of_iso3()
    known: dict[str, str] = {"": ""}
    for value in dict.fromkeys(values):
        code = value.upper()
        if len(code) == 2 and code.isalpha() and gazetteer.country(code) is not None:
            known[value] = code
        elif code in three:
            known[value] = three[code]
        elif value and value not in known:
            named = [m.place.country for m in gazetteer.lookup(value) if m.place.level == "country"]
            known[value] = str(named[0]) if named else ""
    out = [known[value] or place for value, place in zip(values, there, strict=True)]
    lost = sorted({values[i] or f"row {i}" for i, code in enumerate(out) if not code})
    if lost:
        raise InputError(
            f"{path}: the country of {len(lost)} units is unknown: {', '.join(lost[:5])}; give the column "
            "of ISO codes with country=…"
        )
    return out
