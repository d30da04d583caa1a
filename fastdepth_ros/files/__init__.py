"""Files and folders that others may have touched: read with bounds, written whole or not at all, trusted by owner."""
