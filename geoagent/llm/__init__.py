"""Language models. A plug is one file with `build(assets, **options)`; none is called unless the user configures it."""
