"""Photos in bulk: a manifest cut into shards, each one Parquet file, written by any executor; see docs/scale.md."""
