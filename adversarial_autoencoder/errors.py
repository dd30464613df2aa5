"""The error for what a user can put right."""


class InputError(ValueError):
    """Input that cannot be used; one line: what was expected, then `Received:` what came."""

    def __init__(self, message):
        # File names and the messages of other libraries, which are quoted, may have line breaks.
        super().__init__(" ".join(str(message).splitlines()))
