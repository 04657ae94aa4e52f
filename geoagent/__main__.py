"""Run the `geoagent` command with `python -m geoagent`."""

from geoagent.interfaces.cli import main

main(prog_name="geoagent")
