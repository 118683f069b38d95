/* Codecs as Python objects; how they encode and decode stands in files of their own. */
#include "codec.h"

static bool is_sound(const struct plain_field *field, Py_ssize_t size)
{
    const struct element *element = &field->element;
    int bits = element->bits;
    if (element->encoding > BYTES || element->order > MIXED || bits < 1 || bits > 64)
        return false;
    if (element->encoding == IEEE754 && bits != 16 && bits != 32 && bits != 64)
        return false;
    if (element->encoding == MIL_STD_1750A && bits != 32 && bits != 48)
        return false;
    for (int byte = 0; element->order == MIXED && byte < bits / 8; byte++)
        if (element->places[byte] >= bits / 8)
            return false;
    int64_t taken = element->encoding == BYTES ? 8 * field->byte_count : bits;
    return field->byte_count >= 0 && field->byte_count <= size && field->start >= 0
        && field->start <= 8 * (int64_t)size - taken;
}

static enum kind kind_of(const struct element *element)
{
    switch (element->encoding) {
    case UNSIGNED: return KIND_UNSIGNED;
    case IEEE754: return element->bits == 64 ? KIND_DOUBLE : KIND_SINGLE;
    case MIL_STD_1750A: return KIND_DOUBLE;
    case BYTES: return KIND_BYTES;
    default: return KIND_SIGNED;
    }
}

static enum way way_of(const struct element *element)
{
    bool is_integer = element->encoding == TWOS_COMPLEMENT || (element->encoding == UNSIGNED && element->bits < 64);
    bool is_float = element->encoding == IEEE754 && element->bits != 16;
    if (element->order != BIG || !(is_integer || is_float))
        return WAY_ANY;
    return is_integer ? WAY_INTEGER : element->bits == 64 ? WAY_DOUBLE : WAY_SINGLE;
}

/* Works out how a field is read: from the last eight bytes of the packet, where there are not so many behind it. */
static void prepare(struct plain_field *field, Py_ssize_t size)
{
    struct element *element = &field->element;
    bool is_bare = element->encoding <= TWOS_COMPLEMENT || (element->encoding == IEEE754 && element->bits != 16);
    int64_t byte = field->start / 8;
    field->first_byte = byte + 8 <= size ? byte : size - 8;
    int64_t before = field->start - 8 * field->first_byte;
    bool is_in_word = size >= 8 && element->order == BIG && is_bare && before + element->bits <= 64;
    field->before = is_in_word ? (uint8_t)before : 0;
    field->behind_word = (uint8_t)(64 - element->bits);
    field->kind = (uint8_t)kind_of(element);
    field->word_kind = is_in_word ? field->kind : NO_WORD;
    field->way = (uint8_t)way_of(element);
    field->word = field->start / 64;
    field->behind = 64 - (int)(field->start % 64) - element->bits;
    field->mask = UINT64_MAX >> (64 - element->bits);
    field->below = element->encoding == TWOS_COMPLEMENT ? field->mask / 2 + 1 : 0;
    element->width = 8;
}

static bool plain_field_parse(PyObject *description, struct plain_field *field, Py_ssize_t size)
{
    PyObject *element, *name;
    long long start, byte_count;
    if (!PyArg_ParseTuple(description, "UO!LL", &name, &PyTuple_Type, &element, &start, &byte_count))
        return false;
    field->start = start;
    field->byte_count = byte_count;
    if (!element_parse(element, &field->element))
        return false;
    if (!is_sound(field, size)) {
        PyErr_SetString(PyExc_ValueError, "no field of a packet of this size");
        return false;
    }
    prepare(field, size);
    field->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&field->name);
    return true;
}

static bool codec_parse(struct codec_object *self, PyObject *fields)
{
    Py_ssize_t count = PyTuple_Size(fields);
    self->fields = PyMem_Calloc((size_t)count + 1, sizeof *self->fields);
    self->template = PyDict_New();
    if (!self->fields || !self->template) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++, self->count = i) {
        struct plain_field *field = &self->fields[i];
        if (!plain_field_parse(PyTuple_GetItem(fields, i), field, self->size)
            || PyDict_SetItem(self->template, field->name, Py_None) < 0)
            return false;
        self->can_encode &= field->element.encoding != MIL_STD_1750A;
    }
    return true;
}

static PyObject *codec_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *fields, *otherwise;
    Py_ssize_t size;
    int can_encode;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Codec takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!npO", &PyTuple_Type, &fields, &size, &can_encode, &otherwise))
        return NULL;
    if (size < 0 || size > PY_SSIZE_T_MAX / 16) {
        PyErr_SetString(PyExc_ValueError, "no size of a packet");
        return NULL;
    }
    struct codec_object *self = (struct codec_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->size = size;
    self->can_encode = can_encode;
    self->otherwise = Py_NewRef(otherwise);
    if (codec_parse(self, fields))
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

/* A layout keeps its codec, and that by way of the other one the layout: only the garbage collector parts them. */
static int codec_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct codec_object *self = (struct codec_object *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->template);
    Py_VISIT(self->otherwise);
    return 0;
}

static int codec_clear(PyObject *object)
{
    struct codec_object *self = (struct codec_object *)object;
    Py_CLEAR(self->template);
    Py_CLEAR(self->otherwise);
    return 0;
}

static void codec_dealloc(PyObject *object)
{
    struct codec_object *self = (struct codec_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    codec_clear(object);
    for (Py_ssize_t i = 0; self->fields && i < self->count; i++)
        Py_XDECREF(self->fields[i].name);
    PyMem_Free(self->fields);
    type->tp_free(object);
    Py_DECREF(type);
}

PyObject *codec_otherwise(const struct codec_object *self, const char *method, PyObject *argument)
{
    return PyObject_CallMethod(self->otherwise, method, "(O)", argument);
}

static PyMethodDef codec_methods[] = {
    {"encode", codec_encode, METH_O, NULL},
    {"values", codec_values, METH_O, NULL},
    {"record", codec_record, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot codec_slots[] = {
    {Py_tp_new, (void *)codec_new},
    {Py_tp_dealloc, (void *)codec_dealloc},
    {Py_tp_traverse, (void *)codec_traverse},
    {Py_tp_clear, (void *)codec_clear},
    {Py_tp_methods, codec_methods},
    {0, NULL},
};

PyType_Spec codec_spec = {
    .name = "c2kit.kernel._kernel.Codec",
    .basicsize = sizeof(struct codec_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = codec_slots,
};
