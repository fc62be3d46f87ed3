"""`pipework doctor`: examines a host by checks, which are plugins, and changes nothing."""
