/* Packets to columns. */
#ifndef C2KIT_DECODE_H
#define C2KIT_DECODE_H

#include "program.h"

/* What a field is in one packet. Only HELD is odd. */
enum status {
    LOST = 0,   /* it does not fit, or its place, size or presence depends on one that does not */
    HELD = 1,   /* it has a value */
    ABSENT = 2, /* its conditions do not hold */
};

/* Where one field's column is being made. */
struct column {
    uint8_t *values;
    uint8_t *status;  /* one byte a packet; NULL where it is known beforehand that all have a value */
    int64_t *offsets; /* one more than packets, of fields that have them; while walking, each packet's own count */
    int64_t *firsts;  /* of sequences: the bit of the data where each begins; NULL where `status` is and all are alike */
    int64_t missing;  /* packets without a value */
};

/* Whether each packet of the batch has the field, as far as can be told without looking at them. */
static inline bool all_hold(const struct field *field, const struct batch *batch)
{
    return field->is_fixed && field->end <= 8 * batch->shortest;
}

/* Finds every field in every packet, and reads the single numbers. The columns have memory for `values` of those, and
 * for `status`, `offsets` and `firsts` where these are needed. Afterwards `status` is 1 or 0, `offsets` are offsets. */
void decode_walk(const struct program *program, const struct batch *batch, struct column *columns);

/* How many elements the column of a sequence has; -1 where no memory could hold them. */
int64_t decode_elements(const struct field *field, const struct batch *batch, const struct column *column);

/* Reads a field's sequences to `values`, which are all zeros where a packet has none. */
void decode_sequences(const struct field *field, const struct batch *batch, const struct column *column);

#endif
