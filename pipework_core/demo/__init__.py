"""`pipework demo`: what pipework does, shown in a host of its own."""
