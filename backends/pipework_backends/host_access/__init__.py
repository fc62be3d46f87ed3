"""How the host itself takes part in a network: `pipework host`."""
