"""What a worker can do.

A job is a function of a few lines that calls one operation; `tasks.runtime` claims it, runs it, and settles
it. A sweep is a job that a schedule asked for.
"""
