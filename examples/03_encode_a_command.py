"""Encode commands: engineering values to bytes, with everything computed, checked and, if wrong, told at once."""

from pathlib import Path

from c2kit import CommandEncoder, CommandRefused, Dictionary

dictionary = Dictionary.load(Path(__file__).parent / "dictionary")
encoder = CommandEncoder(dictionary)

# States by name, defaults filled in; length, sequence count and CRC are computed.
command = encoder.encode("FIREFLY", "SET_MODE", {"MODE": "SAFE"})
print(command.data.hex(" "))
print({name: command.raw[name] for name in ("APID", "SEQUENCE_COUNT", "LENGTH", "MODE", "DURATION", "CRC")})

# The encoder remembers the sequence counts: the next command of this APID has the next one.
print(encoder.encode("FIREFLY", "NOOP").raw["SEQUENCE_COUNT"])

# Engineering values are converted back: 12.5 degC is the raw value 125.
heater = encoder.encode("FIREFLY", "SET_HEATER", {"HEATER": 2, "SETPOINT": 12.5})
print(heater.raw["SETPOINT"])

# Whoever can do harm should know before.
fire = encoder.encode("FIREFLY", "FIRE_THRUSTER", {"THRUST": 5, "DURATION": 200})
print(f"hazardous: {fire.is_hazardous}: {'; '.join(fire.hazards)}")

# All that is wrong is told at once, so that nobody has to try five times.
try:
    encoder.encode("FIREFLY", "SET_HEATER", {"HEATER": 9, "SETPOINT": "warm", "FAN": 1})
except CommandRefused as refused:
    print(refused)
