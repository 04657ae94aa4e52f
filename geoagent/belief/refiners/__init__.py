"""From weighted candidates to one place. A plug is one file with `build(assets, **options)`; see `stages.Refiner`."""
