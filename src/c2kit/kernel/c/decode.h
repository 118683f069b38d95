/* Packets to columns. */
#ifndef C2KIT_DECODE_H
#define C2KIT_DECODE_H

#include "convert.h"
#include "program.h"

/* Whether each packet of the batch has the field, as far as can be told without looking at them. */
static inline bool all_hold(const struct field *field, const struct batch *batch)
{
    return field->is_fixed && field->end <= 8 * batch->shortest;
}

/* Finds every field in every packet, reads the single numbers, and converts those that are to be. The columns have
 * memory for `values` of those, and for `status`, `offsets` and `firsts` where these are needed. Afterwards `status` is 1
 * or 0, `offsets` are offsets. */
void decode_walk(const struct program *program, const struct batch *batch, struct column *columns,
                 struct converted *converted);

/* How many elements the column of a sequence has; -1 where no memory could hold them. */
int64_t decode_elements(const struct field *field, const struct batch *batch, const struct column *column);

/* Reads a field's sequences to `values`, which are all zeros where a packet has none. */
void decode_sequences(const struct field *field, const struct batch *batch, const struct column *column);

#endif
