"""What a text means to the tool that reads it: which of it runs code, redirects traffic or opens the machine.

Each part yields ids of `pigi.domain.resources.rules`; `pigi.domain.resources.lint` says where they were broken.
Everything here goes by meaning: a rule that can be written in ten ways is looked for in all of them.
"""
