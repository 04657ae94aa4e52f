"""From cues to soft constraints over places. A plug is one file with `build(assets, **options)`."""
