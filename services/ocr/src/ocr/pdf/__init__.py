"""What opens PDFs, inside a process of its own with limits: nothing here knows of problems, settings or HTTP.

That process is started often and is meant to be thrown away: what is imported here is small.
"""
