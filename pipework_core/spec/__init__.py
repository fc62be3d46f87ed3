"""From words to nouns: options, addresses, attachments. Pure."""
