"""What goes over the wire, for the API's own description. The keys are those of `--json`."""
