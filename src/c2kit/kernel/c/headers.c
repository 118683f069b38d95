#include "headers.h"

#include <string.h>

#include "bits.h"

/* -- Identification -------------------------------------------------------------------------------------------------- */

/* Where a word stands among those of a table; -1 where it does not. */
static int64_t find_word(const struct table *table, uint64_t word)
{
    const uint64_t *from = table->words;
    for (int64_t count = table->count; count > 1;) {
        int64_t half = count / 2;
        from += from[half] <= word ? half : 0;
        count -= half;
    }
    return *from == word ? from - table->words : -1;
}

static int compared(const struct table *table, const uint8_t *packet, int64_t number)
{
    const uint8_t *key = table->keys + number * table->width;
    for (int32_t byte = 0; byte < table->width; byte++) {
        int difference = (packet[table->places[byte]] & table->mask[byte]) - key[byte];
        if (difference)
            return difference;
    }
    return 0;
}

static int64_t find_bytes(const struct table *table, const uint8_t *packet)
{
    int64_t low = 0, high = table->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int difference = compared(table, packet, middle);
        if (!difference)
            return middle;
        if (difference < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static int64_t find(const struct table *table, const uint8_t *packet)
{
    uint64_t word = 0;
    if (table->width > 8)
        return find_bytes(table, packet);
    for (int32_t byte = 0; byte < table->width; byte++)
        word = word << 8 | (uint8_t)(packet[table->places[byte]] & table->mask[byte]);
    return find_word(table, word);
}

void match(const struct table *tables, int32_t count, const struct batch *batch, int64_t none, int64_t *ranks)
{
    for (int64_t i = 0; i < batch->count; i++) {
        int64_t rank = none, size = batch->ends[i] - batch->starts[i];
        for (int32_t each = 0; each < count && tables[each].least < rank; each++) {
            const struct table *table = &tables[each];
            int64_t found = size < table->size_bytes ? -1 : find(table, batch->data + batch->starts[i]);
            if (found >= 0 && table->ranks[found] < rank)
                rank = table->ranks[found];
        }
        ranks[i] = rank;
    }
}

/* -- Sequence counts -------------------------------------------------------------------------------------------------- */

int64_t sequence(const struct batch *batch, int64_t *last, int64_t *which, int64_t *due)
{
    int64_t found = 0;
    for (int64_t i = 0; i < batch->count; i++) {
        if (batch->ends[i] - batch->starts[i] < PRIMARY_HEADER_BYTES)
            continue;
        const uint8_t *packet = batch->data + batch->starts[i];
        int64_t *before = &last[big_endian_16(packet) % APIDS];
        int64_t count = big_endian_16(packet + 2) % COUNTS;
        int64_t wanted = *before < 0 ? NO_COUNT : (*before + 1) & (COUNTS - 1);
        if (count != wanted) {
            which[found] = i;
            due[found++] = wanted;
        }
        *before = count;
    }
    return found;
}
