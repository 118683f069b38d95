/* What the first bytes of packets tell: which of some definitions each is of, and whether sequence counts go on. */
#ifndef C2KIT_HEADERS_H
#define C2KIT_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "program.h"

/* Identifications that look at the same bits: bytes at some places, under a mask. */
struct table {
    int64_t size_bytes; /* a packet that is shorter is of none of them */
    int32_t width;      /* how many bytes are looked at */
    int64_t *places;    /* which, all within the size */
    uint8_t *mask;
    uint64_t *words; /* of up to eight bytes, what is expected there: big-endian numbers, rising */
    uint8_t *keys;   /* the same, of any width: bytes, rising */
    int64_t *ranks;  /* of each, the definition */
    int64_t count, least; /* how many, one at least, and the least of their ranks */
};

/* Writes for each packet the least rank of an identification that it meets, or `none`. Tables stand in the order of their
 * least ranks. */
void match(const struct table *tables, int32_t count, const struct batch *batch, int64_t none, int64_t *ranks);

/* CCSDS 133.0-B-2, 4.1.3.3.4 and 4.1.3.4.3: the primary header, the APID in its first word, the count in its second. */
enum { PRIMARY_HEADER_BYTES = 6, APIDS = 1 << 11, COUNTS = 1 << 14, NO_COUNT = -1 };

/* Looks whether each packet's sequence count is one more than that of the packet before it with the same APID; `last` has
 * the counts before the first packet, NO_COUNT for none, and is kept up to date. Writes the packets where it is not, and
 * the counts that were due (NO_COUNT for the first packet of an APID), and gives how many there are. Packets that are
 * shorter than a header are passed over. */
int64_t sequence(const struct batch *batch, int64_t *last, int64_t *which, int64_t *due);

#endif
