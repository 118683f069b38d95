"""Commands: who issues them, what gives them their bytes, what becomes of them."""
