"""`python -m geoagent` is the command `geoagent`."""

from geoagent.interfaces.cli import main

main(prog_name="geoagent")
