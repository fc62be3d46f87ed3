"""One file for each kind of link."""
