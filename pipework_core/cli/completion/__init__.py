"""What a shell offers when somebody presses the Tab key: from the words before the cursor to candidates.

`shells/` has a script for each shell, which asks `pipework completion reply`. `usage` reads the usage lines of
commands, `reply` decides what kind of word is wanted, `values` lists those that there are.
"""
