"""Features: figures of every customer on a day, one file a canonical table."""
