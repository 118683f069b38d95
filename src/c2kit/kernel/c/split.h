/* Packets back to back to their bounds, and packets to groups. */
#ifndef C2KIT_SPLIT_H
#define C2KIT_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

/* As c2kit.kernel.contract.LengthRule, in terms of what the length field says. A packet of `length` has
 * length * unit + adjustment bytes; lengths below `least` or above `most` are bad, and those above `largest`, which is
 * at most `most`, claim more than any buffer of the present size can hold. */
struct rule {
    int64_t bit_offset; /* of the length field */
    int bits;           /* 1 to 64 */
    bool is_little;
    uint64_t least, most, largest;
    int64_t unit, adjustment; /* length * unit + adjustment is exact and positive for least <= length <= largest */
};

enum outcome { FIELD_INCOMPLETE, PACKET_INCOMPLETE, BAD_LENGTH, NO_MORE_ROOM };

/* Finds packets in data[position:size] until one is incomplete or bad, or `bounds` are full.
 *
 * `bounds` gets at most `most` ends of packets, and *count tells how many; *position is where the last one ends, and
 * *length what the length field there says, unless it is incomplete. */
enum outcome split(const struct rule *rule, const uint8_t *data, int64_t size, int64_t *position, int64_t *bounds,
                   int64_t most, int64_t *count, uint64_t *length);

/* The first place from `position` on whose length field is neither bad nor incomplete; failing that, the first at which
 * it is incomplete. */
int64_t seek(const struct rule *rule, const uint8_t *data, int64_t size, int64_t position);

/* A stable counting sort: order[bounds[g]:bounds[g + 1]] becomes the indices i, rising, with labels[i] == g.
 *
 * `bounds` has groups + 1 entries. Gives the first index whose label is none from 0 to groups - 1; -1 where all are. */
int64_t group(const int64_t *labels, int64_t count, int64_t groups, int64_t *order, int64_t *bounds);

#endif
