"""The devices and machines that a training runs on."""
