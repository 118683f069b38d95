#include "times.h"

enum { SECOND = 1000000000, DAY = 86400, DAY_MS = 86400000 };

/* More bits than these the codes do not have, so that nothing overflows. */
#define MOST_SECONDS (((uint64_t)1 << 56) - 1)
#define MOST_DAYS (((uint64_t)1 << 32) - 1)
#define MOST_BEHIND (((uint64_t)1 << 32) - 1)

/* What a clock shows, on its own scale. */
struct reading {
    int64_t seconds, ns;
    bool is_possible, is_late; /* each part within its range; the day has gone on for longer than 86 400 s */
};

/* Whole nanoseconds in a binary fraction of a second, of which no more than 64 bits are told. */
static int64_t fraction_ns(uint64_t fraction, int bits)
{
    if (!bits)
        return 0;
    fraction <<= 64 - bits;
    uint64_t carried = (fraction & 0xFFFFFFFF) * SECOND >> 32;
    return (int64_t)(((fraction >> 32) * SECOND + carried) >> 32);
}

static struct reading read_cuc(const struct clock *clock, uint64_t seconds, uint64_t fraction)
{
    return (struct reading){(int64_t)(seconds & MOST_SECONDS), fraction_ns(fraction, clock->fine_bits), true, false};
}

static struct reading read_cds(const struct clock *clock, uint64_t days, uint64_t milliseconds, uint64_t behind)
{
    /* No clock shows more; the bound keeps what a hostile one shows from overflowing. */
    int64_t ms = (int64_t)(milliseconds < DAY_MS + 1000 ? milliseconds : DAY_MS + 1000);
    struct reading reading = {(int64_t)(days & MOST_DAYS) * DAY + ms / 1000, ms % 1000 * 1000000, ms < DAY_MS + 1000, ms >= DAY_MS};
    if (clock->code == CDS)
        return reading;
    bool is_micro = clock->code == CDS_MICROSECONDS;
    behind &= MOST_BEHIND;
    reading.is_possible &= behind < (is_micro ? 1000 : SECOND);
    reading.ns = (reading.ns + (int64_t)(is_micro ? behind * 1000 : behind / 1000)) % SECOND;
    return reading;
}

/* The last of the entries that has begun, or the first. */
static const struct leap_entry *entry_at(const struct clock *clock, int64_t tai)
{
    int64_t low = 0, high = clock->entry_count;
    if (clock->entries[high - 1].start <= tai) /* as in all telemetry that is sent today */
        return &clock->entries[high - 1];
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (clock->entries[middle].start <= tai)
            low = middle;
        else
            high = middle;
    }
    return &clock->entries[low];
}

static bool follows_leap(const struct clock *clock, int64_t posix)
{
    for (int64_t i = 0; i < clock->inserted_count; i++)
        if (clock->inserted[i] == posix)
            return true;
    return false;
}

/* Whether int64 holds the time in nanoseconds. */
static bool fits(int64_t seconds, int64_t ns)
{
    const int64_t first = INT64_MIN / SECOND - 1, after_first = INT64_MIN % SECOND + SECOND;
    const int64_t last = INT64_MAX / SECOND, after_last = INT64_MAX % SECOND;
    return (seconds > first || (seconds == first && ns >= after_first))
        && (seconds < last || (seconds == last && ns <= after_last));
}

void tell_times(const struct clock *clock, const uint64_t *const words[3], const uint8_t *present, int64_t count,
                struct times *times)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t first = words[0][i], second = words[1] ? words[1][i] : 0, third = words[2] ? words[2][i] : 0;
        struct reading reading =
            clock->code == CUC ? read_cuc(clock, first, second) : read_cds(clock, first, second, third);
        int64_t ns = reading.ns + clock->epoch_ns, seconds = reading.seconds + clock->epoch_seconds + ns / SECOND;
        ns %= SECOND;
        bool is_leap, is_unsure, is_possible = reading.is_possible;
        if (clock->is_tai) {
            const struct leap_entry *entry = entry_at(clock, seconds);
            seconds -= entry->offset;
            is_leap = seconds >= entry->end;
            is_possible &= !reading.is_late;
            is_unsure = seconds >= clock->expires;
        } else {
            is_unsure = reading.is_late && seconds >= clock->expires;
            is_leap = reading.is_late && (is_unsure || follows_leap(clock, seconds));
            is_possible &= is_leap || !reading.is_late;
        }
        bool is_present = !present || present[i], is_valid = is_present && is_possible && fits(seconds, ns);
        /* Modulo 2**64: the product alone may be just too small. */
        times->values[i] = is_valid ? (int64_t)((uint64_t)seconds * SECOND + (uint64_t)ns) : 0;
        times->valid[i] = is_valid;
        times->is_leap[i] = is_valid && is_leap;
        times->out_of_range += is_present && !is_valid;
        times->leap += is_valid && is_leap;
        times->expired += is_valid && is_unsure;
    }
}
