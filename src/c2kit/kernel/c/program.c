#include "program.h"

#include "elements.h"

static bool element_check(const struct element *element)
{
    int bits = element->bits;
    if (element->encoding >= ENCODINGS || element->order >= BYTE_ORDERS || bits < 1 || bits > 64)
        return false;
    if (element->encoding == IEEE754 && bits != 16 && bits != 32 && bits != 64)
        return false;
    if (element->encoding == MIL_STD_1750A && bits != 32 && bits != 48)
        return false;
    if (element->encoding == BYTES && (bits != 8 || element->order != BIG))
        return false;
    if (element->order == MIXED) {
        if (bits % 8)
            return false;
        for (int byte = 0; byte < bits / 8; byte++)
            if (element->places[byte] >= bits / 8)
                return false;
    }
    int width = element->width;
    if (element->encoding == MIL_STD_1750A)
        return width == 8;
    if (element->encoding == IEEE754)
        return width == (bits == 64 ? 8 : 4);
    return width == (bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8);
}

static bool condition_check(const struct program *program, const struct condition *condition, int32_t before)
{
    if (condition->teller < 0 || condition->teller >= before || condition->comparison >= COMPARISONS)
        return false;
    const struct field *teller = &program->fields[condition->teller];
    if (!is_number(teller))
        return false;
    bool is_float = teller->element.encoding == IEEE754 || teller->element.encoding == MIL_STD_1750A;
    if (is_float)
        return condition->comparison > WITHIN_UNSIGNED;
    return condition->comparison == (teller->element.encoding == UNSIGNED ? WITHIN_UNSIGNED : WITHIN_SIGNED);
}

static bool length_check(const struct program *program, struct field *field, int32_t number)
{
    switch (field->length) {
    case SINGLE:
        return field->count == 1 && field->element.encoding != BYTES;
    case FIXED:
        return field->count >= 0 && field->count <= MOST_ELEMENTS;
    case REFERENCE:
        return condition_check(program, &field->told, number) && field->told.comparison <= WITHIN_UNSIGNED;
    case EXPAND:
        return field->trailing >= 0 && field->trailing < program->count - number;
    case TERMINATED:
        return field->element.encoding == BYTES && field->terminator_bytes > 0 && field->max_bytes >= -1
            && field->max_bytes <= MOST_ELEMENTS && field->terminator <= program->terminators_bytes
            && field->terminator_bytes <= program->terminators_bytes - field->terminator;
    case PREFIXED:
        return field->element.encoding == BYTES && element_check(&field->prefix)
            && field->prefix.encoding == UNSIGNED && field->prefix.bits <= 32;
    default:
        return false;
    }
}

/* The fields after an expanding one must have sizes that are known before it. */
static bool trailer_check(const struct program *program, int32_t expanding)
{
    for (int32_t number = expanding + 1; number <= expanding + program->fields[expanding].trailing; number++) {
        const struct field *field = &program->fields[number];
        if (field->length > REFERENCE || (field->length == REFERENCE && field->told.teller >= expanding))
            return false;
        for (int32_t each = 0; each < field->conditions; each++)
            if (program->conditions[field->first_condition + each].teller >= expanding)
                return false;
    }
    return true;
}

static bool field_check(const struct program *program, struct field *field, int32_t number)
{
    if (!element_check(&field->element) || field->start < -1 || field->start >= LAST_START)
        return false;
    /* Only where a field varies is it kept where it ends. */
    if (field->start < 0 && (number == 0 || program->fields[number - 1].is_fixed))
        return false;
    if (field->conditions < 0 || field->first_condition < 0
        || field->first_condition > program->condition_count - field->conditions)
        return false;
    for (int32_t each = 0; each < field->conditions; each++)
        if (!condition_check(program, &program->conditions[field->first_condition + each], number))
            return false;
    return length_check(program, field, number);
}

static bool conversion_check(const struct program *program, const struct conversion *conversion)
{
    if (conversion->field < 0 || conversion->field >= program->count || conversion->kind >= CONVERSION_KINDS
        || conversion->extrapolation >= EXTRAPOLATIONS || conversion->first < 0 || conversion->count < 0)
        return false;
    const struct field *field = &program->fields[conversion->field];
    bool is_integer = field->element.encoding < IEEE754;
    int64_t first = conversion->first, count = conversion->count;
    switch (is_number(field) ? conversion->kind : CONVERSION_KINDS) {
    case POLYNOMIAL: return count >= 1 && first + count <= program->number_count;
    case PIECEWISE: return count >= 2 && first + 3 * count <= program->number_count;
    case STATES: return is_integer && first + count <= program->range_count;
    case TRUTH: return is_integer;
    default: return false;
    }
}

bool program_check(struct program *program)
{
    for (int32_t number = 0; number < program->count; number++) {
        struct field *field = &program->fields[number];
        if (!field_check(program, field, number))
            return false;
        field->is_fixed = field->start >= 0 && field->length <= FIXED && !field->conditions;
        field->end = field->is_fixed ? field->start + field->count * bits_of(field) : -1;
        field->is_word = element_is_word(&field->element);
        field->read = field->is_fixed && is_number(field) ? reader_of(field) : NULL;
    }
    for (int32_t number = 0; number < program->count; number++)
        if (program->fields[number].length == EXPAND && !trailer_check(program, number))
            return false;
    for (int32_t number = 0; number < program->conversion_count; number++)
        if (!conversion_check(program, &program->conversions[number])
            || (number && program->conversions[number].field < program->conversions[number - 1].field))
            return false;
    return true;
}

int64_t batch_check(struct batch *batch)
{
    int64_t shortest = INT64_MAX, longest = 0;
    uint64_t before = batch->count ? (uint64_t)batch->starts[0] : 0;
    uint64_t step = batch->count > 1 ? (uint64_t)batch->starts[1] - before : 0;
    uint64_t uneven = 0;
    bool is_wrong = false;
    for (int64_t i = 0; i < batch->count; i++) {
        int64_t start = batch->starts[i], end = batch->ends[i];
        is_wrong |= (start < 0) | (end > batch->size) | (start > end);
        /* Wraps round where offsets are wrong, and is not used then. */
        int64_t size = (int64_t)((uint64_t)end - (uint64_t)start);
        shortest = size < shortest ? size : shortest;
        longest = size > longest ? size : longest;
        uneven |= ((uint64_t)start - before) ^ (i ? step : 0);
        before = (uint64_t)start;
    }
    batch->shortest = batch->count ? shortest : 0;
    batch->longest = longest;
    batch->step = uneven || step > INT64_MAX ? -1 : (int64_t)step;
    if (is_wrong)
        for (int64_t i = 0; i < batch->count; i++)
            if (batch->starts[i] < 0 || batch->ends[i] > batch->size || batch->starts[i] > batch->ends[i])
                return i;
    return -1;
}
