"""The use cases, as a library: requests in, reports out. Nothing here prints or exits."""
