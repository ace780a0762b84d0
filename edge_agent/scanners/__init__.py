"""QR in: what is before the lens becomes a short, clean text; only here zxing-cpp and pyzbar."""
