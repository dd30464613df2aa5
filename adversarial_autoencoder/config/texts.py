"""What a text stands for."""


def is_number(text: str) -> bool:
    """Whether a text is a number, as `float` reads it."""
    try:
        float(text)
    except ValueError:
        return False
    return True
