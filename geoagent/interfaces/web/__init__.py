"""geoagent as a page, an HTTP API and tools for assistants.

`app.create_app` puts the server together: `guard` refuses what does not belong, `forms` reads uploads into memory,
`desk` hands photos to worker processes (`readers`), `memory` keeps what was observed, `api` and `page` answer.
`tools` is the same agent for assistants that speak the Model Context Protocol.
"""
