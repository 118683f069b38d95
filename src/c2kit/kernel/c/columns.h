/* Columns while they are made: what decoding fills in and converting reads. */
#ifndef C2KIT_COLUMNS_H
#define C2KIT_COLUMNS_H

#include <stdint.h>

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

/* Where one conversion's column is being made. */
struct converted {
    void *values;    /* doubles, or bytes of TRUTH; NULL of STATES, which have none */
    uint8_t *valid;  /* one byte a packet, of those that may_lose(); else NULL: valid is what the field is */
    int64_t counted; /* values outside all points, or without a state */
};

#endif
