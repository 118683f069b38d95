#include "decode.h"

#include "bits.h"
#include "elements.h"

/* Packets are taken in blocks, and all fields of one block before the next: few enough that their bytes stay in the
 * nearest cache, enough that what is decided once a field and block costs little. */
enum { MOST_IN_BLOCK = MOST_CONVERTED, LEAST_IN_BLOCK = 32, BLOCK_BYTES = 32768 };

/* A place that is not known, or that cannot be. */
enum { UNKNOWN = -1 };

struct walk {
    const struct program *program;
    const struct batch *batch;
    struct column *columns;
    struct converted *converted;
    int64_t low, high; /* the packets of this block */
    int64_t cursor[MOST_IN_BLOCK]; /* of each, the bit after the field before */
};

/* -- What earlier numbers tell ----------------------------------------------------------------------------------- */

static inline int64_t signed_value(const uint8_t *values, int width, int64_t i)
{
    int8_t byte;
    int16_t half;
    int32_t word;
    int64_t value;
    switch (width) {
    case 1: memcpy(&byte, values + i, 1); return byte;
    case 2: memcpy(&half, values + 2 * i, 2); return half;
    case 4: memcpy(&word, values + 4 * i, 4); return word;
    default: memcpy(&value, values + 8 * i, 8); return value;
    }
}

static inline uint64_t unsigned_value(const uint8_t *values, int width, int64_t i)
{
    uint64_t value = (uint64_t)signed_value(values, width, i);
    return value << (64 - 8 * width) >> (64 - 8 * width);
}

static inline double float_value(const uint8_t *values, int width, int64_t i)
{
    float single;
    double value;
    if (width == 4) {
        memcpy(&single, values + 4 * i, 4);
        return single;
    }
    memcpy(&value, values + 8 * i, 8);
    return value;
}

/* Whether a condition on a number holds in packet i, which has the number. */
static bool holds(const struct walk *walk, const struct condition *condition, int64_t i)
{
    const uint8_t *values = walk->columns[condition->teller].values;
    int width = walk->program->fields[condition->teller].element.width;
    bool answer = false;
    if (condition->comparison == WITHIN_SIGNED) {
        int64_t value = signed_value(values, width, i);
        answer = condition->low <= value && value <= condition->high;
    } else if (condition->comparison == WITHIN_UNSIGNED) {
        uint64_t value = unsigned_value(values, width, i);
        answer = (uint64_t)condition->low <= value && value <= (uint64_t)condition->high;
    } else {
        double value = float_value(values, width, i), operand = condition->operand;
        switch (condition->comparison) {
        case EQUAL: answer = value == operand; break;
        case LESS: answer = value < operand; break;
        case LESS_OR_EQUAL: answer = value <= operand; break;
        case GREATER: answer = value > operand; break;
        default: answer = value >= operand; break;
        }
    }
    return answer != (bool)condition->negated;
}

static inline uint8_t status_of(const struct walk *walk, int32_t number, int64_t i)
{
    const uint8_t *status = walk->columns[number].status;
    return status ? status[i] : HELD;
}

/* Whether a field is there by its conditions, all of which must hold; LOST where that depends on one without a value. */
static inline uint8_t presence(const struct walk *walk, const struct field *field, int64_t i)
{
    uint8_t answer = HELD;
    for (int32_t each = 0; each < field->conditions; each++) {
        const struct condition *condition = &walk->program->conditions[field->first_condition + each];
        uint8_t told = status_of(walk, condition->teller, i);
        if (told == ABSENT || (told == HELD && !holds(walk, condition, i)))
            return ABSENT;
        if (told == LOST)
            answer = LOST;
    }
    return answer;
}

/* How many elements a field has whose number of elements is told before it; unknown also where they fit nowhere. */
static inline int64_t count_of(const struct walk *walk, const struct field *field, int64_t i)
{
    if (field->length != REFERENCE)
        return field->count;
    int32_t teller = field->told.teller;
    if (status_of(walk, teller, i) != HELD || !holds(walk, &field->told, i))
        return UNKNOWN;
    uint64_t value = (uint64_t)signed_value(walk->columns[teller].values, walk->program->fields[teller].element.width, i);
    if (field->told.comparison == WITHIN_UNSIGNED)
        value = unsigned_value(walk->columns[teller].values, walk->program->fields[teller].element.width, i);
    /* Exact, whatever wraps round on the way: the result lies between 0 and MOST_ELEMENTS. */
    int64_t count = (int64_t)(value * field->multiply + field->add);
    return count >= 0 && count <= MOST_ELEMENTS ? count : UNKNOWN;
}

/* -- Where fields are -------------------------------------------------------------------------------------------- */

/* Where the elements begin and the field ends, if it is all there; and how many elements it has. */
struct extent {
    int64_t first, count, end;
};

static const struct extent NOWHERE = {0, 0, UNKNOWN};

/* Bytes whose number stands before them. */
static struct extent prefixed(const struct field *field, const uint8_t *packet, int64_t size_bits, int64_t start)
{
    int64_t first = start + field->prefix.bits;
    if (first > size_bits)
        return NOWHERE;
    int64_t count = (int64_t)pattern_at(&field->prefix, packet, start);
    return (struct extent){first, count, first + 8 * count};
}

static bool same_bytes(const uint8_t *packet, int64_t bit, const uint8_t *wanted, int64_t count)
{
    int skipped = (int)(bit & 7);
    const uint8_t *first = packet + (bit >> 3);
    if (!skipped)
        return !memcmp(first, wanted, (size_t)count);
    for (int64_t i = 0; i < count; i++)
        if ((uint8_t)big_endian_bits(first + i, 2, skipped, 8) != wanted[i])
            return false;
    return true;
}

/* Bytes up to a terminator, which is sought in steps of its own length, or `max_bytes` of them. */
static struct extent terminated(const struct field *field, const uint8_t *terminator, const uint8_t *packet,
                                int64_t size_bits, int64_t start)
{
    if (start > size_bits)
        return NOWHERE;
    int64_t step = (int64_t)field->terminator_bytes, count = (size_bits - start) >> 3;
    if (field->max_bytes >= 0 && count > field->max_bytes)
        count = field->max_bytes;
    if (step == 1 && !(start & 7) && count) {
        const uint8_t *first = packet + (start >> 3), *found = memchr(first, terminator[0], (size_t)count);
        if (found)
            return (struct extent){start, found - first, start + 8 * (found - first + 1)};
    } else {
        for (int64_t place = 0; place + step <= count; place += step)
            if (same_bytes(packet, start + 8 * place, terminator, step))
                return (struct extent){start, place, start + 8 * (place + step)};
    }
    return count == field->max_bytes ? (struct extent){start, count, start + 8 * count} : NOWHERE;
}

/* Whole elements of what is left before the trailer, which ends with the packet. */
static struct extent expanded(const struct walk *walk, const struct field *field, int64_t size_bits, int64_t start,
                              int64_t i)
{
    int64_t end = size_bits;
    for (int32_t each = 1; each <= field->trailing; each++) {
        const struct field *follower = field + each;
        uint8_t status = presence(walk, follower, i);
        int64_t count = status == ABSENT ? 0 : status == HELD ? count_of(walk, follower, i) : UNKNOWN;
        if (count < 0)
            return NOWHERE;
        end -= count * bits_of(follower);
        if (end < start)
            return NOWHERE;
    }
    if (end < start)
        return NOWHERE;
    return (struct extent){start, (end - start) / bits_of(field), end};
}

static inline struct extent extent_of(const struct walk *walk, const struct field *field, int64_t start, int64_t i)
{
    const uint8_t *packet = walk->batch->data + walk->batch->starts[i];
    int64_t size_bits = 8 * (walk->batch->ends[i] - walk->batch->starts[i]), count;
    switch (field->length) {
    case PREFIXED:
        return prefixed(field, packet, size_bits, start);
    case TERMINATED:
        return terminated(field, walk->program->terminators + field->terminator, packet, size_bits, start);
    case EXPAND:
        return expanded(walk, field, size_bits, start, i);
    default:
        count = count_of(walk, field, i);
        return count < 0 ? NOWHERE : (struct extent){start, count, start + count * bits_of(field)};
    }
}

/* -- Columns ----------------------------------------------------------------------------------------------------- */

/* Keeps what was found of a field in packet i: its value, or where its elements are. */
static inline void keep(const struct walk *walk, const struct field *field, struct column *column, int64_t i,
                        uint8_t status, struct extent extent)
{
    bool is_held = status == HELD;
    int64_t bit = 8 * walk->batch->starts[i] + extent.first;
    column->status[i] = status;
    column->missing += !is_held;
    if (is_number(field)) {
        uint8_t *place = column->values + i * field->element.width;
        if (is_held)
            read_element(&field->element, walk->batch->data, bit, place);
        else
            memset(place, 0, field->element.width);
        return;
    }
    column->firsts[i] = is_held ? bit : UNKNOWN;
    if (has_offsets(field))
        column->offsets[i + 1] = is_held ? extent.count : 0;
}

/* A field whose place, size or presence varies. */
static void walk_varying(struct walk *walk, int32_t number)
{
    const struct field *field = &walk->program->fields[number];
    struct column *column = &walk->columns[number];
    for (int64_t i = walk->low; i < walk->high; i++) {
        int64_t *cursor = &walk->cursor[i - walk->low];
        int64_t start = field->start >= 0 ? field->start : *cursor;
        int64_t size_bits = 8 * (walk->batch->ends[i] - walk->batch->starts[i]);
        uint8_t status = presence(walk, field, i);
        struct extent extent = NOWHERE;
        if (status == HELD && start >= 0)
            extent = extent_of(walk, field, start, i);
        if (status == HELD && (extent.end < 0 || extent.end > size_bits))
            status = LOST;
        keep(walk, field, column, i, status, extent);
        *cursor = status == HELD ? extent.end : status == ABSENT ? start : UNKNOWN;
    }
}

/* A field at one place, that some packets are too short for. */
static void walk_short(struct walk *walk, int32_t number)
{
    const struct field *field = &walk->program->fields[number];
    for (int64_t i = walk->low; i < walk->high; i++) {
        int64_t size_bits = 8 * (walk->batch->ends[i] - walk->batch->starts[i]);
        struct extent extent = {field->start, field->count, field->end};
        keep(walk, field, &walk->columns[number], i, field->end <= size_bits ? HELD : LOST, extent);
    }
}

static void walk_block(struct walk *walk)
{
    const struct batch *batch = walk->batch;
    memset(walk->cursor, 0, (size_t)(walk->high - walk->low) * sizeof *walk->cursor);
    for (int32_t number = 0; number < walk->program->count; number++) {
        const struct field *field = &walk->program->fields[number];
        if (!field->is_fixed)
            walk_varying(walk, number);
        else if (!all_hold(field, batch))
            walk_short(walk, number);
        else if (field->read)
            field->read(field, batch->data, batch->starts + walk->low, batch->step, walk->high - walk->low,
                        walk->columns[number].values + walk->low * field->element.width);
    }
    for (int32_t number = 0; number < walk->program->conversion_count; number++) {
        const struct conversion *conversion = &walk->program->conversions[number];
        convert(walk->program, conversion, &walk->columns[conversion->field], walk->low, walk->high,
                &walk->converted[number]);
    }
}

static void finish(const struct field *field, const struct batch *batch, struct column *column)
{
    if (column->status)
        for (int64_t i = 0; i < batch->count; i++)
            column->status[i] &= 1;
    if (!column->offsets)
        return;
    column->offsets[0] = 0;
    if (all_hold(field, batch)) {
        for (int64_t i = 0; i < batch->count; i++)
            column->offsets[i + 1] = (i + 1) * field->count;
        return;
    }
    for (int64_t i = 0; i < batch->count; i++) {
        int64_t end = column->offsets[i] + column->offsets[i + 1];
        /* No memory holds so many: decode_elements() says so, and nothing is read. */
        column->offsets[i + 1] = end > MOST_ELEMENTS ? MOST_ELEMENTS + 1 : end;
    }
}

void decode_walk(const struct program *program, const struct batch *batch, struct column *columns,
                 struct converted *converted)
{
    struct walk walk; /* not initialised as a whole: of one packet that would be most of the work */
    walk.program = program;
    walk.batch = batch;
    walk.columns = columns;
    walk.converted = converted;
    int64_t step = BLOCK_BYTES / (batch->longest + 1);
    step = step < LEAST_IN_BLOCK ? LEAST_IN_BLOCK : step > MOST_IN_BLOCK ? MOST_IN_BLOCK : step;
    for (walk.low = 0; walk.low < batch->count; walk.low = walk.high) {
        walk.high = batch->count - walk.low < step ? batch->count : walk.low + step;
        walk_block(&walk);
    }
    for (int32_t number = 0; number < program->count; number++)
        finish(&program->fields[number], batch, &columns[number]);
}

int64_t decode_elements(const struct field *field, const struct batch *batch, const struct column *column)
{
    int64_t elements;
    if (has_offsets(field))
        elements = column->offsets[batch->count];
    else if (field->count && batch->count > MOST_ELEMENTS / field->count)
        return -1;
    else
        elements = batch->count * field->count;
    return elements > MOST_ELEMENTS ? -1 : elements;
}

void decode_sequences(const struct field *field, const struct batch *batch, const struct column *column)
{
    for (int64_t i = 0; i < batch->count; i++) {
        if (column->status && !column->status[i])
            continue;
        int64_t bit = column->firsts ? column->firsts[i] : 8 * batch->starts[i] + field->start;
        int64_t place = column->offsets ? column->offsets[i] : i * field->count;
        int64_t count = column->offsets ? column->offsets[i + 1] - place : field->count;
        read_sequence(field, batch->data, bit, count, column->values + place * field->element.width);
    }
}
