/* What clocks show to POSIX nanoseconds, by exactly the steps of c2kit.kernel.time. */
#ifndef C2KIT_TIMES_H
#define C2KIT_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* CCSDS 301.0-B-4: unsegmented, or day segmented with nothing, microseconds or picoseconds of a millisecond behind. */
enum code { CUC, CDS, CDS_MICROSECONDS, CDS_PICOSECONDS, CODES };

/* From `starts` on (seconds of TAI) TAI is so many seconds ahead, until `ends` (POSIX), where the next entry begins. */
struct leap_entry {
    int64_t start, offset, end;
};

struct clock {
    uint8_t code;
    uint8_t fine_bits; /* CUC: bits of the fraction; 0 where there is none */
    bool is_tai;       /* seconds of TAI; else days of UTC, 86 400 s and in a leap second one more */
    int64_t epoch_seconds, epoch_ns; /* the second number is not negative and less than a second */
    struct leap_entry *entries;
    int64_t entry_count; /* one at least */
    int64_t *inserted;   /* the seconds that leap seconds fold onto, rising */
    int64_t inserted_count, expires;
};

/* How often something was so with a time; `valid` says which there are. */
struct times {
    int64_t *values;
    uint8_t *valid, *is_leap;
    int64_t out_of_range, leap, expired;
};

/* Tells the times of packets from three words each: seconds, fraction; or days, milliseconds, what is behind. Those are
 * packets only where `present` is not 0. */
void tell_times(const struct clock *clock, const uint64_t *const words[3], const uint8_t *present, int64_t count,
                struct times *times);

#endif
