/* Raw numbers to engineering values, by exactly the steps of c2kit.kernel.conversions.apply, so that no bit differs. */
#ifndef C2KIT_CONVERT_H
#define C2KIT_CONVERT_H

#include "columns.h"
#include "program.h"

/* As many values as are converted at once. */
enum { MOST_CONVERTED = 512 };

/* Whether a value may come to none, so that the conversion's column tells of each packet whether it is valid. */
static inline bool may_lose(const struct conversion *conversion)
{
    return conversion->kind == PIECEWISE && conversion->extrapolation == NOTHING;
}

/* The bytes of one value; none of STATES. */
static inline int64_t converted_width(const struct conversion *conversion)
{
    return conversion->kind == STATES ? 0 : conversion->kind == TRUTH ? 1 : 8;
}

/* A column's numbers as doubles: a 64-bit integer becomes the nearest one, a signalling NaN a quiet one. */
void load_doubles(const struct element *element, const uint8_t *from, int64_t count, double *to);

/* Converts the values of packets `low` to `high`, at most MOST_CONVERTED, of which only HELD ones are any. */
void convert(const struct program *program, const struct conversion *conversion, const struct column *raw, int64_t low,
             int64_t high, struct converted *converted);

#endif
