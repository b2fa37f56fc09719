"""Job functions that leave a record, or do what no job should."""
