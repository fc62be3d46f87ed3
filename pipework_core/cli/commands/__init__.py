"""One module a command, named in the table `spec.options.COMMANDS`; each holds what `cli.command.CommandModule` says.

A command is imported when it is run, all of them for `--help`: they import what they work with inside functions.
"""
