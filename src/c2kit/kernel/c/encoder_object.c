/* Encoders as Python objects: plain fields, each at a place of its own. */
#include "objects.h"

#include "encode.h"

struct plain_field {
    PyObject *name;
    struct element element;
    int64_t start, bytes; /* of strings and binary the number of bytes */
};

struct encoder_object {
    PyObject_HEAD
    struct plain_field *fields;
    Py_ssize_t count, size;
};

static bool plain_field_parse(PyObject *description, struct plain_field *field, Py_ssize_t size)
{
    PyObject *element;
    long long start, bytes;
    if (!PyArg_ParseTuple(description, "UO!LL", &field->name, &PyTuple_Type, &element, &start, &bytes)) {
        field->name = NULL;
        return false;
    }
    Py_INCREF(field->name);
    field->start = start;
    field->bytes = bytes;
    if (!element_parse(element, &field->element))
        return false;
    int bits = field->element.bits;
    bool is_sound = field->element.encoding <= BYTES && field->element.encoding != MIL_STD_1750A
        && field->element.order <= MIXED && bits >= 1 && bits <= 64 && bytes >= 0 && bytes <= size && start >= 0
        && start <= 8 * (int64_t)size - (field->element.encoding == BYTES ? 8 * bytes : bits);
    for (int byte = 0; is_sound && field->element.order == MIXED && byte < bits / 8; byte++)
        is_sound = field->element.places[byte] < bits / 8;
    if (field->element.encoding == IEEE754)
        is_sound = is_sound && (bits == 16 || bits == 32 || bits == 64);
    if (!is_sound)
        PyErr_SetString(PyExc_ValueError, "no field of a packet of this size");
    return is_sound;
}

static PyObject *encoder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *fields;
    Py_ssize_t size;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Encoder takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!n", &PyTuple_Type, &fields, &size))
        return NULL;
    if (size < 0 || size > PY_SSIZE_T_MAX / 16) {
        PyErr_SetString(PyExc_ValueError, "no size of a packet");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct encoder_object *self = (struct encoder_object *)allocate(type, 0);
    if (!self)
        return NULL;
    self->size = size;
    Py_ssize_t count = PyTuple_Size(fields);
    self->fields = PyMem_Calloc((size_t)count + 1, sizeof *self->fields);
    bool is_made = self->fields || PyErr_NoMemory();
    for (Py_ssize_t i = 0; is_made && i < count; i++, self->count = i)
        is_made = plain_field_parse(PyTuple_GetItem(fields, i), &self->fields[i], size);
    if (is_made)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void encoder_dealloc(PyObject *object)
{
    struct encoder_object *self = (struct encoder_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (Py_ssize_t i = 0; i < self->count; i++)
        Py_XDECREF(self->fields[i].name);
    PyMem_Free(self->fields);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* The pattern of a number, where it is plainly one of the element's. */
static bool pattern_of(const struct element *element, PyObject *value, uint64_t *pattern)
{
    if (element->encoding == IEEE754)
        return PyFloat_CheckExact(value) && pattern_of_float(element, PyFloat_AsDouble(value), pattern);
    if (!PyLong_CheckExact(value))
        return false;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!overflow && (element->encoding != UNSIGNED || number >= 0))
        return element->encoding == UNSIGNED ? pattern_of_unsigned(element, (uint64_t)number, pattern)
                                             : pattern_of_signed(element, number, pattern);
    if (overflow <= 0 || element->encoding != UNSIGNED)
        return false;
    unsigned long long large = PyLong_AsUnsignedLongLong(value);
    if (!PyErr_Occurred())
        return pattern_of_unsigned(element, large, pattern);
    PyErr_Clear(); /* OverflowError: too large for 64 bits */
    return false;
}

static bool put(const struct plain_field *field, PyObject *value, uint8_t *packet, int64_t size)
{
    uint64_t pattern;
    if (field->element.encoding == BYTES) {
        if (!PyBytes_CheckExact(value) || PyBytes_Size(value) != field->bytes)
            return false;
        put_bytes(packet, field->start, (const uint8_t *)PyBytes_AsString(value), field->bytes);
        return true;
    }
    if (!pattern_of(&field->element, value, &pattern))
        return false;
    put_pattern(&field->element, packet, size, field->start, pattern);
    return true;
}

/* The packet of a dict of values; None where one is missing or is not plainly what its field holds, or one too many is
 * there. What is to be said of it then is for others to say. */
static PyObject *encoder_encode(PyObject *object, PyObject *values)
{
    struct encoder_object *self = (struct encoder_object *)object;
    if (!PyDict_CheckExact(values) || PyDict_Size(values) != self->count)
        return Py_NewRef(Py_None);
    PyObject *packet = PyBytes_FromStringAndSize(NULL, self->size);
    if (!packet)
        return NULL;
    uint8_t *data = (uint8_t *)PyBytes_AsString(packet);
    memset(data, 0, (size_t)self->size);
    Py_ssize_t place = 0;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        /* Values mostly stand in the order of the fields, under their very names. */
        PyObject *key, *value, *name = self->fields[i].name;
        if (!PyDict_Next(values, &place, &key, &value) || key != name)
            value = PyDict_GetItemWithError(values, name);
        if (!value || !put(&self->fields[i], value, data, self->size)) {
            Py_DECREF(packet);
            return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
        }
    }
    return packet;
}

static PyMethodDef encoder_methods[] = {
    {"encode", encoder_encode, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot encoder_slots[] = {
    {Py_tp_new, (void *)encoder_new},
    {Py_tp_dealloc, (void *)encoder_dealloc},
    {Py_tp_methods, encoder_methods},
    {0, NULL},
};

PyType_Spec encoder_spec = {
    .name = "c2kit.kernel._kernel.Encoder",
    .basicsize = sizeof(struct encoder_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = encoder_slots,
};
