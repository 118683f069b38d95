#include "convert.h"

#include <string.h>

/* -- Numbers of any type as one -------------------------------------------------------------------------------------- */

#define LOAD_ALL(NAME, TYPE, TO)                                                                                      \
    static void NAME(const uint8_t *from, int64_t count, TO *to)                                                      \
    {                                                                                                                 \
        for (int64_t i = 0; i < count; i++) {                                                                         \
            TYPE value;                                                                                               \
            memcpy(&value, from + i * (int64_t)sizeof value, sizeof value);                                            \
            to[i] = (TO)value;                                                                                        \
        }                                                                                                             \
    }

LOAD_ALL(double_of_u8, uint8_t, double)
LOAD_ALL(double_of_u16, uint16_t, double)
LOAD_ALL(double_of_u32, uint32_t, double)
LOAD_ALL(double_of_u64, uint64_t, double)
LOAD_ALL(double_of_i8, int8_t, double)
LOAD_ALL(double_of_i16, int16_t, double)
LOAD_ALL(double_of_i32, int32_t, double)
LOAD_ALL(double_of_i64, int64_t, double)
LOAD_ALL(double_of_float, float, double)
LOAD_ALL(double_of_double, double, double)
LOAD_ALL(word_of_u8, uint8_t, uint64_t)
LOAD_ALL(word_of_u16, uint16_t, uint64_t)
LOAD_ALL(word_of_u32, uint32_t, uint64_t)
LOAD_ALL(word_of_64, uint64_t, uint64_t)
LOAD_ALL(word_of_i8, int8_t, uint64_t)
LOAD_ALL(word_of_i16, int16_t, uint64_t)
LOAD_ALL(word_of_i32, int32_t, uint64_t)

void load_doubles(const struct element *element, const uint8_t *from, int64_t count, double *to)
{
    bool is_signed = element->encoding != UNSIGNED;
    if (element->encoding >= IEEE754) {
        (element->width == 4 ? double_of_float : double_of_double)(from, count, to);
        return;
    }
    switch (element->width) {
    case 1: (is_signed ? double_of_i8 : double_of_u8)(from, count, to); break;
    case 2: (is_signed ? double_of_i16 : double_of_u16)(from, count, to); break;
    case 4: (is_signed ? double_of_i32 : double_of_u32)(from, count, to); break;
    default: (is_signed ? double_of_i64 : double_of_u64)(from, count, to); break;
    }
}

/* Integers modulo 2**64. */
static void load_words(const struct element *element, const uint8_t *from, int64_t count, uint64_t *to)
{
    bool is_signed = element->encoding != UNSIGNED;
    switch (element->width) {
    case 1: (is_signed ? word_of_i8 : word_of_u8)(from, count, to); break;
    case 2: (is_signed ? word_of_i16 : word_of_u16)(from, count, to); break;
    case 4: (is_signed ? word_of_i32 : word_of_u32)(from, count, to); break;
    default: word_of_64(from, count, to); break;
    }
}

/* -- Conversions ----------------------------------------------------------------------------------------------------- */

static void polynomial(const double *coefficients, int32_t terms, const double *raw, int64_t count, double *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = coefficients[terms - 1];
    for (int32_t term = terms - 1; term-- > 0;)
        for (int64_t i = 0; i < count; i++)
            to[i] = to[i] * raw[i] + coefficients[term];
}

/* The last of the points that is not above a value; the first one where all are, or for what is not a number. */
static int32_t point_before(const double *x, int32_t points, double value)
{
    int32_t low = 0, high = points;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (x[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void piecewise(const double *x, int32_t points, bool holds, const double *raw, int64_t count, double *to)
{
    const double *y = x + points, *slope = y + points, least = x[0], most = x[points - 1];
    for (int64_t i = 0; i < count; i++) {
        double value = raw[i];
        if (holds)
            value = value < least ? least : value > most ? most : value;
        int32_t at = point_before(x, points, value);
        /* At a point its own value, however steep the line behind it is. */
        to[i] = value == x[at] ? y[at] : y[at] + (value - x[at]) * slope[at];
    }
}

static inline bool is_held(const uint8_t *status, int64_t i) { return !status || status[i] & 1; }

/* Where there is no raw value, the engineering value is 0. */
static void clear_missing(const uint8_t *status, int64_t count, double *to)
{
    for (int64_t i = 0; status && i < count; i++)
        if (!(status[i] & 1))
            to[i] = 0;
}

/* Takes away what is outside the points, and gives how many values that were. */
static int64_t clear_outside(double least, double most, const double *raw, const uint8_t *status, int64_t count,
                             double *to, uint8_t *valid)
{
    int64_t outside = 0;
    for (int64_t i = 0; i < count; i++) {
        bool is_inside = raw[i] >= least && raw[i] <= most;
        outside += is_held(status, i) && !is_inside;
        valid[i] = is_held(status, i) && is_inside;
        if (!valid[i])
            to[i] = 0;
    }
    return outside;
}

/* How many values no range holds. */
static int64_t without_state(const uint64_t *ranges, int32_t range_count, const uint64_t *raw, const uint8_t *status,
                             int64_t count)
{
    uint8_t has_state[MOST_CONVERTED] = {0};
    int64_t without = 0;
    for (int32_t range = 0; range < range_count; range++) {
        uint64_t least = ranges[2 * range], span = ranges[2 * range + 1];
        for (int64_t i = 0; i < count; i++)
            has_state[i] |= raw[i] - least <= span;
    }
    for (int64_t i = 0; i < count; i++)
        without += !has_state[i] && is_held(status, i);
    return without;
}

static void convert_integers(const struct program *program, const struct conversion *conversion,
                             const uint8_t *values, const struct element *element, const uint8_t *status, int64_t count,
                             int64_t low, struct converted *converted)
{
    uint64_t raw[MOST_CONVERTED];
    load_words(element, values, count, raw);
    if (conversion->kind == STATES) {
        const uint64_t *ranges = program->ranges + 2 * (int64_t)conversion->first;
        converted->counted += without_state(ranges, conversion->count, raw, status, count);
        return;
    }
    uint8_t *to = (uint8_t *)converted->values + low;
    for (int64_t i = 0; i < count; i++)
        to[i] = raw[i] != 0;
}

void convert(const struct program *program, const struct conversion *conversion, const struct column *column,
             int64_t low, int64_t high, struct converted *converted)
{
    const struct element *element = &program->fields[conversion->field].element;
    const uint8_t *values = column->values + low * element->width;
    const uint8_t *status = column->status ? column->status + low : NULL;
    const int64_t count = high - low;
    if (conversion->kind >= STATES) {
        convert_integers(program, conversion, values, element, status, count, low, converted);
        return;
    }
    const double *numbers = program->numbers + conversion->first;
    double raw[MOST_CONVERTED], *to = (double *)converted->values + low;
    load_doubles(element, values, count, raw);
    if (conversion->kind == POLYNOMIAL)
        polynomial(numbers, conversion->count, raw, count, to);
    else
        piecewise(numbers, conversion->count, conversion->extrapolation == HOLD, raw, count, to);
    if (may_lose(conversion))
        converted->counted += clear_outside(numbers[0], numbers[conversion->count - 1], raw, status, count, to,
                                            converted->valid + low);
    else
        clear_missing(status, count, to);
}
