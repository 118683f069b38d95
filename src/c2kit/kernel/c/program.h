/* A layout as the kernel interprets it, and the packets that it is interpreted for.
 *
 * Who makes a program fills in a struct program and has program_check() look at it; all other functions rely on what
 * that has found. There are no Python objects here: the fuzzers make programs from bytes.
 */
#ifndef C2KIT_PROGRAM_H
#define C2KIT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As c2kit.model.fields.Encoding. Strings and binary are BYTES; a Boolean is UNSIGNED. */
enum encoding { UNSIGNED, TWOS_COMPLEMENT, ONES_COMPLEMENT, SIGN_MAGNITUDE, IEEE754, MIL_STD_1750A, BYTES, ENCODINGS };

enum byte_order { BIG, LITTLE, MIXED, BYTE_ORDERS };

/* What tells how many elements a field has. */
enum length_kind { SINGLE, FIXED, REFERENCE, EXPAND, TERMINATED, PREFIXED, LENGTH_KINDS };

/* How a condition compares a number. An integer, after all rounding is thought through, is always asked whether it lies
 * from one number to another; a float is compared with a float. */
enum comparison { WITHIN_SIGNED, WITHIN_UNSIGNED, EQUAL, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL, COMPARISONS };

/* An array or string has no more elements than this, and its bits still can be counted in 64 bits. */
#define MOST_ELEMENTS ((int64_t)1 << 40)
/* A field begins before this bit, where it always begins at one. */
#define LAST_START ((int64_t)1 << 40)

/* How the bits of one element stand in a packet. */
struct element {
    uint8_t encoding;
    uint8_t bits;
    uint8_t order;
    uint8_t places[8]; /* MIXED: where each byte of the value is, the most significant first */
    uint8_t width;     /* bytes of an element in a column: 1, 2, 4 or 8 */
};

struct condition {
    int32_t teller; /* the number of an earlier field, which is SINGLE and no BYTES */
    uint8_t comparison;
    uint8_t negated; /* the condition holds where the comparison does not */
    int64_t low, high; /* WITHIN_*: inclusive, for WITHIN_UNSIGNED the same bits as unsigned; none where high < low */
    double operand;
};

struct field;

/* Reads a single number that begins at `field->start` in each of some packets, of which there is one at least. They are
 * `step` bytes apart, each from the one before, or anywhere where that is negative. */
typedef void (*reader)(const struct field *field, const uint8_t *data, const int64_t *starts, int64_t step,
                       int64_t count, void *values);

struct field {
    struct element element;
    uint8_t length;
    bool is_fixed;  /* one place, one size, always present */
    int64_t start;  /* the first bit; -1 where it is the bit after the field before */
    int64_t count;  /* elements: 1 of SINGLE, all of FIXED */
    /* REFERENCE: value * multiply + add modulo 2**64, for values from low to high (as in a condition) only */
    struct condition told;
    uint64_t multiply, add;
    struct element prefix; /* PREFIXED: UNSIGNED, at most 32 bits */
    /* TERMINATED: bytes in the program's terminators; max_bytes is -1 for any number */
    size_t terminator, terminator_bytes;
    int64_t max_bytes;
    int32_t trailing; /* EXPAND: how many of the fields that follow end with the packet */
    int32_t first_condition, conditions;
    /* What program_check() works out. */
    int64_t end; /* of fields that are fixed: the bit after the last one */
    reader read; /* of fixed SINGLE numbers */
    bool is_word; /* elements on byte boundaries are words that need no more than their bytes swapped */
};

/* How raw values become engineering ones. TRUTH is whether a number is not 0; STATES only count what has none. */
enum conversion_kind { POLYNOMIAL, PIECEWISE, STATES, TRUTH, CONVERSION_KINDS };

/* What a piecewise linear conversion gives outside its points. */
enum extrapolation { NOTHING, HOLD, EXTEND, EXTRAPOLATIONS };

struct conversion {
    int32_t field; /* a single number; of STATES and TRUTH an integer; not before that of the conversion before */
    uint8_t kind, extrapolation;
    /* POLYNOMIAL: so many coefficients, the constant first. PIECEWISE: so many points, their raw values, which rise, then
     * their engineering values, then the slope behind each. STATES: so many ranges that do not overlap, each the least
     * value and how much larger the largest is, both modulo 2**64. */
    int32_t first, count;
};

struct program {
    struct field *fields;
    int32_t count;
    struct condition *conditions;
    int32_t condition_count;
    uint8_t *terminators;
    size_t terminators_bytes;
    struct conversion *conversions;
    int32_t conversion_count;
    double *numbers;
    int32_t number_count;
    uint64_t *ranges; /* two words each */
    int32_t range_count;
};

/* Whether a program can be interpreted; then what is left to work out is worked out. */
bool program_check(struct program *program);

/* The bits that one element of a field takes. */
static inline int64_t bits_of(const struct field *field) { return field->element.bits; }

static inline bool is_number(const struct field *field)
{
    return field->length == SINGLE && field->element.encoding != BYTES;
}

/* Whether a column holds sequences of varying length, and has offsets. */
static inline bool has_offsets(const struct field *field)
{
    return field->length != SINGLE && (field->length != FIXED || field->element.encoding == BYTES);
}

/* `count` packets, of which number i is data[starts[i]:ends[i]]. */
struct batch {
    const uint8_t *data;
    int64_t size;
    const int64_t *starts, *ends;
    int64_t count;
    /* Set by batch_check(): */
    int64_t shortest, longest; /* bytes */
    int64_t step; /* from each start to the next one where that is always the same and not negative; else -1 */
};

/* The first packet that does not lie in the data; -1 where all do. */
int64_t batch_check(struct batch *batch);

#endif
