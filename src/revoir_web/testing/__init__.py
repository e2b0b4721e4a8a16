"""What tests of the application stand on; not needed to run it."""
