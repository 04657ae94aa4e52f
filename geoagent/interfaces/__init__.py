"""How people and programs meet the agent: command line, page, renderings and file formats."""
