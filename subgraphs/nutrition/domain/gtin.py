"""Barcodes of goods: GTIN-8, -12, -13 and -14 are one number in 14 digits, the last of which checks the rest."""

_LENGTHS = (8, 12, 13, 14)


def normalise_gtin(text: str) -> str | None:
    """The 14-digit form; None for what is no GTIN, a wrong check digit included. Blanks and hyphens are ignored."""
    digits = text.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in _LENGTHS:
        return None
    padded = digits.zfill(14)
    return padded if int(padded[-1]) == check_digit(padded[:-1]) else None


def shortest_gtin(gtin: str) -> str:
    """Of the 14-digit form, what stands on the package: 8, 13 or 14 digits; twelve are told as thirteen."""
    digits = gtin.lstrip("0")
    return digits.zfill(8 if len(digits) <= 8 else 13)


def check_digit(digits: str) -> int:
    """The digit that makes the weighted sum (3, 1, 3 … from the right) a multiple of ten."""
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -weighted % 10
