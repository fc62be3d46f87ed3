"""The one door for plugins, the built-in ones included."""
