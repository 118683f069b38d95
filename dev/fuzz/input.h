/* What a fuzzer reads from its bytes, and bits as slowly as can be: the oracle of them all. */
#ifndef C2KIT_FUZZ_INPUT_H
#define C2KIT_FUZZ_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

struct input {
    const uint8_t *bytes;
    size_t size;
};

/* The next bytes as a number; zeros where there are none left. */
static inline uint64_t take(struct input *input, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) {
        value = value << 8 | (input->size ? *input->bytes : 0);
        input->bytes += input->size > 0;
        input->size -= input->size > 0;
    }
    return value;
}

/* A number from 0 to `most`, which is at most 2**16 - 1. */
static inline int64_t up_to(struct input *input, int64_t most) { return (int64_t)(take(input, 2) % (uint64_t)(most + 1)); }

static inline void require(bool holds)
{
    if (!holds)
        abort();
}

/* Memory of exactly so many bytes, so that the sanitizers see one too many; none for none. */
static inline void *exactly(int64_t bytes)
{
    void *memory = malloc(bytes > 0 ? (size_t)bytes : 1);
    require(memory != NULL);
    if (bytes > 0)
        memset(memory, 0xA5, (size_t)bytes);
    return memory;
}

static inline uint8_t *copied(struct input *input)
{
    uint8_t *data = exactly((int64_t)input->size);
    if (input->size)
        memcpy(data, input->bytes, input->size);
    return data;
}

static inline uint64_t bit_at(const uint8_t *data, int64_t bit, bool is_little)
{
    return data[bit / 8] >> (is_little ? bit % 8 : 7 - bit % 8) & 1;
}

/* The bits of a value that stand from `bit` on, one after the other. */
static inline uint64_t bits_at(const uint8_t *data, int64_t bit, int bits, bool is_little)
{
    uint64_t value = 0;
    for (int i = 0; i < bits; i++)
        value |= bit_at(data, bit + i, is_little) << (is_little ? i : bits - 1 - i);
    return value;
}

/* An element that may not be one, but often is. */
static inline struct element any_element(struct input *input, int encodings)
{
    struct element element = {.encoding = (uint8_t)(take(input, 1) % encodings), .bits = (uint8_t)(take(input, 1) % 66)};
    element.order = (uint8_t)(take(input, 1) % (BYTE_ORDERS + 1));
    int whole_bytes[] = {8, 16, 32, 48, 64};
    if (element.encoding == BYTES)
        element.bits = 8, element.order = BIG;
    else if (element.encoding >= IEEE754 || element.order == MIXED)
        element.bits = (uint8_t)whole_bytes[element.bits % 5];
    for (int i = 0; i < 8; i++)
        element.places[i] = element.order == MIXED ? (uint8_t)(take(input, 1) % 9) : 0;
    int bits = element.bits;
    element.width = bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
    if (element.encoding == IEEE754)
        element.width = bits == 64 ? 8 : 4;
    if (element.encoding == MIL_STD_1750A)
        element.width = 8;
    return element;
}

/* The pattern of an element, found bit by bit. */
static inline uint64_t slow_pattern(const struct element *element, const uint8_t *data, int64_t bit)
{
    if (element->order != MIXED)
        return bits_at(data, bit, element->bits, element->order == LITTLE);
    uint64_t value = 0;
    for (int byte = 0; byte < element->bits / 8; byte++)
        value = value << 8 | bits_at(data, bit + 8 * element->places[byte], 8, false);
    return value;
}

#endif
