"""The API and the page of a host, over HTTP."""
