/* Any layout decodes any bytes, without touching any that are not its own; and numbers are what their bits say. */
#include "input.h"

#include "decode.h"
#include "elements.h"

enum { MOST_FIELDS = 8, MOST_CONDITIONS = 8, MOST_PACKETS = 40 };

static struct condition any_condition(struct input *input, const struct field *fields, int32_t number)
{
    struct condition condition = {.teller = number ? (int32_t)up_to(input, number - 1) : (int32_t)take(input, 1) - 1};
    const struct element *teller = &fields[number ? condition.teller : 0].element;
    bool is_float = teller->encoding == IEEE754 || teller->encoding == MIL_STD_1750A;
    condition.comparison = is_float ? (uint8_t)(EQUAL + take(input, 1) % 6) : teller->encoding == UNSIGNED;
    condition.negated = take(input, 1) & 1;
    condition.low = (int64_t)take(input, take(input, 1) & 1 ? 8 : 1);
    condition.high = (int64_t)take(input, take(input, 1) & 1 ? 8 : 1);
    uint64_t operand = take(input, 8);
    memcpy(&condition.operand, &operand, 8);
    return condition;
}

static struct field any_field(struct input *input, struct program *program, int32_t number)
{
    struct field field = {.element = any_element(input, ENCODINGS)};
    uint8_t kind = (uint8_t)take(input, 1);
    field.length = kind % (LENGTH_KINDS + 3);
    if (field.length > LENGTH_KINDS)
        field.length = SINGLE;
    field.start = kind & 0x80 && number ? -1 : up_to(input, 400);
    field.count = field.length == SINGLE ? 1 : up_to(input, 20);
    field.told = any_condition(input, program->fields, number);
    field.multiply = take(input, kind & 0x40 ? 8 : 1);
    field.add = take(input, kind & 0x20 ? 8 : 1);
    field.prefix = any_element(input, UNSIGNED + 1);
    field.terminator = (size_t)up_to(input, (int64_t)program->terminators_bytes);
    field.terminator_bytes = (size_t)take(input, 1) % 4;
    field.max_bytes = up_to(input, 12) - 1;
    field.trailing = (int32_t)up_to(input, 3);
    if (kind & 0x10 && program->condition_count < MOST_CONDITIONS) {
        field.first_condition = program->condition_count;
        field.conditions = 1;
        program->conditions[program->condition_count++] = any_condition(input, program->fields, number);
    }
    return field;
}

static struct batch any_batch(struct input *input, int64_t *starts, int64_t *ends)
{
    int64_t step = up_to(input, 40) - 1, size = up_to(input, 90), start = 0;
    struct batch batch = {.starts = starts, .ends = ends, .count = up_to(input, MOST_PACKETS)};
    for (int64_t i = 0; i < batch.count; i++) {
        starts[i] = step < 0 ? up_to(input, 60) : start;
        ends[i] = starts[i] + (take(input, 1) & 1 ? size : up_to(input, 90));
        start += step;
    }
    return batch;
}

/* Each column has memory of its own, to the byte. */
static void give_memory(const struct field *field, const struct batch *batch, struct column *column)
{
    *column = (struct column){0};
    if (is_number(field) || (all_hold(field, batch) && field->length == FIXED))
        column->values = exactly(batch->count * field->count * field->element.width);
    if (!all_hold(field, batch)) {
        column->status = exactly(batch->count);
        column->firsts = is_number(field) ? NULL : exactly(8 * batch->count);
    }
    if (has_offsets(field))
        column->offsets = exactly(8 * (batch->count + 1));
}

static void check_number(const struct field *field, const struct batch *batch, const struct column *column, int64_t i)
{
    uint8_t value[8] = {0};
    int64_t bit = 8 * batch->starts[i] + field->start;
    if (column->status && !column->status[i]) {
        require(!memcmp(value, column->values + i * field->element.width, field->element.width));
        return;
    }
    require(pattern_at(&field->element, batch->data, bit) == slow_pattern(&field->element, batch->data, bit));
    read_element(&field->element, batch->data, bit, value);
    require(!memcmp(value, column->values + i * field->element.width, field->element.width));
}

static void check(const struct field *field, const struct batch *batch, struct column *column)
{
    int64_t held = 0;
    for (int64_t i = 0; i < batch->count; i++) {
        require(!column->status || column->status[i] <= 1);
        held += column->status ? column->status[i] : 1;
        if (field->is_fixed)
            require((column->status ? column->status[i] : 1) == (field->end <= 8 * (batch->ends[i] - batch->starts[i])));
        if (field->is_fixed && is_number(field))
            check_number(field, batch, column, i);
    }
    require(held == batch->count - column->missing);
    if (is_number(field))
        return;
    int64_t elements = decode_elements(field, batch, column);
    require(elements >= 0 && (column->values || elements < 1 << 24));
    if (!column->values)
        column->values = exactly(elements * field->element.width);
    decode_sequences(field, batch, column);
}

static void decode(const struct program *program, struct batch *batch)
{
    struct column columns[MOST_FIELDS];
    for (int32_t number = 0; number < program->count; number++)
        give_memory(&program->fields[number], batch, &columns[number]);
    decode_walk(program, batch, columns);
    for (int32_t number = 0; number < program->count; number++) {
        check(&program->fields[number], batch, &columns[number]);
        free(columns[number].values);
        free(columns[number].status);
        free(columns[number].firsts);
        free(columns[number].offsets);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct field fields[MOST_FIELDS] = {0};
    struct condition conditions[MOST_CONDITIONS] = {0};
    uint8_t terminators[8];
    struct program program = {fields, 0, conditions, 0, terminators, 0};
    for (size_t i = 0; i < sizeof terminators; i++)
        terminators[i] = (uint8_t)take(&input, 1);
    program.terminators_bytes = sizeof terminators;
    for (int32_t count = 1 + (int32_t)up_to(&input, MOST_FIELDS - 1); program.count < count; program.count++)
        fields[program.count] = any_field(&input, &program, program.count);
    if (!program_check(&program))
        return 0;
    int64_t starts[MOST_PACKETS], ends[MOST_PACKETS];
    struct batch batch = any_batch(&input, starts, ends);
    uint8_t *data = copied(&input);
    batch.data = data;
    batch.size = (int64_t)input.size;
    if (batch_check(&batch) < 0)
        decode(&program, &batch);
    free(data);
    return 0;
}
