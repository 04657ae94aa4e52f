"""The command line: a thin skin over the library.

Exit codes: 0 an answer; 1 an error with photos or data, while working; 2 wrong usage, and a wrong value of an option is
that too (an unknown place, a file that is not there).
"""

from geoagent.cli._main import main
from geoagent.cli.calibrate import calibrate
from geoagent.cli.compare import compare
from geoagent.cli.evaluate import evaluate
from geoagent.cli.export import export
from geoagent.cli.inspect import doctor, prompts, read, schema
from geoagent.cli.learn import train, tune
from geoagent.cli.locate import locate
from geoagent.cli.verify import verify
from geoagent.cli.web import mcp, web
from geoagent.cli.world import geocells, world

for command in (locate, compare, verify, export, read, web, mcp, doctor, schema, prompts):
    main.add_command(command)
for command in (train, tune, calibrate, evaluate, geocells, world):
    main.add_command(command)

__all__ = ["main"]
