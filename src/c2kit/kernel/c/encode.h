/* Numbers to the bits of a packet.
 *
 * A packet is put together in words of 64 bits, whose most significant bit is the first one in the packet. What was put
 * a moment ago is then in the same word, or in another one; a processor waits where it reads bytes of which it has just
 * written some.
 */
#ifndef C2KIT_ENCODE_H
#define C2KIT_ENCODE_H

#include "program.h"

/* The words that so many bytes need. */
static inline int64_t words_of(int64_t bytes) { return (bytes + 7) / 8; }

/* The pattern of an integer; false where it is out of the element's range. */
static inline bool pattern_of_unsigned(const struct element *element, uint64_t value, uint64_t *pattern)
{
    *pattern = value;
    return element->bits == 64 || value >> element->bits == 0;
}

bool pattern_of_signed(const struct element *element, int64_t value, uint64_t *pattern);

/* Half a step above the largest single float: from there on a number is rounded to infinity. */
#define LEAST_ABOVE_SINGLE 0x1.ffffffp127

/* The pattern of an IEEE 754 number, rounded to even; false of a NaN, and where only an infinity is near enough. */
bool pattern_of_float(const struct element *element, double value, uint64_t *pattern);

/* Puts a pattern into a word so that so many bits are behind it; where these are less than none, into the next as well. */
static inline void put_before(uint64_t *word, int behind, uint64_t pattern)
{
    if (behind >= 0) {
        word[0] |= pattern << behind;
        return;
    }
    word[0] |= pattern >> -behind;
    word[1] |= pattern << (64 + behind);
}

/* Puts a pattern of 1 to 64 bits from a bit on, where there was none. */
static inline void put_bits(uint64_t *words, int64_t bit, int bits, uint64_t pattern)
{
    put_before(words + (bit >> 6), 64 - (int)(bit & 63) - bits, pattern);
}

/* Puts a pattern where read_element() would find it; its bits were 0. */
void put_pattern(const struct element *element, uint64_t *words, int64_t bit, uint64_t pattern);

/* Puts whole bytes at any bit. */
void put_bytes(uint64_t *words, int64_t bit, const uint8_t *bytes, int64_t count);

/* The first `size` bytes that the words are. */
void bytes_of(const uint64_t *words, uint8_t *data, int64_t size);

#endif
