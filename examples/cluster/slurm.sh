#!/bin/sh
#SBATCH --array=1-16
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --requeue
# Without Ray: an array of Slurm, each task a part of the shards. Photos and answers are on a filesystem that all see.
set -eu
geoagent bulk "$1" --out "$2" --shard 5000 --part "$SLURM_ARRAY_TASK_ID/16"
