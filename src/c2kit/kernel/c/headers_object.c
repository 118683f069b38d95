/* Identification and sequence checks for Python. */
#include "objects.h"

#include "headers.h"

/* -- Tables ----------------------------------------------------------------------------------------------------------- */

struct matcher_object {
    PyObject_HEAD
    struct table *tables;
    int32_t count;
};

static void *copy_of(const char *bytes, Py_ssize_t size)
{
    void *copy = PyMem_Malloc((size_t)size + 1);
    if (!copy)
        return PyErr_NoMemory();
    return memcpy(copy, bytes, (size_t)size);
}

static bool words_make(struct table *table)
{
    if (!(table->words = PyMem_Calloc((size_t)table->count, sizeof *table->words))) {
        PyErr_NoMemory();
        return false;
    }
    for (int64_t number = 0; number < table->count && table->width <= 8; number++)
        for (int32_t byte = 0; byte < table->width; byte++)
            table->words[number] = table->words[number] << 8 | table->keys[number * table->width + byte];
    return true;
}

/* (size, places as int64, mask, all keys, ranks as int64); the places must lie within the size. */
static void table_parse(PyObject *description, struct table *table)
{
    const char *places, *mask, *keys, *ranks;
    Py_ssize_t places_size, mask_size, keys_size, ranks_size;
    long long size;
    if (!tuple_check(description)
        || !PyArg_ParseTuple(description, "Ly#y#y#y#", &size, &places, &places_size, &mask, &mask_size, &keys,
                             &keys_size, &ranks, &ranks_size))
        return;
    table->size_bytes = size;
    table->width = (int32_t)(mask_size < INT32_MAX / 8 ? mask_size : 0);
    table->count = ranks_size / 8;
    if (table->width != mask_size || places_size != 8 * mask_size || ranks_size % 8 || table->count < 1
        || table->count > INT32_MAX || keys_size != table->count * mask_size) {
        PyErr_SetString(PyExc_ValueError, "not as many places, keys and ranks as there should be");
        return;
    }
    if (!(table->places = copy_of(places, places_size)) || !(table->mask = copy_of(mask, mask_size))
        || !(table->keys = copy_of(keys, keys_size)) || !(table->ranks = copy_of(ranks, ranks_size))
        || !words_make(table))
        return;
    for (int32_t byte = 0; byte < table->width; byte++)
        if (table->places[byte] < 0 || table->places[byte] >= size) {
            PyErr_SetString(PyExc_ValueError, "a place outside the packet");
            return;
        }
    table->least = table->ranks[0];
    for (int64_t number = 1; number < table->count; number++)
        table->least = table->ranks[number] < table->least ? table->ranks[number] : table->least;
}

static PyObject *matcher_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    PyObject *tables;
    if (keywords && PyDict_Size(keywords)) {
        PyErr_SetString(PyExc_TypeError, "Matcher takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(arguments, "O!", &PyTuple_Type, &tables))
        return NULL;
    struct matcher_object *self = (struct matcher_object *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    Py_ssize_t count = PyTuple_Size(tables);
    self->tables = count < INT32_MAX ? PyMem_Calloc((size_t)count + 1, sizeof *self->tables) : NULL;
    if (!self->tables)
        PyErr_NoMemory();
    for (; self->tables && self->count < count && !PyErr_Occurred(); self->count++)
        table_parse(PyTuple_GetItem(tables, self->count), &self->tables[self->count]);
    if (PyErr_Occurred())
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void matcher_dealloc(PyObject *object)
{
    struct matcher_object *self = (struct matcher_object *)object;
    PyTypeObject *type = Py_TYPE(object);
    for (int32_t each = 0; each < self->count; each++) {
        PyMem_Free(self->tables[each].places);
        PyMem_Free(self->tables[each].mask);
        PyMem_Free(self->tables[each].words);
        PyMem_Free(self->tables[each].keys);
        PyMem_Free(self->tables[each].ranks);
    }
    PyMem_Free(self->tables);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Takes hold of packets and of arrays of int64 to write to, as many words as packets each, or as `words` says. */
static bool arrays_take(struct packets *packets, PyObject *const *arguments, Py_buffer *arrays, int count, int64_t words)
{
    if (!packets_take(packets, arguments[0], arguments[1], arguments[2]))
        return false;
    for (int each = 0; each < count; each++) {
        int64_t least = words && !each ? words : packets->batch.count;
        bool is_taken = int64_take(&arrays[each], arguments[3 + each], true);
        if (is_taken && arrays[each].len / 8 >= least)
            continue;
        if (is_taken) {
            PyErr_SetString(PyExc_ValueError, "too few words");
            each++;
        }
        while (each--)
            PyBuffer_Release(&arrays[each]);
        packets_drop(packets);
        return false;
    }
    return true;
}

/* Writes the rank of each packet to an array. */
static PyObject *matcher_match(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct matcher_object *self = (const struct matcher_object *)object;
    struct packets packets;
    Py_buffer ranks;
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "match takes buffer, starts, ends, ranks, none");
        return NULL;
    }
    long long none = PyLong_AsLongLong(arguments[4]);
    if (PyErr_Occurred() || !arrays_take(&packets, arguments, &ranks, 1, 0))
        return NULL;
    BEGIN_WORK(packets.batch.count * 20)
    match(self->tables, self->count, &packets.batch, none, ranks.buf);
    END_WORK
    PyBuffer_Release(&ranks);
    packets_drop(&packets);
    return Py_NewRef(Py_None);
}

static PyMethodDef matcher_methods[] = {
    {"match", (PyCFunction)(void (*)(void))matcher_match, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot matcher_slots[] = {
    {Py_tp_new, (void *)matcher_new},
    {Py_tp_dealloc, (void *)matcher_dealloc},
    {Py_tp_methods, matcher_methods},
    {0, NULL},
};

PyType_Spec matcher_spec = {
    .name = "c2kit.kernel._kernel.Matcher",
    .basicsize = sizeof(struct matcher_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = matcher_slots,
};

/* -- Sequence counts -------------------------------------------------------------------------------------------------- */

PyObject *module_sequence(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    struct packets packets;
    Py_buffer arrays[3]; /* last, which, due */
    (void)module;
    if (count != 6) {
        PyErr_SetString(PyExc_TypeError, "sequence takes buffer, starts, ends, last, which, due");
        return NULL;
    }
    if (!arrays_take(&packets, arguments, arrays, 3, APIDS))
        return NULL;
    int64_t found;
    BEGIN_WORK(packets.batch.count * 3)
    found = sequence(&packets.batch, arrays[0].buf, arrays[1].buf, arrays[2].buf);
    END_WORK
    for (int each = 0; each < 3; each++)
        PyBuffer_Release(&arrays[each]);
    packets_drop(&packets);
    return PyLong_FromLongLong(found);
}
