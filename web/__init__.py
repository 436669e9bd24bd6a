"""The web process: the API and the pages over HTTP, on Flask, and the frame that both share."""
