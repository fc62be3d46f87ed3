"""How an interface gets its addresses."""
