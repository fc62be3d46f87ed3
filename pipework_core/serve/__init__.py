"""The API: HTTP on a Unix socket, or on loopback. The engine runs in threads; nothing here is printed."""
