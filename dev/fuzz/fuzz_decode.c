/* Any layout decodes any bytes, without touching any that are not its own; numbers are what their bits say, and
 * engineering values what the conversion of one number alone gives. */
#include "input.h"

#include "decode.h"
#include "elements.h"

enum {
    MOST_FIELDS = 8, MOST_CONDITIONS = 8, MOST_PACKETS = 40, MOST_CONVERSIONS = 4, MOST_NUMBERS = 12, MOST_RANGES = 3
};

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

/* Constants of any kind, mostly small ones; and conversions, of which some are none that can be. */
static void any_conversions(struct input *input, struct program *program)
{
    for (int32_t i = 0; i < program->number_count; i++) {
        uint64_t pattern = take(input, take(input, 1) & 7 ? 1 : 8);
        memcpy(&program->numbers[i], &pattern, 8);
        if (pattern < 256)
            program->numbers[i] = (double)pattern - 100;
    }
    for (int32_t i = 0; i < 2 * program->range_count; i++)
        program->ranges[i] = take(input, 1) & 7 ? take(input, 1) & 3 : take(input, 8);
    program->conversion_count = (int32_t)up_to(input, MOST_CONVERSIONS);
    for (int32_t i = 0; i < program->conversion_count; i++) {
        uint8_t kind = (uint8_t)take(input, 1);
        program->conversions[i] = (struct conversion){
            .field = i ? program->conversions[i - 1].field + (int32_t)take(input, 1) % 3 : (int32_t)up_to(input, 2),
            .kind = kind % CONVERSION_KINDS,
            .extrapolation = (uint8_t)(kind >> 4) % EXTRAPOLATIONS,
            .first = (int32_t)take(input, 1) % 6,
            .count = (int32_t)take(input, 1) % 6,
        };
    }
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

/* The value of the polynomial at one number; or on the line, whose points are looked at one after the other. */
static double slow_value(const struct program *program, const struct conversion *conversion, double raw)
{
    const double *x = program->numbers + conversion->first, *y = x + conversion->count, *slope = y + conversion->count;
    if (conversion->kind == POLYNOMIAL) {
        double value = x[conversion->count - 1];
        for (int32_t term = conversion->count - 2; term >= 0; term--)
            value = value * raw + x[term];
        return value;
    }
    if (conversion->extrapolation == HOLD)
        raw = raw < x[0] ? x[0] : raw > x[conversion->count - 1] ? x[conversion->count - 1] : raw;
    int32_t at = 0;
    while (at + 1 < conversion->count && x[at + 1] <= raw)
        at++;
    return raw == x[at] ? y[at] : y[at] + (raw - x[at]) * slope[at];
}

static double slow_number(const struct element *element, const uint8_t *value)
{
    union { uint8_t bytes[8]; int8_t i1; int16_t i2; int32_t i4; int64_t i8; uint64_t u8; float f4; double f8; } all = {{0}};
    memcpy(all.bytes, value, element->width);
    if (element->encoding >= IEEE754)
        return element->width == 4 ? (double)all.f4 : all.f8;
    if (element->encoding == UNSIGNED)
        return (double)all.u8;
    return (double)(element->width == 1 ? all.i1 : element->width == 2 ? all.i2 : element->width == 4 ? all.i4 : all.i8);
}

static uint64_t slow_word(const struct element *element, const uint8_t *value)
{
    uint64_t word = 0;
    for (int byte = element->width - 1; byte >= 0; byte--)
        word = word << 8 | value[byte];
    bool is_negative = element->encoding != UNSIGNED && value[element->width - 1] & 0x80;
    return is_negative && element->width < 8 ? word | ~(uint64_t)0 << 8 * element->width : word;
}

/* A range that goes beyond 2**64 goes on at 0. */
static bool slow_has_state(const struct program *program, const struct conversion *conversion, uint64_t word)
{
    for (int32_t range = conversion->first; range < conversion->first + conversion->count; range++) {
        uint64_t low = program->ranges[2 * range], high = low + program->ranges[2 * range + 1];
        if (low <= high ? low <= word && word <= high : low <= word || word <= high)
            return true;
    }
    return false;
}

/* Only where points rise and are numbers is a line what is drawn through them. */
static bool is_line(const struct program *program, const struct conversion *conversion)
{
    for (int32_t i = 0; i + 1 < conversion->count; i++)
        if (!(program->numbers[conversion->first + i] < program->numbers[conversion->first + i + 1]))
            return false;
    return conversion->kind == PIECEWISE;
}

/* Engineering values of packet i beside those of its raw value alone; gives what that counts. */
static int64_t check_conversion(const struct program *program, const struct conversion *conversion,
                                const struct column *raw, const struct converted *converted, int64_t i)
{
    const struct element *element = &program->fields[conversion->field].element;
    bool is_held = !raw->status || raw->status[i];
    double number = slow_number(element, raw->values + i * element->width);
    if (conversion->kind == TRUTH)
        require(((uint8_t *)converted->values)[i] == (number != 0));
    if (conversion->kind == STATES)
        return is_held && !slow_has_state(program, conversion, slow_word(element, raw->values + i * element->width));
    if (conversion->kind > PIECEWISE)
        return 0;
    double found = ((double *)converted->values)[i];
    const double *x = program->numbers + conversion->first;
    bool is_inside = number >= x[0] && number <= x[conversion->count - 1];
    bool is_valid = is_held && (!may_lose(conversion) || is_inside);
    require(!may_lose(conversion) || converted->valid[i] == is_valid);
    if (conversion->kind == POLYNOMIAL || is_line(program, conversion)) {
        double value = is_valid ? slow_value(program, conversion, number) : 0;
        require(found == value || (found != found && value != value));
    }
    return is_held && !is_valid;
}

static void check_conversions(const struct program *program, const struct batch *batch, const struct column *columns,
                              struct converted *converted)
{
    for (int32_t number = 0; number < program->conversion_count; number++) {
        const struct conversion *conversion = &program->conversions[number];
        int64_t counted = 0;
        for (int64_t i = 0; i < batch->count; i++)
            counted += check_conversion(program, conversion, &columns[conversion->field], &converted[number], i);
        require(counted == converted[number].counted);
        free(converted[number].values);
        free(converted[number].valid);
    }
}

static void decode(const struct program *program, struct batch *batch)
{
    struct column columns[MOST_FIELDS];
    struct converted converted[MOST_CONVERSIONS];
    for (int32_t number = 0; number < program->count; number++)
        give_memory(&program->fields[number], batch, &columns[number]);
    for (int32_t number = 0; number < program->conversion_count; number++) {
        const struct conversion *conversion = &program->conversions[number];
        converted[number] = (struct converted){
            .values = exactly(batch->count * converted_width(conversion)),
            .valid = may_lose(conversion) ? exactly(batch->count) : NULL,
        };
    }
    decode_walk(program, batch, columns, converted);
    check_conversions(program, batch, columns, converted);
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
    struct conversion conversions[MOST_CONVERSIONS];
    double numbers[MOST_NUMBERS];
    uint64_t ranges[2 * MOST_RANGES];
    struct program program = {
        .fields = fields, .conditions = conditions, .terminators = terminators, .conversions = conversions,
        .numbers = numbers, .number_count = MOST_NUMBERS, .ranges = ranges, .range_count = MOST_RANGES,
    };
    for (size_t i = 0; i < sizeof terminators; i++)
        terminators[i] = (uint8_t)take(&input, 1);
    program.terminators_bytes = sizeof terminators;
    for (int32_t count = 1 + (int32_t)up_to(&input, MOST_FIELDS - 1); program.count < count; program.count++)
        fields[program.count] = any_field(&input, &program, program.count);
    any_conversions(&input, &program);
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
