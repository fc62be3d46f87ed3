"""What pipework says of itself, put together from the tables that the code runs on.

`pages` has the pages, of sections (`model`), whose words stand in `words`; `text` prints them for a terminal, and `roff`
as a man page. Nothing here is imported by a run that attaches.
"""
