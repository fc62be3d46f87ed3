"""Built-in plugins: each describes, as a plan, how one kind of link, address or guest is had."""
