"""`python -m geoagent` is the command `geoagent`."""

from geoagent.cli import main

main(prog_name="geoagent")
