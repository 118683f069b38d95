#include "elements.h"

#include "bits.h"

/* -- What a pattern means --------------------------------------------------------------------------------------- */

/* A half float as a single one. A NaN keeps its sign and payload, whatever the processor would make of it. */
static uint32_t widened(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    if (exponent == 0x1F)
        return sign | 0x7F800000 | fraction << 13;
    if (exponent)
        return sign | (exponent + 127 - 15) << 23 | fraction << 13;
    if (!fraction)
        return sign;
    exponent = 127 - 14;
    while (!(fraction & 0x400)) {
        fraction <<= 1;
        exponent--;
    }
    return sign | exponent << 23 | (fraction & 0x3FF) << 13;
}

/* MIL-STD-1750A, 4.1.4 and 4.1.5: a two's complement fraction, its binary point after the sign, whose lower 16 bits, if
 * it has them, stand behind the exponent. Any of them is a double exactly. */
static uint64_t mil_std_1750a(uint64_t pattern, int bits)
{
    int lower = bits - 32;
    uint64_t upper = pattern >> lower;
    int exponent = (int)sign_extended(upper, 8) - (23 + lower);
    int64_t fraction = sign_extended(upper >> 8 << lower | (pattern & (((uint64_t)1 << lower) - 1)), 24 + lower);
    uint64_t power = (uint64_t)(exponent + 1023) << 52, value_bits;
    double factor, value;
    memcpy(&factor, &power, 8);
    value = (double)fraction * factor;
    memcpy(&value_bits, &value, 8);
    return value_bits;
}

/* The bits of a value in its column; of integers all 64, of which the column takes the lower ones. */
static uint64_t value_of(uint64_t pattern, int encoding, int bits)
{
    switch (encoding) {
    case TWOS_COMPLEMENT:
        return (uint64_t)sign_extended(pattern, bits);
    case ONES_COMPLEMENT: {
        int64_t value = sign_extended(pattern, bits);
        return (uint64_t)(value + (value < 0));
    }
    case SIGN_MAGNITUDE: {
        uint64_t sign = (uint64_t)1 << (bits - 1), magnitude = pattern & (sign - 1);
        return pattern & sign ? 0 - magnitude : magnitude;
    }
    case IEEE754:
        return bits == 16 ? widened((uint32_t)pattern) : pattern;
    case MIL_STD_1750A:
        return mil_std_1750a(pattern, bits);
    default:
        return pattern;
    }
}

static inline void put_value(void *place, uint64_t value, int width)
{
    uint8_t byte = (uint8_t)value;
    uint16_t half = (uint16_t)value;
    uint32_t word = (uint32_t)value;
    switch (width) {
    case 1: memcpy(place, &byte, 1); break;
    case 2: memcpy(place, &half, 2); break;
    case 4: memcpy(place, &word, 4); break;
    default: memcpy(place, &value, 8); break;
    }
}

/* -- One element anywhere ---------------------------------------------------------------------------------------- */

static uint64_t arranged(uint64_t pattern, const struct element *element)
{
    int bytes = element->bits / 8;
    uint64_t value = 0;
    for (int byte = 0; byte < bytes; byte++)
        value = value << 8 | (pattern >> 8 * (bytes - 1 - element->places[byte]) & 0xFF);
    return value;
}

uint64_t pattern_at(const struct element *element, const uint8_t *data, int64_t bit)
{
    int bits = element->bits, skipped = (int)(bit & 7), bytes = (skipped + bits + 7) >> 3;
    const uint8_t *first = data + (bit >> 3);
    if (element->order == LITTLE)
        return little_endian_bits(first, bytes, skipped, bits);
    uint64_t pattern = big_endian_bits(first, bytes, skipped, bits);
    return element->order == BIG ? pattern : arranged(pattern, element);
}

void read_element(const struct element *element, const uint8_t *data, int64_t bit, void *value)
{
    uint64_t pattern = pattern_at(element, data, bit);
    put_value(value, value_of(pattern, element->encoding, element->bits), element->width);
}

/* -- Words ---------------------------------------------------------------------------------------------------------- */

bool element_is_word(const struct element *element)
{
    bool is_bare = element->encoding <= TWOS_COMPLEMENT || element->encoding == BYTES
        || (element->encoding == IEEE754 && element->bits != 16);
    bool is_whole = element->bits == 8 || element->bits == 16 || element->bits == 32 || element->bits == 64;
    return is_bare && is_whole && element->order != MIXED;
}

/* Copies words that stand one after another, and swaps their bytes where they are not in the machine's order. */
#define COPY_WORDS(NAME, TYPE, LOAD)                                                                                  \
    static void NAME(const uint8_t *from, int64_t count, uint8_t *to)                                                 \
    {                                                                                                                 \
        for (int64_t i = 0; i < count; i++) {                                                                         \
            TYPE word = (TYPE)LOAD(from + i * (int64_t)sizeof(TYPE));                                                  \
            memcpy(to + i * (int64_t)sizeof(TYPE), &word, sizeof(TYPE));                                               \
        }                                                                                                             \
    }

COPY_WORDS(copy_big_16, uint16_t, big_endian_16)
COPY_WORDS(copy_big_32, uint32_t, big_endian_32)
COPY_WORDS(copy_big_64, uint64_t, big_endian_64)
COPY_WORDS(copy_little_16, uint16_t, little_endian_16)
COPY_WORDS(copy_little_32, uint32_t, little_endian_32)
COPY_WORDS(copy_little_64, uint64_t, little_endian_64)

static void copy_words(const struct element *element, const uint8_t *from, int64_t count, uint8_t *to)
{
    bool is_little = element->order == LITTLE;
    switch (element->bits) {
    case 8:
        if (count)
            memcpy(to, from, (size_t)count);
        break;
    case 16: (is_little ? copy_little_16 : copy_big_16)(from, count, to); break;
    case 32: (is_little ? copy_little_32 : copy_big_32)(from, count, to); break;
    default: (is_little ? copy_little_64 : copy_big_64)(from, count, to); break;
    }
}

void read_sequence(const struct field *field, const uint8_t *data, int64_t bit, int64_t count, uint8_t *values)
{
    const struct element *element = &field->element;
    if (field->is_word && !(bit & 7)) {
        copy_words(element, data + (bit >> 3), count, values);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        read_element(element, data, bit + i * element->bits, values + i * element->width);
}

/* -- One number at one place in many packets ------------------------------------------------------------------------ */

/* Each loop below is for one size of field, so that nothing is decided within it. Packets at even steps, which most are
 * that come from one recording, need not even be looked up. */
#define FOR_EACH_PACKET(NAME, TYPE, VALUE)                                                                            \
    static void NAME(const struct field *field, const uint8_t *data, const int64_t *starts, int64_t step,             \
                     int64_t count, void *values)                                                                     \
    {                                                                                                                 \
        const int bits = field->element.bits, skipped = (int)(field->start & 7);                                      \
        const uint8_t *first = data + (field->start >> 3), *p = first + starts[0];                                    \
        TYPE *to = values;                                                                                            \
        (void)bits, (void)skipped;                                                                                    \
        if (step >= 0) {                                                                                              \
            for (int64_t i = 0; i < count; i++, p += step)                                                            \
                to[i] = (TYPE)(VALUE);                                                                                \
            return;                                                                                                   \
        }                                                                                                             \
        for (int64_t i = 0; i < count; i++) {                                                                         \
            p = first + starts[i];                                                                                    \
            to[i] = (TYPE)(VALUE);                                                                                    \
        }                                                                                                             \
    }

FOR_EACH_PACKET(word_8, uint8_t, p[0])
FOR_EACH_PACKET(word_16_big, uint16_t, big_endian_16(p))
FOR_EACH_PACKET(word_32_big, uint32_t, big_endian_32(p))
FOR_EACH_PACKET(word_64_big, uint64_t, big_endian_64(p))
FOR_EACH_PACKET(word_16_little, uint16_t, little_endian_16(p))
FOR_EACH_PACKET(word_32_little, uint32_t, little_endian_32(p))
FOR_EACH_PACKET(word_64_little, uint64_t, little_endian_64(p))

#define BIT_READERS(TYPE, WIDTH, BYTES)                                                                               \
    FOR_EACH_PACKET(unsigned_##WIDTH##_big_##BYTES, TYPE, big_endian_bits(p, BYTES, skipped, bits))                   \
    FOR_EACH_PACKET(signed_##WIDTH##_big_##BYTES, TYPE, sign_extended(big_endian_bits(p, BYTES, skipped, bits), bits)) \
    FOR_EACH_PACKET(unsigned_##WIDTH##_little_##BYTES, TYPE, little_endian_bits(p, BYTES, skipped, bits))             \
    FOR_EACH_PACKET(signed_##WIDTH##_little_##BYTES, TYPE,                                                            \
                    sign_extended(little_endian_bits(p, BYTES, skipped, bits), bits))

/* A number of as many bits as need a column of some width lies in so many bytes. */
BIT_READERS(uint8_t, 8, 1)
BIT_READERS(uint8_t, 8, 2)
BIT_READERS(uint16_t, 16, 2)
BIT_READERS(uint16_t, 16, 3)
BIT_READERS(uint32_t, 32, 3)
BIT_READERS(uint32_t, 32, 4)
BIT_READERS(uint32_t, 32, 5)
BIT_READERS(uint64_t, 64, 5)
BIT_READERS(uint64_t, 64, 6)
BIT_READERS(uint64_t, 64, 7)
BIT_READERS(uint64_t, 64, 8)
BIT_READERS(uint64_t, 64, 9)

static void any_number(const struct field *field, const uint8_t *data, const int64_t *starts, int64_t step,
                       int64_t count, void *values)
{
    uint8_t *to = values;
    (void)step;
    for (int64_t i = 0; i < count; i++)
        read_element(&field->element, data, 8 * starts[i] + field->start, to + i * field->element.width);
}

static reader word_reader(const struct element *element)
{
    bool is_little = element->order == LITTLE;
    switch (element->bits) {
    case 8: return word_8;
    case 16: return is_little ? word_16_little : word_16_big;
    case 32: return is_little ? word_32_little : word_32_big;
    default: return is_little ? word_64_little : word_64_big;
    }
}

#define CHOICE(WIDTH, BYTES)                                                                                          \
    case 10 * WIDTH + BYTES:                                                                                          \
        return is_little ? (is_signed ? signed_##WIDTH##_little_##BYTES : unsigned_##WIDTH##_little_##BYTES)          \
                         : (is_signed ? signed_##WIDTH##_big_##BYTES : unsigned_##WIDTH##_big_##BYTES);

reader reader_of(const struct field *field)
{
    const struct element *element = &field->element;
    int skipped = (int)(field->start & 7);
    if (element_is_word(element) && !skipped)
        return word_reader(element);
    bool is_little = element->order == LITTLE, is_signed = element->encoding == TWOS_COMPLEMENT;
    bool is_bare = element->encoding <= TWOS_COMPLEMENT && element->order != MIXED;
    switch (is_bare ? 10 * 8 * element->width + (skipped + element->bits + 7) / 8 : 0) {
        CHOICE(8, 1)
        CHOICE(8, 2)
        CHOICE(16, 2)
        CHOICE(16, 3)
        CHOICE(32, 3)
        CHOICE(32, 4)
        CHOICE(32, 5)
        CHOICE(64, 5)
        CHOICE(64, 6)
        CHOICE(64, 7)
        CHOICE(64, 8)
        CHOICE(64, 9)
    default: return any_number;
    }
}
