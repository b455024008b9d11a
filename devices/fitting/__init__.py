"""From measured pulse traces to the parameters of a device model."""
