"""The command line: a thin skin over the library.

Exit codes: 0 an answer; 1 an error with photos or data, while working; 2 wrong usage, and a wrong value of an option is
that too (an unknown place, a file that is not there).
"""

from geoagent.interfaces.cli._main import main
from geoagent.interfaces.cli.bulk import bulk, embed
from geoagent.interfaces.cli.calibrate import calibrate
from geoagent.interfaces.cli.compare import compare
from geoagent.interfaces.cli.evaluate import evaluate
from geoagent.interfaces.cli.export import export
from geoagent.interfaces.cli.get import get
from geoagent.interfaces.cli.inspect import doctor, prompts, read, schema
from geoagent.interfaces.cli.learn import train, tune
from geoagent.interfaces.cli.locate import locate
from geoagent.interfaces.cli.reader import train_reader
from geoagent.interfaces.cli.verify import verify
from geoagent.interfaces.cli.web import mcp, web
from geoagent.interfaces.cli.world import geocells, world

for command in (locate, bulk, compare, verify, export, read, web, mcp, doctor, schema, prompts):
    main.add_command(command)
for command in (get, embed, train, tune, calibrate, evaluate, geocells, world, train_reader):
    main.add_command(command)

__all__ = ["main"]
