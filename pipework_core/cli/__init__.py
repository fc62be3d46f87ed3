"""The command line: argv in, an exit code out. The only place that prints or exits."""
