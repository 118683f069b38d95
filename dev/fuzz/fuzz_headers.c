/* Any tables, clocks and limits take any packets and words, and tell what looking at one after the other does. */
#include "input.h"

#include "headers.h"
#include "limits.h"
#include "times.h"

enum { MOST_PACKETS = 20, MOST_TABLES = 3, MOST_KEYS = 5, MOST_WIDTH = 10, MOST_ENTRIES = 4, MOST_VALUES = 1100 };

/* -- Identification -------------------------------------------------------------------------------------------------- */

static int compare_keys(const uint8_t *one, const uint8_t *other, int32_t width)
{
    return width ? memcmp(one, other, (size_t)width) : 0;
}

/* Keys of few different bytes, which rise: one that does not is left out. */
static struct table any_table(struct input *input)
{
    struct table table = {.width = (int32_t)up_to(input, MOST_WIDTH)};
    table.size_bytes = table.width ? 1 + up_to(input, 12) : 0;
    table.places = exactly(8 * table.width);
    table.mask = exactly(table.width);
    for (int32_t byte = 0; byte < table.width; byte++) {
        table.places[byte] = up_to(input, table.size_bytes - 1);
        table.mask[byte] = (uint8_t)take(input, 1);
    }
    int64_t most = 1 + up_to(input, MOST_KEYS - 1);
    table.keys = exactly(most * table.width);
    table.words = exactly(8 * most);
    table.ranks = exactly(8 * most);
    table.least = INT64_MAX;
    for (int64_t each = 0; each < most; each++) {
        uint8_t *key = table.keys + table.count * table.width;
        uint64_t word = 0;
        for (int32_t byte = 0; byte < table.width; byte++)
            word = word << 8 | (key[byte] = (uint8_t)(take(input, 1) & 3) & table.mask[byte]);
        if (table.count && compare_keys(key - table.width, key, table.width) >= 0)
            continue;
        table.words[table.count] = word;
        table.ranks[table.count] = up_to(input, 30);
        table.least = table.ranks[table.count] < table.least ? table.ranks[table.count] : table.least;
        table.count++;
    }
    return table;
}

static int64_t slow_rank(const struct table *tables, int32_t count, const uint8_t *packet, int64_t size, int64_t none)
{
    int64_t rank = none;
    for (int32_t each = 0; each < count; each++)
        for (int64_t key = 0; key < tables[each].count && size >= tables[each].size_bytes; key++) {
            bool is_met = true;
            for (int32_t byte = 0; byte < tables[each].width; byte++)
                is_met &= (packet[tables[each].places[byte]] & tables[each].mask[byte])
                    == tables[each].keys[key * tables[each].width + byte];
            if (is_met && tables[each].ranks[key] < rank)
                rank = tables[each].ranks[key];
        }
    return rank;
}

static void check_match(struct input *input, const struct batch *batch)
{
    struct table tables[MOST_TABLES];
    int32_t count = (int32_t)up_to(input, MOST_TABLES);
    for (int32_t each = 0; each < count; each++) {
        struct table table = any_table(input);
        int32_t place = each; /* in the order of their least ranks */
        for (; place > 0 && tables[place - 1].least > table.least; place--)
            tables[place] = tables[place - 1];
        tables[place] = table;
    }
    int64_t *ranks = exactly(8 * batch->count), none = up_to(input, 40);
    match(tables, count, batch, none, ranks);
    for (int64_t i = 0; i < batch->count; i++) {
        const uint8_t *packet = batch->data + batch->starts[i];
        require(ranks[i] == slow_rank(tables, count, packet, batch->ends[i] - batch->starts[i], none));
    }
    for (int32_t each = 0; each < count; each++) {
        free(tables[each].places);
        free(tables[each].mask);
        free(tables[each].keys);
        free(tables[each].words);
        free(tables[each].ranks);
    }
    free(ranks);
}

/* -- Sequence counts, clocks, limits ----------------------------------------------------------------------------------- */

static void check_sequence(const struct batch *batch)
{
    int64_t *last = exactly(8 * APIDS), *which = exactly(8 * batch->count), *due = exactly(8 * batch->count);
    for (int64_t apid = 0; apid < APIDS; apid++)
        last[apid] = NO_COUNT;
    int64_t found = sequence(batch, last, which, due);
    require(found >= 0 && found <= batch->count);
    for (int64_t i = 0; i < found; i++) {
        const uint8_t *packet = batch->data + batch->starts[which[i]];
        require(batch->ends[which[i]] - batch->starts[which[i]] >= PRIMARY_HEADER_BYTES);
        require(due[i] >= NO_COUNT && due[i] < COUNTS && (uint64_t)due[i] != bits_at(packet, 18, 14, false));
    }
    free(last);
    free(which);
    free(due);
}

static void check_times(struct input *input)
{
    struct leap_entry entries[MOST_ENTRIES];
    int64_t inserted[MOST_ENTRIES], start = (int64_t)take(input, 8) >> 8, count = up_to(input, MOST_PACKETS);
    struct clock clock = {
        .code = (uint8_t)take(input, 1) % CODES, .fine_bits = (uint8_t)take(input, 1) % 65, .is_tai = take(input, 1) & 1,
        .epoch_seconds = (int64_t)take(input, 8) >> 4, .epoch_ns = (int64_t)(take(input, 8) % 1000000000),
        .entries = entries, .entry_count = 1 + up_to(input, MOST_ENTRIES - 1), .inserted = inserted,
        .inserted_count = up_to(input, MOST_ENTRIES), .expires = (int64_t)take(input, 8),
    };
    for (int64_t each = 0; each < MOST_ENTRIES; each++) {
        entries[each] = (struct leap_entry){start, (int64_t)take(input, 8) >> 4, (int64_t)take(input, 8)};
        inserted[each] = start;
        start += up_to(input, 60000);
    }
    uint64_t *words[3];
    for (int each = 0; each < 3; each++) {
        words[each] = exactly(8 * count);
        for (int64_t i = 0; i < count; i++)
            words[each][i] = take(input, take(input, 1) & 1 ? 8 : 4);
    }
    struct times times = {exactly(8 * count), exactly(count), exactly(count), 0, 0, 0};
    const uint64_t *const told[3] = {words[0], words[1], words[2]};
    tell_times(&clock, told, NULL, count, &times);
    int64_t missing = 0, leap = 0;
    for (int64_t i = 0; i < count; i++) {
        require(times.valid[i] <= 1 && times.is_leap[i] <= times.valid[i] && (times.valid[i] || !times.values[i]));
        missing += !times.valid[i];
        leap += times.is_leap[i];
    }
    require(missing == times.out_of_range && leap == times.leap);
    for (int each = 0; each < 3; each++)
        free(words[each]);
    free(times.values);
    free(times.valid);
    free(times.is_leap);
}

static double any_double(struct input *input)
{
    double number;
    uint64_t pattern = take(input, 8);
    memcpy(&number, &pattern, 8);
    return take(input, 1) & 1 ? number : (double)take(input, 1) - 100;
}

static void check_limits(struct input *input)
{
    struct bounds bounds = {any_double(input), any_double(input), any_double(input), any_double(input)};
    int64_t count = up_to(input, 8) * up_to(input, MOST_VALUES / 8), held = 0;
    double some[3] = {any_double(input), any_double(input), any_double(input)};
    double *values = exactly(8 * count);
    uint8_t *valid = exactly(count), *states = exactly(count), *are = exactly(count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = some[i % 3];
        valid[i] = i % 5 > 0;
    }
    struct element element = {.encoding = IEEE754, .width = 8};
    int64_t none = limit_states(&element, (const uint8_t *)values, &bounds, valid, count, states, are);
    for (int64_t i = 0; i < count; i++) {
        double value = values[i];
        int state = value > bounds.red_high ? RED_HIGH : value < bounds.red_low ? RED_LOW
            : value > bounds.yellow_high ? YELLOW_HIGH : value < bounds.yellow_low ? YELLOW_LOW : GREEN;
        require(states[i] == (valid[i] ? state : GREEN) && are[i] == (valid[i] && value == value));
        held += valid[i];
        none += are[i];
    }
    require(none == held);
    free(values);
    free(valid);
    free(states);
    free(are);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    int64_t starts[MOST_PACKETS], ends[MOST_PACKETS];
    struct batch batch = {.starts = starts, .ends = ends, .count = up_to(&input, MOST_PACKETS)};
    for (int64_t i = 0; i < batch.count; i++) {
        starts[i] = up_to(&input, 30);
        ends[i] = starts[i] + up_to(&input, 14);
    }
    check_times(&input);
    check_limits(&input);
    struct input tables = input;
    uint8_t *data = copied(&input);
    batch.data = data;
    batch.size = (int64_t)input.size;
    if (batch_check(&batch) < 0) {
        check_match(&tables, &batch);
        check_sequence(&batch);
    }
    free(data);
    return 0;
}
