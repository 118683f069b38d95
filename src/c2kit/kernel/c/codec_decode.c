/* One packet to a tuple or a dict of values. */
#include "codec.h"

#include "bits.h"
#include "elements.h"

static PyObject *bytes_at(const struct plain_field *field, const uint8_t *packet)
{
    const uint8_t *first = packet + (field->start >> 3);
    if (!(field->start & 7))
        return PyBytes_FromStringAndSize((const char *)first, (Py_ssize_t)field->byte_count);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)field->byte_count);
    uint8_t *to = bytes ? (uint8_t *)PyBytes_AS_STRING(bytes) : NULL;
    for (int64_t i = 0; to && i < field->byte_count; i++)
        to[i] = (uint8_t)big_endian_bits(first + i, 2, (int)(field->start & 7), 8);
    return bytes;
}

static PyObject *single_of(uint32_t pattern)
{
    float single;
    memcpy(&single, &pattern, 4);
    return PyFloat_FromDouble(single);
}

static PyObject *double_of(uint64_t pattern)
{
    double number;
    memcpy(&number, &pattern, 8);
    return PyFloat_FromDouble(number);
}

static PyObject *any_value_at(const struct plain_field *field, const uint8_t *packet)
{
    uint64_t value;
    if (field->kind == KIND_BYTES)
        return bytes_at(field, packet);
    read_element(&field->element, packet, field->start, &value);
    switch (field->kind) {
    case KIND_UNSIGNED: return PyLong_FromUnsignedLongLong(value);
    case KIND_SIGNED: return PyLong_FromLongLong((int64_t)value);
    case KIND_SINGLE: return single_of((uint32_t)value);
    default: return double_of(value);
    }
}

static inline PyObject *value_at(const struct plain_field *field, const uint8_t *packet)
{
    if (field->word_kind == NO_WORD)
        return any_value_at(field, packet);
    uint64_t word = big_endian_64(packet + field->first_byte) << field->before;
    switch (field->word_kind) {
    case KIND_UNSIGNED: return PyLong_FromUnsignedLongLong(word >> field->behind_word);
    case KIND_SIGNED: return PyLong_FromLongLong((int64_t)word >> field->behind_word);
    case KIND_SINGLE: return single_of((uint32_t)(word >> 32));
    default: return double_of(word);
    }
}

static PyObject *tuple_of(const struct codec_object *self, const uint8_t *packet)
{
    PyObject *tuple = PyTuple_New(self->count);
    for (Py_ssize_t i = 0; tuple && i < self->count; i++) {
        PyObject *value = value_at(&self->fields[i], packet);
        if (value)
            PyTuple_SET_ITEM(tuple, i, value);
        else
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* A copy has room for all names at once; a dict that grows is made anew several times. */
static PyObject *dict_of(const struct codec_object *self, const uint8_t *packet)
{
    PyObject *dict = PyDict_Copy(self->template);
    for (Py_ssize_t i = 0; dict && i < self->count; i++) {
        PyObject *value = value_at(&self->fields[i], packet);
        if (!value || PyDict_SetItem(dict, self->fields[i].name, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

typedef PyObject *(*maker)(const struct codec_object *self, const uint8_t *packet);

/* Whole packets only, so that no field need be looked at to know that it is there. */
static inline PyObject *decoded(PyObject *object, PyObject *packet, const char *method, maker make)
{
    const struct codec_object *self = (const struct codec_object *)object;
    PyObject *result;
    if (PyBytes_CheckExact(packet)) {
        bool is_whole = PyBytes_GET_SIZE(packet) >= self->size;
        return is_whole ? make(self, (const uint8_t *)PyBytes_AS_STRING(packet))
                        : codec_otherwise(self, method, packet);
    }
    Py_buffer view;
    if (PyObject_GetBuffer(packet, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    result = view.len >= self->size ? make(self, view.buf) : codec_otherwise(self, method, packet);
    PyBuffer_Release(&view);
    return result;
}

PyObject *codec_values(PyObject *object, PyObject *packet) { return decoded(object, packet, "values", tuple_of); }

PyObject *codec_record(PyObject *object, PyObject *packet) { return decoded(object, packet, "record", dict_of); }
