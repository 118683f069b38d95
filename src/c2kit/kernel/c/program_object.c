/* Programs as Python objects, and decoding to memory that is there already. */
#include "program_object.h"

#include "arena.h"
#include "decode.h"

static bool parts_take(struct program_object *self, PyObject *column_type, PyObject *array_type, PyObject *number_types)
{
    const char *const names[ATTRIBUTES] = {"values", "valid", "offsets", "is_bytes", "is_text"};
    self->column_type = Py_NewRef(column_type);
    self->array_type = Py_NewRef(array_type);
    self->number_types = Py_NewRef(number_types);
    for (int each = 0; each < ATTRIBUTES; each++)
        if (!(self->names[each] = PyUnicode_InternFromString(names[each])))
            return false;
    if (PyTuple_Size(number_types) == (Py_ssize_t)self->program.count + self->program.conversion_count)
        return true;
    PyErr_SetString(PyExc_ValueError, "not a type for each field and conversion");
    return false;
}

static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *fields, *conditions, *terminators, *conversions, *column_type, *array_type, *number_types;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Program takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!O!O!O!O!O!O!", &PyTuple_Type, &fields, &PyTuple_Type, &conditions,
                          &PyBytes_Type, &terminators, &PyTuple_Type, &conversions, &PyType_Type, &column_type,
                          &PyType_Type, &array_type, &PyTuple_Type, &number_types))
        return NULL;
    struct program_object *self = (struct program_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    if (!program_parse(&self->program, fields, conditions, terminators, conversions)
        || !parts_take(self, column_type, array_type, number_types)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void program_dealloc(PyObject *object)
{
    struct program_object *self = (struct program_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    program_free(&self->program);
    Py_XDECREF(self->column_type);
    Py_XDECREF(self->array_type);
    Py_XDECREF(self->number_types);
    for (int each = 0; each < ATTRIBUTES; each++)
        Py_XDECREF(self->names[each]);
    type->tp_free(object);
    Py_DECREF(type);
}

PyObject *counts_of(const struct program *program, const struct converted *converted)
{
    PyObject *counts = PyTuple_New(program->conversion_count);
    for (int32_t number = 0; counts && number < program->conversion_count; number++) {
        PyObject *counted = PyLong_FromLongLong(converted[number].counted);
        if (!counted || PyTuple_SetItem(counts, number, counted) < 0)
            Py_CLEAR(counts);
    }
    return counts;
}

/* Whether each packet has all fields, and all are numbers as they are; then the bytes of their columns. */
static int64_t plain_bytes(const struct program *program, const struct batch *batch)
{
    int64_t bytes = program->conversion_count ? -1 : 0;
    for (int32_t number = 0; number < program->count; number++) {
        const struct field *field = &program->fields[number];
        if (bytes < 0 || !is_number(field) || !all_hold(field, batch) || batch->count > MOST_ELEMENTS)
            return -1;
        bytes += (batch->count * field->element.width + 7) / 8 * 8;
    }
    return bytes;
}

/* Decodes to words that are there already, so that nothing is allocated; gives how many bytes were written. The columns
 * stand in them as decode() would have them. Refuses fields that vary or are no numbers, conversions, and packets that
 * lack a field. */
static PyObject *program_decode_into(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct program *program = &((struct program_object *)object)->program;
    struct packets packets;
    Py_buffer words;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "decode_into takes buffer, starts, ends, words");
        return NULL;
    }
    if (!packets_take(&packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (!int64_take(&words, arguments[3], true)) {
        packets_drop(&packets);
        return NULL;
    }
    int64_t bytes = plain_bytes(program, &packets.batch);
    struct column *columns = PyMem_Calloc((size_t)program->count + 1, sizeof *columns);
    if (bytes < 0 || bytes > words.len)
        PyErr_SetString(PyExc_ValueError, "not raw numbers alone, a packet that lacks one, or too few words");
    else if (!columns)
        PyErr_NoMemory();
    else {
        struct arena arena = {.block = words.buf};
        for (int32_t number = 0; number < program->count; number++)
            columns[number].values = take(&arena, packets.batch.count * program->fields[number].element.width);
        BEGIN_WORK(packets.batch.count * program->count)
        decode_walk(program, &packets.batch, columns, NULL);
        END_WORK
    }
    PyMem_Free(columns);
    PyBuffer_Release(&words);
    packets_drop(&packets);
    return PyErr_Occurred() ? NULL : PyLong_FromLongLong(bytes);
}

static PyMethodDef program_methods[] = {
    {"decode", (PyCFunction)(void (*)(void))program_decode, METH_FASTCALL, NULL},
    {"write", (PyCFunction)(void (*)(void))program_write, METH_FASTCALL, NULL},
    {"decode_into", (PyCFunction)(void (*)(void))program_decode_into, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot program_slots[] = {
    {Py_tp_new, (void *)program_new},
    {Py_tp_dealloc, (void *)program_dealloc},
    {Py_tp_methods, program_methods},
    {0, NULL},
};

PyType_Spec program_spec = {
    .name = "c2kit.kernel._kernel.Program",
    .basicsize = sizeof(struct program_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = program_slots,
};
