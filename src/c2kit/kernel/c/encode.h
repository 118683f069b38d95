/* Numbers to the bits of a packet. */
#ifndef C2KIT_ENCODE_H
#define C2KIT_ENCODE_H

#include "program.h"

/* The pattern of an integer; false where it is out of the element's range. */
bool pattern_of_unsigned(const struct element *element, uint64_t value, uint64_t *pattern);
bool pattern_of_signed(const struct element *element, int64_t value, uint64_t *pattern);

/* The pattern of an IEEE 754 number, rounded to even; false of a NaN, and where only an infinity is near enough. */
bool pattern_of_float(const struct element *element, double value, uint64_t *pattern);

/* Puts a pattern where read_element() would find it in `size` bytes of data; its bits were 0. */
void put_pattern(const struct element *element, uint8_t *data, int64_t size, int64_t bit, uint64_t pattern);

/* Puts whole bytes at any bit. */
void put_bytes(uint8_t *data, int64_t bit, const uint8_t *bytes, int64_t count);

#endif
