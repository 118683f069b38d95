/* Any rule splits any bytes as its definition says; groups are whole; checksums are those of long division. */
#include "input.h"

#include "crc.h"
#include "split.h"

static void check_split(struct input *input)
{
    struct rule rule = {
        .bit_offset = up_to(input, 40),
        .bits = 1 + (int)up_to(input, 63),
        .is_little = take(input, 1) & 1,
        .unit = 1 + up_to(input, 4),
        .adjustment = up_to(input, 40) - 20,
    };
    int64_t least_bytes = 1 + up_to(input, 9), room = 1 + up_to(input, 9), start = up_to(input, 5);
    rule.most = take(input, take(input, 1) & 1 ? 8 : 1);
    for (rule.least = 0; (int64_t)rule.least * rule.unit + rule.adjustment < least_bytes; rule.least++)
        ;
    if (rule.least > rule.most)
        rule.least = 1, rule.most = 0;
    int64_t size = (int64_t)input->size;
    rule.largest = size < rule.adjustment ? 0 : (uint64_t)(size - rule.adjustment) / (uint64_t)rule.unit;
    rule.largest = rule.largest < rule.most ? rule.largest : rule.most;

    uint8_t *data = copied(input);
    int64_t *bounds = exactly(8 * room), place = start, count, header = (rule.bit_offset + rule.bits + 7) / 8;
    uint64_t length;
    enum outcome outcome = split(&rule, data, size, &place, bounds, room, &count, &length), expected = NO_MORE_ROOM;
    int64_t slow = start;
    for (int64_t found = 0; found <= count; found++) {
        require(found == 0 || bounds[found - 1] == slow);
        if (found == room)
            break;
        if (slow + header > size) {
            expected = FIELD_INCOMPLETE;
            break;
        }
        uint64_t told = bits_at(data + slow, rule.bit_offset, rule.bits, rule.is_little);
        bool is_bad = told < rule.least || told > rule.most;
        if (is_bad || told > (uint64_t)size + 40 || (int64_t)told * rule.unit + rule.adjustment > size - slow) {
            expected = is_bad ? BAD_LENGTH : PACKET_INCOMPLETE;
            require(length == told);
            break;
        }
        slow += (int64_t)told * rule.unit + rule.adjustment;
    }
    require(outcome == expected && place == slow);

    int64_t found = seek(&rule, data, size, start);
    for (int64_t each = start; each < found; each++) {
        uint64_t told = bits_at(data + each, rule.bit_offset, rule.bits, rule.is_little);
        require(each + header <= size && (told < rule.least || told > rule.most));
    }
    free(bounds);
    free(data);
}

static void check_group(struct input *input)
{
    int64_t groups = up_to(input, 9), count = (int64_t)input->size, wrong = -1;
    int64_t *labels = exactly(8 * count), *order = exactly(8 * count), *bounds = exactly(8 * (groups + 1));
    for (int64_t i = 0; i < count; i++) {
        labels[i] = (int8_t)take(input, 1) % 10;
        if (wrong < 0 && (labels[i] < 0 || labels[i] >= groups))
            wrong = i;
    }
    require(group(labels, count, groups, order, bounds) == wrong);
    for (int64_t label = 0, place = 0; wrong < 0 && label < groups; label++) {
        require(bounds[label] == place);
        for (int64_t i = 0; i < count; i++)
            require(labels[i] != label || order[place++] == i);
        require(bounds[label + 1] == place);
    }
    free(labels);
    free(order);
    free(bounds);
}

static uint64_t slow_crc(const struct crc *crc, uint64_t polynomial, uint64_t initial, const uint8_t *data, int64_t size)
{
    uint64_t top = (uint64_t)1 << (crc->width - 1), mask = top | (top - 1), value = initial;
    for (int64_t bit = 0; bit < 8 * size; bit++) {
        bool carry = (bool)(value & top) != (bool)bit_at(data, bit, crc->reflect_in);
        value = (value << 1 & mask) ^ (carry ? polynomial : 0);
    }
    uint64_t result = value;
    for (int bit = 0; crc->reflect_out && bit < crc->width; bit++)
        result = (result & ~((uint64_t)1 << bit)) | (value >> (crc->width - 1 - bit) & 1) << bit;
    return result ^ crc->xor_out;
}

static void check_crc(struct input *input)
{
    static struct crc crc;
    int width = 1 + (int)up_to(input, 63);
    uint64_t mask = UINT64_MAX >> (64 - width), polynomial = take(input, 8) & mask, initial = take(input, 8) & mask;
    uint64_t xor_out = take(input, 8) & mask;
    crc_init(&crc, width, polynomial, initial, take(input, 1) & 1, take(input, 1) & 1, xor_out);
    int64_t starts[5], ends[5], count = up_to(input, 5), size = (int64_t)input->size - 20 > 0 ? (int64_t)input->size - 20 : 0;
    for (int64_t i = 0; i < count; i++) {
        starts[i] = up_to(input, size);
        ends[i] = starts[i] + up_to(input, size - starts[i]);
    }
    uint8_t *data = copied(input);
    uint64_t *values = exactly(8 * count);
    if (size <= (int64_t)input->size)
        crc_of(&crc, data, starts, ends, count, values);
    for (int64_t i = 0; i < count && size <= (int64_t)input->size; i++)
        require(values[i] == slow_crc(&crc, polynomial, initial, data + starts[i], ends[i] - starts[i]));
    free(values);
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    switch (take(&input, 1) % 3) {
    case 0: check_split(&input); break;
    case 1: check_group(&input); break;
    default: check_crc(&input); break;
    }
    return 0;
}
