"""Logs of evaluation tools, one reader a format, joined with a manifest into a table of runs."""
