"""``ohmlearn gdu``: what continual learning does beside backpropagation through time."""
