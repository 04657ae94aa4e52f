"""The command line: a thin skin over the library. Exit codes: 0 an answer, 1 an error, 2 wrong usage."""

from geoagent.cli._main import main
from geoagent.cli.calibrate import calibrate
from geoagent.cli.compare import compare
from geoagent.cli.evaluate import evaluate
from geoagent.cli.export import export
from geoagent.cli.inspect import doctor, prompts, read, schema
from geoagent.cli.learn import train, tune
from geoagent.cli.locate import locate
from geoagent.cli.verify import verify
from geoagent.cli.world import geocells, world

for command in (locate, compare, verify, export, read, doctor, schema, prompts):
    main.add_command(command)
for command in (train, tune, calibrate, evaluate, geocells, world):
    main.add_command(command)

__all__ = ["main"]
