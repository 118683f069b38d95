#include "encode.h"

#include <string.h>

#include "bits.h"

bool pattern_of_unsigned(const struct element *element, uint64_t value, uint64_t *pattern)
{
    *pattern = value;
    return element->bits == 64 || value >> element->bits == 0;
}

bool pattern_of_signed(const struct element *element, int64_t value, uint64_t *pattern)
{
    int bits = element->bits;
    uint64_t sign = (uint64_t)1 << (bits - 1), mask = sign | (sign - 1);
    /* Of what is negative: the same without the sign, which a two's complement number has one more of. */
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (magnitude > sign - 1 && !(value < 0 && magnitude == sign && element->encoding == TWOS_COMPLEMENT))
        return false;
    if (value >= 0)
        *pattern = magnitude;
    else if (element->encoding == TWOS_COMPLEMENT)
        *pattern = (uint64_t)value & mask;
    else
        *pattern = element->encoding == ONES_COMPLEMENT ? ~magnitude & mask : magnitude | sign;
    return true;
}

/* A double as a half float; 0x7C00 or above, which is infinity, where it is too large. */
static uint64_t narrowed(uint64_t magnitude)
{
    int exponent = (int)(magnitude >> 52) - 1023;
    if (exponent < -25)
        return 0;
    if (exponent > 15)
        return 0x7C00;
    uint64_t fraction = (magnitude & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    int shift = exponent >= -14 ? 42 : 42 + (-14 - exponent);
    uint64_t half = fraction >> shift, rest = fraction & (((uint64_t)1 << shift) - 1), middle = (uint64_t)1 << (shift - 1);
    half += rest > middle || (rest == middle && half & 1);
    return exponent >= -14 ? ((uint64_t)(exponent + 14) << 10) + half : half;
}

bool pattern_of_float(const struct element *element, double value, uint64_t *pattern)
{
    const uint64_t infinity = (uint64_t)0x7FF << 52;
    uint64_t bits, sign, magnitude;
    memcpy(&bits, &value, 8);
    sign = bits >> 63;
    magnitude = bits & ~((uint64_t)1 << 63);
    if (magnitude > infinity)
        return false;
    if (element->bits == 64) {
        *pattern = bits;
        return true;
    }
    if (element->bits == 16) {
        uint64_t half = magnitude == infinity ? 0x7C00 : narrowed(magnitude);
        *pattern = sign << 15 | half;
        return half < 0x7C00 || magnitude == infinity;
    }
    /* What is at least half a step above the largest single float would be rounded to infinity. */
    if (magnitude != infinity && (value >= 0x1.ffffffp127 || value <= -0x1.ffffffp127))
        return false;
    float single = (float)value;
    uint32_t single_bits;
    memcpy(&single_bits, &single, 4);
    *pattern = single_bits;
    return true;
}

static void put_big(uint8_t *data, int64_t bit, int bits, uint64_t pattern)
{
    int skipped = (int)(bit & 7), bytes = (skipped + bits + 7) >> 3, behind = 8 * bytes - skipped - bits;
    uint8_t *last = data + (bit >> 3) + bytes - 1;
    *last = (uint8_t)(*last | pattern << behind);
    pattern >>= 8 - behind;
    for (int byte = 1; byte < bytes; byte++, pattern >>= 8)
        last[-byte] = (uint8_t)(last[-byte] | pattern);
}

static void put_little(uint8_t *data, int64_t bit, int bits, uint64_t pattern)
{
    int skipped = (int)(bit & 7), bytes = (skipped + bits + 7) >> 3;
    uint8_t *first = data + (bit >> 3);
    *first = (uint8_t)(*first | pattern << skipped);
    pattern >>= 8 - skipped;
    for (int byte = 1; byte < bytes; byte++, pattern >>= 8)
        first[byte] = (uint8_t)(first[byte] | pattern);
}

/* The same at once, where a word of eight bytes is there and holds it all. */
static void put_big_in_word(uint8_t *first, int skipped, int bits, uint64_t pattern)
{
    uint64_t word = big_endian_64(first) | pattern << (64 - skipped - bits);
    for (int byte = 0; byte < 8; byte++)
        first[byte] = (uint8_t)(word >> (56 - 8 * byte));
}

void put_pattern(const struct element *element, uint8_t *data, int64_t size, int64_t bit, uint64_t pattern)
{
    if (element->order == LITTLE) {
        put_little(data, bit, element->bits, pattern);
        return;
    }
    if (element->order == MIXED) {
        int bytes = element->bits / 8;
        uint64_t value = pattern;
        pattern = 0;
        for (int byte = 0; byte < bytes; byte++)
            pattern |= (value >> 8 * (bytes - 1 - byte) & 0xFF) << 8 * (bytes - 1 - element->places[byte]);
    }
    int skipped = (int)(bit & 7);
    if ((bit >> 3) + 8 <= size && skipped + element->bits <= 64)
        put_big_in_word(data + (bit >> 3), skipped, element->bits, pattern);
    else
        put_big(data, bit, element->bits, pattern);
}

void put_bytes(uint8_t *data, int64_t bit, const uint8_t *bytes, int64_t count)
{
    if (!(bit & 7)) {
        if (count)
            memcpy(data + (bit >> 3), bytes, (size_t)count);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        put_big(data, bit + 8 * i, 8, bytes[i]);
}
