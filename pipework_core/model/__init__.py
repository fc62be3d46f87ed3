"""Nouns: frozen data. Nothing here reads or changes anything."""
