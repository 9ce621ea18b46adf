"""From a table to the batches of an epoch, read by several processes."""
