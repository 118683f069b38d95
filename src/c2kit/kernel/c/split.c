#include "split.h"

#include "bits.h"

/* The loop for one kind of length field: `LENGTH` is what the one says that is in the packet at `p`. The next packet
 * cannot be looked for before this one's length is known, so that this takes as long as a load, and hardly any longer.
 */
#define SPLIT(NAME, LENGTH)                                                                                           \
    static enum outcome NAME(const struct rule *rule, const uint8_t *data, int64_t size, int64_t *position,           \
                             int64_t *bounds, int64_t most, int64_t *count, uint64_t *length)                         \
    {                                                                                                                 \
        const int64_t byte = rule->bit_offset >> 3, header = (rule->bit_offset + rule->bits + 7) >> 3;                \
        const int skipped = (int)(rule->bit_offset & 7), bits = rule->bits;                                           \
        const uint64_t least = rule->least, largest = rule->largest;                                                  \
        const int64_t unit = rule->unit, adjustment = rule->adjustment;                                               \
        int64_t place = *position, found = 0;                                                                         \
        uint64_t told = 0;                                                                                            \
        enum outcome outcome = NO_MORE_ROOM;                                                                          \
        (void)skipped, (void)bits;                                                                                    \
        while (found < most) {                                                                                        \
            if (size - place < header) {                                                                              \
                outcome = FIELD_INCOMPLETE;                                                                           \
                break;                                                                                                \
            }                                                                                                         \
            const uint8_t *p = data + place + byte;                                                                   \
            told = (LENGTH);                                                                                          \
            if (told < least || told > largest) {                                                                     \
                outcome = told < least || told > rule->most ? BAD_LENGTH : PACKET_INCOMPLETE;                         \
                break;                                                                                                \
            }                                                                                                         \
            int64_t total = (int64_t)told * unit + adjustment;                                                        \
            if (total > size - place) {                                                                               \
                outcome = PACKET_INCOMPLETE;                                                                          \
                break;                                                                                                \
            }                                                                                                         \
            place += total;                                                                                           \
            bounds[found++] = place;                                                                                  \
        }                                                                                                             \
        *position = place;                                                                                            \
        *count = found;                                                                                               \
        *length = told;                                                                                               \
        return outcome;                                                                                               \
    }

/* The length field of a space packet is one of these. */
SPLIT(split_big_16, big_endian_16(p))
SPLIT(split_big, big_endian_bits(p, (skipped + bits + 7) >> 3, skipped, bits))
SPLIT(split_little, little_endian_bits(p, (skipped + bits + 7) >> 3, skipped, bits))

enum outcome split(const struct rule *rule, const uint8_t *data, int64_t size, int64_t *position, int64_t *bounds,
                   int64_t most, int64_t *count, uint64_t *length)
{
    bool is_word = rule->bits == 16 && !(rule->bit_offset & 7) && !rule->is_little;
    return (is_word ? split_big_16 : rule->is_little ? split_little : split_big)(rule, data, size, position, bounds,
                                                                                most, count, length);
}

int64_t seek(const struct rule *rule, const uint8_t *data, int64_t size, int64_t position)
{
    const int64_t byte = rule->bit_offset >> 3, header = (rule->bit_offset + rule->bits + 7) >> 3;
    const int skipped = (int)(rule->bit_offset & 7), bits = rule->bits, bytes = (skipped + bits + 7) >> 3;
    for (; size - position >= header; position++) {
        const uint8_t *p = data + position + byte;
        uint64_t length = rule->is_little ? little_endian_bits(p, bytes, skipped, bits)
                                          : big_endian_bits(p, bytes, skipped, bits);
        if (rule->least <= length && length <= rule->most)
            break;
    }
    return position;
}

int64_t group(const int64_t *labels, int64_t count, int64_t groups, int64_t *order, int64_t *bounds)
{
    memset(bounds, 0, (size_t)(groups + 1) * sizeof *bounds);
    for (int64_t i = 0; i < count; i++) {
        if (labels[i] < 0 || labels[i] >= groups)
            return i;
        bounds[labels[i] + 1]++;
    }
    for (int64_t label = 0; label < groups; label++)
        bounds[label + 1] += bounds[label];
    /* Each bound serves as the place of its group's next member, and is the next group's once all are placed. */
    for (int64_t i = 0; i < count; i++)
        order[bounds[labels[i]]++] = i;
    memmove(bounds + 1, bounds, (size_t)groups * sizeof *bounds);
    bounds[0] = 0;
    return -1;
}
