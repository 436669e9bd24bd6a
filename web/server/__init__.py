"""The HTTP server: takes requests in and sends answers out at the pace of clients, in an event loop, for threads.

A client decides how fast it sends and how fast it reads, so nothing that others need is held meanwhile: the loop
receives a request whole, then a thread works on it through WSGI, then the loop sends the answer. All that a client can
hold (a connection, a body that arrives, a thread, an answer that waits) has a deadline, and is shared among networks:
`web.server.shares`. docs/decisions/0029 says why it is a server of our own.
"""
