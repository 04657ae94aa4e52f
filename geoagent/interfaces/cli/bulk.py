"""`geoagent bulk` and `geoagent embed`: archives of photos, on one machine or many."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from geoagent.interfaces.cli._bulk import asked_of, bulk_options, folder_of, run_bulk, say
from geoagent.interfaces.cli._main import agent_options, load_config, parse_plug
from geoagent.interfaces.cli._params import ABSTAIN, BATCH, CONFIDENCE, PRECISION, WRITE, value_of

_BATCH = 16
_LEFT_OUT = frozenset({"dry_run", "llm", "llm_sees_picture", "narrative", "investigate"})


def _without_a_model(command: Any) -> Any:
    """Take the options of language models away: their caps and accounts are those of one process."""
    command.params = [param for param in command.params if param.name not in _LEFT_OUT]
    return command


@_without_a_model
@click.command()
@click.argument("url", metavar="INPUT")
@click.option("--out", required=True, metavar="DIR", help="Folder of the answers; goes on where it stopped.")
@click.option("--batch", type=BATCH, help="Photos that the encoder gets at once; 16 with --gpus, else 1.")
@bulk_options
@click.option("--keep-seen", is_flag=True, help="Keep what was seen: DIR can then be INPUT, to decide without photos.")
@click.option("--within", metavar="AREA[,AREA]", help="Restrict to these: country codes, or names of areas.")
@click.option("--not", "exclude", metavar="AREA[,AREA]", help="Exclude these.")
@click.option("--hint", metavar="TEXT", help="What you believe of all of them, in words.")
@click.option("--max-precision", type=PRECISION, help="Disclose nothing finer; auto: the finest probable level.")
@click.option("--confidence", type=CONFIDENCE, metavar="P", help="With auto: probability that a level must reach; 0.8.")
@click.option("--abstain-below", type=ABSTAIN, metavar="P", help="Name no place if its country is less probable.")
@agent_options
def bulk(url: str, out: str, batch: int | None, keep_seen: bool, **settings: Any) -> None:
    """Locate an archive of photos; the answers are a folder of Parquet files.

    INPUT is a folder, a CSV or Parquet file of paths or of photos, or WebDataset tars ("data/*.tar"); here or on any
    storage that fsspec reads (s3://, gs://), and so is DIR. Each photo stands in the answers exactly once, however
    often workers, this command or machines are ended: the same command goes on where it stopped. `geoagent export`
    and `geoagent compare --answers` read the folder. What INPUT holds is listed once, at the first run.

    \b
    Examples:
      geoagent bulk archive/ --out answers/
      geoagent bulk photos.csv --images archive/ --out answers/ --workers 8
      geoagent bulk "s3://bucket/*.tar" --out s3://bucket/answers --address auto
      geoagent bulk archive/ --out /shared/answers --part 3/16
      geoagent bulk archive/ --out answers/ --retry-errors
      geoagent bulk archive/ --out seen/ --keep-seen
      geoagent bulk seen/ --out again/ --world my-world
      geoagent export answers/ --csv answers.csv
    """
    from geoagent.agent.many import workers_of
    from geoagent.interfaces.bulk.answering import answers_plan

    asked = asked_of(settings)
    config = load_config(settings)
    if config.llm is not None:
        raise click.UsageError("a language model is called from one process: use geoagent locate --out")
    if config.max_precision != "auto" and settings.get("confidence") is not None:
        raise click.UsageError("--confidence needs --max-precision auto")
    with value_of("--workers"):
        workers = workers_of(config, asked.workers)
    batch = batch or (_BATCH if asked.gpus else 1)
    run = run_bulk(answers_plan(config, out, keep_seen=keep_seen, batch=batch), url, asked, workers)
    done = f"{run.rows - run.errors:,} of {run.photos:,} answered, {run.errors:,} failed"
    files = len(run.ours)
    say(run, asked, {"out": out}, f"{out}: {done}, in {files:,} file{'' if files == 1 else 's'}")
    if run.errors == run.photos:
        sys.exit(1)


@click.command()
@click.argument("url", metavar="INPUT")
@click.option("--encoder", "encoder_text", required=True, metavar="NAME[,k=v]", help="As for geoagent train.")
@click.option("--out", required=True, type=WRITE, help="FILE.npz or FILE.parquet, for geoagent train --data.")
@click.option("--batch", type=BATCH, default=_BATCH, help="Photos encoded at once; 16.")
@click.option("--half", is_flag=True, help="Store float16: half of the size.")
@bulk_options
def embed(url: str, encoder_text: str, out: Path, batch: int, half: bool, **settings: Any) -> None:
    """Embed an archive of photos, for `geoagent train`.

    INPUT is as for `geoagent bulk`. Places are the latitudes and longitudes of a table, or of the JSON files of a
    tar, else the positions that the photos claim; rows without one are kept, and train leaves them out. The work is
    kept in OUT.parts, from which the same command goes on where it stopped. Crops are an option of the encoder.

    \b
    Examples:
      geoagent embed places.csv --images archive/ --encoder onnx,model=encoder.onnx --out features.npz
      geoagent embed "data/*.tar" --encoder open_clip,model=ViT-B-32 --half --out features.parquet
      geoagent train --data features.npz --out my-world
    """
    from geoagent.agent.workers import sensible_workers
    from geoagent.interfaces.bulk.embedding import embeddings_plan, gather

    asked = asked_of(settings)
    if out.suffix not in (".npz", ".parquet"):
        raise click.UsageError(f"--out must end in .npz or .parquet, got {out.name}")
    plug = parse_plug("--encoder", encoder_text)
    assert plug is not None
    plan = embeddings_plan(plug, folder_of(out), batch=batch, half=half)
    workers = sensible_workers() if asked.workers == "auto" else asked.workers
    run = run_bulk(plan, url, asked, workers)
    if len(run.ours) < run.manifest.shards:
        say(
            run,
            asked,
            {"parts": plan.out},
            f"{plan.out}: {run.rows:,} photos of this part; without --part they are put together",
        )
        return
    count = gather(plan, out)
    line = f"{out}: {count:,} of {run.photos:,} photos embedded, {run.errors:,} failed"
    say(run, asked, {"out": str(out), "rows": count}, line)
