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

/* An element that can be put anywhere; false where the input has none. */
static bool take_element(struct input *input, struct element *element)
{
    *element = any_element(input, MIL_STD_1750A);
    struct field field = {.element = *element, .length = SINGLE, .count = 1};
    struct program program = {.fields = &field, .count = 1};
    if (!program_check(&program))
        return false;
    /* Of a permutation only: other places would write one byte twice. */
    unsigned seen = 0;
    for (int byte = 0; element->order == MIXED && byte < element->bits / 8; byte++)
        seen |= 1u << element->places[byte];
    return element->order != MIXED || seen == (1u << element->bits / 8) - 1;
}

static int ones_in(const uint8_t *data, int64_t size)
{
    int ones = 0;
    for (int64_t bit = 0; bit < 8 * size; bit++)
        ones += (int)bit_at(data, bit, false);
    return ones;
}

enum { MOST_NUMBERS = 6 };

/* Numbers one after another, all of which count the bits of a byte from the same end. */
static void check_numbers(struct input *input)
{
    struct element elements[MOST_NUMBERS];
    uint64_t patterns[MOST_NUMBERS], wanted[MOST_NUMBERS];
    int64_t starts[MOST_NUMBERS], bit = up_to(input, 70), size, words_size;
    int count = 0, ones = 0, most = (int)up_to(input, MOST_NUMBERS);
    bool is_little = take(input, 1) & 1;
    while (count < most && take_element(input, &elements[count])) {
        struct element *element = &elements[count];
        if (element->order != MIXED)
            element->order = is_little ? LITTLE : BIG;
        if ((is_little && element->order == MIXED) || !pattern_of(input, element, &patterns[count], &wanted[count]))
            break;
        starts[count++] = bit;
        bit += element->bits;
    }
    size = (bit + 7) / 8 + up_to(input, 9);
    words_size = 8 * words_of(size);
    uint8_t *data = exactly(size);
    uint64_t *words = exactly(words_size);
    if (words_size)
        memset(words, 0, (size_t)words_size);
    for (int each = 0; each < count; each++) {
        put_pattern(&elements[each], words, starts[each], patterns[each]);
        for (int place = 0; place < 64; place++)
            ones += (int)(patterns[each] >> place & 1);
    }
    bytes_of(words, data, size);
    for (int each = 0; each < count; each++) {
        require(slow_pattern(&elements[each], data, starts[each]) == patterns[each]);
        require(is_kept(&elements[each], data, starts[each], wanted[each]));
    }
    require(ones_in(data, size) == ones);
    free(words);
    free(data);
}

static void check_bytes(struct input *input)
{
    int64_t bit = up_to(input, 130), count = (int64_t)input->size, size = (bit + 8 * count + 7) / 8;
    int64_t words_size = 8 * words_of(size);
    uint8_t *bytes = copied(input), *data = exactly(size);
    uint64_t *words = exactly(words_size);
    if (words_size)
        memset(words, 0, (size_t)words_size);
    put_bytes(words, bit, bytes, count);
    bytes_of(words, data, size);
    for (int64_t i = 0; i < count; i++)
        require(bits_at(data, bit + 8 * i, 8, false) == bytes[i]);
    require(ones_in(data, size) == ones_in(bytes, count));
    free(words);
    free(data);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    (take(&input, 1) & 1 ? check_numbers : check_bytes)(&input);
    return 0;
}
