"""Plain data that install, uninstall and the code agree on."""
