"""From nouns to commands: what link backends share. Pure."""
