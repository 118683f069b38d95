#include "encode.h"

#include <string.h>

#include "bits.h"

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
    if (magnitude != infinity && (value >= LEAST_ABOVE_SINGLE || value <= -LEAST_ABOVE_SINGLE))
        return false;
    float single = (float)value;
    uint32_t single_bits;
    memcpy(&single_bits, &single, 4);
    *pattern = single_bits;
    return true;
}

static uint64_t swapped(uint64_t word)
{
    uint8_t bytes[8];
    put_big_endian_64(bytes, word);
    return little_endian_64(bytes);
}

/* A little-endian pattern: the bytes that hold it are those of a number which begins `skipped` bits above its end. */
static void put_little(uint64_t *words, int64_t bit, int bits, uint64_t pattern)
{
    int skipped = (int)(bit & 7), bytes = (skipped + bits + 7) >> 3;
    int64_t first = bit - skipped;
    if (bytes > 8) {
        put_bits(words, first + 64, 8, pattern >> (64 - skipped));
        bytes = 8;
    }
    put_bits(words, first, 8 * bytes, swapped(pattern << skipped) >> (64 - 8 * bytes));
}

static uint64_t arranged(const struct element *element, uint64_t value)
{
    int bytes = element->bits / 8;
    uint64_t pattern = 0;
    for (int byte = 0; byte < bytes; byte++)
        pattern |= (value >> 8 * (bytes - 1 - byte) & 0xFF) << 8 * (bytes - 1 - element->places[byte]);
    return pattern;
}

void put_pattern(const struct element *element, uint64_t *words, int64_t bit, uint64_t pattern)
{
    if (element->order == LITTLE)
        put_little(words, bit, element->bits, pattern);
    else
        put_bits(words, bit, element->bits, element->order == BIG ? pattern : arranged(element, pattern));
}

void put_bytes(uint64_t *words, int64_t bit, const uint8_t *bytes, int64_t count)
{
    for (; count >= 8; bit += 64, bytes += 8, count -= 8)
        put_bits(words, bit, 64, big_endian_64(bytes));
    if (count)
        put_bits(words, bit, 8 * (int)count, big_endian(bytes, (int)count));
}

void bytes_of(const uint64_t *words, uint8_t *data, int64_t size)
{
    for (; size >= 8; words++, data += 8, size -= 8)
        put_big_endian_64(data, *words);
    for (int byte = 0; byte < size; byte++)
        data[byte] = (uint8_t)(*words >> (56 - 8 * byte));
}
