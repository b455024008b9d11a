"""What ``ohmlearn fit`` prints and draws."""
