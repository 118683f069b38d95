#include "crc.h"

#include "bits.h"

static uint64_t mirrored(uint64_t value, int width)
{
    uint64_t result = 0;
    for (int bit = 0; bit < width; bit++)
        result |= (value >> bit & 1) << (width - 1 - bit);
    return result;
}

static uint64_t remainder_of(uint64_t byte, uint64_t polynomial, bool is_mirrored)
{
    uint64_t value = is_mirrored ? byte : byte << 56;
    for (int bit = 0; bit < 8; bit++) {
        bool carry = is_mirrored ? value & 1 : value >> 63;
        value = (is_mirrored ? value >> 1 : value << 1) ^ (carry ? polynomial : 0);
    }
    return value;
}

void crc_init(struct crc *crc, int width, uint64_t polynomial, uint64_t initial, bool reflect_in, bool reflect_out,
              uint64_t xor_out)
{
    int shift = 64 - width;
    crc->width = width;
    crc->reflect_in = reflect_in;
    crc->reflect_out = reflect_out;
    crc->xor_out = xor_out;
    crc->initial = reflect_in ? mirrored(initial, width) : initial << shift;
    uint64_t aligned = reflect_in ? mirrored(polynomial, width) : polynomial << shift;
    for (int byte = 0; byte < 256; byte++)
        crc->tables[0][byte] = remainder_of((uint64_t)byte, aligned, reflect_in);
    for (int after = 1; after < 8; after++)
        for (int byte = 0; byte < 256; byte++) {
            uint64_t value = crc->tables[after - 1][byte];
            crc->tables[after][byte] = reflect_in ? value >> 8 ^ crc->tables[0][value & 0xFF]
                                                  : value << 8 ^ crc->tables[0][value >> 56];
        }
}

/* What the register leaves behind once it has swallowed eight bytes; `T` is the table of the byte that came first. */
#define EIGHT_BYTES(r, t, T0, STEP)                                                                                   \
    ((t)[T0][(r) & 0xFF] ^ (t)[(T0) + (STEP)][(r) >> 8 & 0xFF] ^ (t)[(T0) + 2 * (STEP)][(r) >> 16 & 0xFF]             \
     ^ (t)[(T0) + 3 * (STEP)][(r) >> 24 & 0xFF] ^ (t)[(T0) + 4 * (STEP)][(r) >> 32 & 0xFF]                            \
     ^ (t)[(T0) + 5 * (STEP)][(r) >> 40 & 0xFF] ^ (t)[(T0) + 6 * (STEP)][(r) >> 48 & 0xFF]                            \
     ^ (t)[(T0) + 7 * (STEP)][(r) >> 56])

static inline uint64_t step_mirrored(const struct crc *crc, uint64_t value, const uint8_t *p)
{
    value ^= little_endian_64(p);
    return EIGHT_BYTES(value, crc->tables, 7, -1);
}

static inline uint64_t step_upright(const struct crc *crc, uint64_t value, const uint8_t *p)
{
    value ^= big_endian_64(p);
    return EIGHT_BYTES(value, crc->tables, 0, 1);
}

/* Two packets at a time: a step must wait for the one before, but not for that of another packet. */
#define CRC_OF(NAME, STEP, BYTE)                                                                                      \
    static uint64_t NAME##_rest(const struct crc *crc, uint64_t value, const uint8_t *p, int64_t size)                \
    {                                                                                                                 \
        for (; size >= 8; size -= 8, p += 8)                                                                          \
            value = STEP(crc, value, p);                                                                              \
        for (; size > 0; size--, p++)                                                                                 \
            value = BYTE;                                                                                             \
        return value;                                                                                                 \
    }                                                                                                                 \
    static void NAME(const struct crc *crc, const uint8_t *data, const int64_t *starts, const int64_t *ends,          \
                     int64_t count, uint64_t *values)                                                                 \
    {                                                                                                                 \
        int64_t i = 0;                                                                                                \
        for (; i + 1 < count; i += 2) {                                                                               \
            const uint8_t *one = data + starts[i], *other = data + starts[i + 1];                                     \
            int64_t one_size = ends[i] - starts[i], other_size = ends[i + 1] - starts[i + 1];                         \
            uint64_t one_value = crc->initial, other_value = crc->initial;                                            \
            while (one_size >= 8 && other_size >= 8) {                                                                \
                one_value = STEP(crc, one_value, one);                                                                \
                other_value = STEP(crc, other_value, other);                                                          \
                one += 8, other += 8, one_size -= 8, other_size -= 8;                                                 \
            }                                                                                                         \
            values[i] = NAME##_rest(crc, one_value, one, one_size);                                                   \
            values[i + 1] = NAME##_rest(crc, other_value, other, other_size);                                         \
        }                                                                                                             \
        if (i < count)                                                                                                \
            values[i] = NAME##_rest(crc, crc->initial, data + starts[i], ends[i] - starts[i]);                        \
    }

CRC_OF(crc_mirrored, step_mirrored, value >> 8 ^ crc->tables[0][(value ^ *p) & 0xFF])
CRC_OF(crc_upright, step_upright, value << 8 ^ crc->tables[0][value >> 56 ^ *p])

void crc_of(const struct crc *crc, const uint8_t *data, const int64_t *starts, const int64_t *ends, int64_t count,
            uint64_t *values)
{
    (crc->reflect_in ? crc_mirrored : crc_upright)(crc, data, starts, ends, count, values);
    for (int64_t i = 0; i < count; i++) {
        uint64_t value = crc->reflect_in ? values[i] : values[i] >> (64 - crc->width);
        values[i] = (crc->reflect_in == crc->reflect_out ? value : mirrored(value, crc->width)) ^ crc->xor_out;
    }
}
