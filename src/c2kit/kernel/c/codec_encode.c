/* One packet from a dict of values. */
#include "codec.h"

#include "encode.h"

/* A packet of so many words is put together without memory of its own. */
enum { FEW_WORDS = 64 };

/* The number that an integer is; `overflow` is not 0 where 64 bits do not hold it. One of a single digit, as nearly all
 * are, is read without a call: how, Python tells since 3.12; 3.11, which does not change any more, has its sign in the
 * size. */
static inline int64_t number_of(PyObject *integer, int *overflow)
{
    const PyLongObject *number = (const PyLongObject *)integer;
    *overflow = 0;
#if PY_VERSION_HEX >= 0x030C0000
    if (PyUnstable_Long_IsCompact(number))
        return PyUnstable_Long_CompactValue(number);
#else
    if (Py_SIZE(number) >= -1 && Py_SIZE(number) <= 1)
        return Py_SIZE(number) * (int64_t)number->ob_digit[0];
#endif
    return PyLong_AsLongLongAndOverflow(integer, overflow);
}

/* Of an integer that 63 bits do not hold. */
static bool pattern_of_large(const struct element *element, PyObject *value, uint64_t *pattern)
{
    unsigned long long large = PyLong_AsUnsignedLongLong(value);
    if (!PyErr_Occurred())
        return pattern_of_unsigned(element, large, pattern);
    PyErr_Clear(); /* OverflowError: too large for 64 bits */
    return false;
}

static bool pattern_of_integer(const struct element *element, PyObject *value, uint64_t *pattern)
{
    int overflow;
    if (!PyLong_CheckExact(value))
        return false;
    int64_t number = number_of(value, &overflow);
    if (overflow)
        return overflow > 0 && element->encoding == UNSIGNED && pattern_of_large(element, value, pattern);
    if (element->encoding == UNSIGNED)
        return number >= 0 && pattern_of_unsigned(element, (uint64_t)number, pattern);
    return pattern_of_signed(element, number, pattern);
}

/* Puts a value where its field has it; false where it is not plainly one that the field holds. */
static bool put_any(const struct plain_field *field, PyObject *value, uint64_t *words)
{
    const struct element *element = &field->element;
    uint64_t pattern;
    if (field->kind == KIND_BYTES) {
        if (!PyBytes_CheckExact(value) || PyBytes_GET_SIZE(value) != field->byte_count)
            return false;
        put_bytes(words, field->start, (const uint8_t *)PyBytes_AS_STRING(value), field->byte_count);
        return true;
    }
    bool is_float = field->kind == KIND_SINGLE || field->kind == KIND_DOUBLE;
    if (is_float ? !PyFloat_CheckExact(value) || !pattern_of_float(element, PyFloat_AS_DOUBLE(value), &pattern)
                 : !pattern_of_integer(element, value, &pattern))
        return false;
    put_pattern(element, words, field->start, pattern);
    return true;
}

/* The same of what nearly all values are; false leaves it to put_any() to look again. */
static inline bool put_at_once(const struct plain_field *field, PyObject *value, uint64_t *words)
{
    uint64_t pattern;
    if (field->way == WAY_INTEGER) {
        int overflow;
        if (!PyLong_CheckExact(value))
            return false;
        uint64_t number = (uint64_t)number_of(value, &overflow);
        if (overflow || number + field->below > field->mask)
            return false;
        pattern = number & field->mask;
    } else if (field->way != WAY_ANY && PyFloat_CheckExact(value)) {
        double number = PyFloat_AS_DOUBLE(value);
        if (!(number > -LEAST_ABOVE_SINGLE && number < LEAST_ABOVE_SINGLE))
            return false;
        if (field->way == WAY_SINGLE) {
            float single = (float)number;
            uint32_t lower;
            memcpy(&lower, &single, 4);
            pattern = lower;
        } else
            memcpy(&pattern, &number, 8);
    } else
        return false;
    put_before(words + field->word, field->behind, pattern);
    return true;
}

/* Puts all values; false where one is missing, or is not plainly what its field holds, or one too many is there. */
static bool put_all(const struct codec_object *self, PyObject *values, uint64_t *words)
{
    Py_ssize_t place = 0;
    if (PyDict_GET_SIZE(values) != self->count)
        return false;
    for (const struct plain_field *field = self->fields, *end = field + self->count; field < end; field++) {
        /* Values mostly stand in the order of the fields, under their very names. */
        PyObject *key, *value;
        if (!PyDict_Next(values, &place, &key, &value) || key != field->name)
            value = PyDict_GetItemWithError(values, field->name);
        if (!value || (!put_at_once(field, value, words) && !put_any(field, value, words)))
            return false;
    }
    return true;
}

PyObject *codec_encode(PyObject *object, PyObject *values)
{
    const struct codec_object *self = (const struct codec_object *)object;
    uint64_t few[FEW_WORDS], *words = few;
    int64_t count = words_of(self->size);
    if (!self->can_encode || !PyDict_CheckExact(values))
        return codec_otherwise(self, "encode", values);
    if (count > FEW_WORDS && !(words = PyMem_Malloc((size_t)count * sizeof *words)))
        return PyErr_NoMemory();
    memset(words, 0, (size_t)count * sizeof *words);
    PyObject *packet = NULL;
    if (put_all(self, values, words)) {
        packet = PyBytes_FromStringAndSize(NULL, self->size);
        if (packet)
            bytes_of(words, (uint8_t *)PyBytes_AS_STRING(packet), self->size);
    } else if (!PyErr_Occurred())
        packet = codec_otherwise(self, "encode", values);
    if (words != few)
        PyMem_Free(words);
    return packet;
}
