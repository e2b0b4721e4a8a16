"""What customers agreed to, their preferences, their data in a file, and their erasure."""
