"""What every route shares: the request context, authentication, bodies, replies, streams and the API document."""
