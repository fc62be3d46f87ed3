"""One topology over many machines: an engine, a driver and a thread for each, one check over all of them."""
