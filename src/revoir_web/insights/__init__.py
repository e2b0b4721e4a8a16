"""The only door to the engines, metrics and reports; what they answered is kept and shown."""
