"""From the output of tools to nouns: what the host and its guests look like."""
