"""The picture of a host: built from what `ls` knows or from a topology file, and written as text, SVG or JSON."""
