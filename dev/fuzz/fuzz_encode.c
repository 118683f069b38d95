/* What is put at any place is read there again, and nothing else is changed. */
#include "input.h"

#include "elements.h"
#include "encode.h"

static bool pattern_of(struct input *input, const struct element *element, uint64_t *pattern, uint64_t *wanted)
{
    uint64_t given = take(input, take(input, 1) & 1 ? 8 : 1);
    double number;
    float single;
    memcpy(&number, &given, 8);
    *wanted = given;
    if (element->encoding == UNSIGNED)
        return pattern_of_unsigned(element, given, pattern);
    if (element->encoding < IEEE754)
        return pattern_of_signed(element, (int64_t)given, pattern);
    if (element->bits == 32) {
        single = (float)number;
        uint32_t bits;
        memcpy(&bits, &single, 4);
        *wanted = bits;
    }
    return pattern_of_float(element, number, pattern);
}

/* Whether what is read is what was given, which of half floats can be told of those alone that are not rounded. */
static bool is_kept(const struct element *element, const uint8_t *data, int64_t bit, uint64_t wanted)
{
    uint64_t value = 0;
    uint8_t bytes[8] = {0};
    read_element(element, data, bit, bytes);
    for (int i = 0; i < element->width; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    uint64_t mask = UINT64_MAX >> (64 - 8 * element->width);
    return (element->encoding == IEEE754 && element->bits == 16) || value == (wanted & mask);
}

static void check_number(struct input *input)
{
    struct element element = any_element(input, MIL_STD_1750A);
    struct field field = {.element = element, .length = SINGLE, .count = 1};
    struct program program = {&field, 1, NULL, 0, NULL, 0};
    if (!program_check(&program))
        return;
    /* Of a permutation only: other places would write one byte twice. */
    unsigned seen = 0;
    for (int byte = 0; element.order == MIXED && byte < element.bits / 8; byte++)
        seen |= 1u << element.places[byte];
    if (element.order == MIXED && seen != (1u << element.bits / 8) - 1)
        return;
    int64_t bit = up_to(input, 70), size = (bit + element.bits + 7) / 8 + up_to(input, 9);
    uint8_t *data = exactly(size);
    memset(data, 0, (size_t)size);
    uint64_t pattern, wanted;
    if (pattern_of(input, &element, &pattern, &wanted)) {
        put_pattern(&element, data, size, bit, pattern);
        require(slow_pattern(&element, data, bit) == pattern);
        require(is_kept(&element, data, bit, wanted));
        int ones = 0, kept = 0;
        for (int64_t each = 0; each < 8 * size; each++)
            ones += (int)bit_at(data, each, false);
        for (int each = 0; each < 64; each++)
            kept += (int)(pattern >> each & 1);
        require(ones == kept);
    }
    free(data);
}

static void check_bytes(struct input *input)
{
    int64_t bit = up_to(input, 30), count = (int64_t)input->size, size = (bit + 8 * count + 7) / 8;
    uint8_t *bytes = copied(input), *data = exactly(size);
    memset(data, 0, (size_t)size);
    put_bytes(data, bit, bytes, count);
    for (int64_t i = 0; i < count; i++)
        require(bits_at(data, bit + 8 * i, 8, false) == bytes[i]);
    free(data);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    (take(&input, 1) & 1 ? check_number : check_bytes)(&input);
    return 0;
}
