"""What pipework says of itself, put together from the tables that the code runs on.

`pages` has the pages, made of `sections`, whose sentences stand in `words` where no table has them; `text` prints pages
for a terminal, and `roff` as a man page. Nothing here is imported by a run that attaches.
"""
