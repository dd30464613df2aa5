"""The devices and machines of a training: hardware, distribution strategy and replicas."""
