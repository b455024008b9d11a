"""Ways of writing an array: pulse schemes, half selection, write-verify, writing by the gate."""
