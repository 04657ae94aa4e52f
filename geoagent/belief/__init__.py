"""From evidence to a place: fusion, candidates, refinement, radii, calibration and explanation."""
